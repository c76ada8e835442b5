"""Markdown of mixtures: a sentence on each, and tables of it beside its models at equal money."""

from __future__ import annotations

from collections.abc import Iterator

from isocost.measuring.mixtures import Beside, Mixture
from isocost.measuring.words import NAMES, amount, markdown_table, name_cell, named_unit
from isocost.records import Estimate

_MOST_MODELS = 3  # models whose own numbers fit beside the mixture's
_MINUS = "\N{MINUS SIGN}"


def mixture_lines(mixture: Mixture, unit: str) -> Iterator[str]:
    """Yield a sentence, and a table per measure. Without a curve the sentence gives the reason."""
    names = [name_cell(model) for model in mixture.shares]
    title = " + ".join(names)
    shares = list(mixture.shares.values())
    equal = max(shares) - min(shares) < 1e-9
    money = "equal money each" if equal else ", ".join(f"{100 * w:.3g}% of the money to {n}" for n, w in zip(names, shares, strict=True))
    if mixture.why is not None:
        yield f"{title}, {money}: no curve; {mixture.why}."
        return
    draws = ", ".join(f"{100 * part:.3g}% {n}" for n, part in zip(names, mixture.draws.values(), strict=True))
    n = mixture.points[-1].values["coverage"].n
    yield (
        f"{title}, {money}. Its draws: {draws}. Worked out from the models' own draws on the {n:,} problems that all of them reached; "
        f"each row spends the same on the mixture and on each model alone. Differences are paired."
    )
    for measure in mixture.beside[0].mixture:
        heads = [f"{NAMES[measure]} by {named_unit(unit)} a problem", "draws of it", "mixture"]
        few, points = list(mixture.shares)[:_MOST_MODELS], " (points)" if measure == "coverage" else ""
        heads += [head for model in few for head in (f"{name_cell(model)} alone", f"mixture {_MINUS} {name_cell(model)}{points}")]
        yield "\n".join(markdown_table([heads, *(_row(beside, measure, few) for beside in mixture.beside)]))


def _row(beside: Beside, measure: str, models: list[str]) -> list[str]:
    row = [amount(beside.cost), f"{beside.k:,}", _cell(beside.mixture[measure], measure)]
    for model in models:
        if model in beside.draws:
            row += [_cell(beside.alone[model][measure], measure), _cell(beside.minus[model][measure], measure, sign="+")]
        else:
            row += ["not drawn so far", ""]
    return row


def _cell(estimate: Estimate, measure: str, sign: str = "") -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not defined"
    factor, form, unit = (100, f"{sign}.1f", "" if sign else "%") if measure == "coverage" else (1, f"{sign}.2f", "")
    value, low, high = (f"{factor * end:{form}}".replace("-", _MINUS) for end in (estimate.value, estimate.low, estimate.high))
    return f"{value}{unit} [{low}, {high}]"

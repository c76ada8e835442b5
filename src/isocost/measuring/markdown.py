"""Markdown tables of measures, each number with its interval and n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from isocost.measuring.columns import Measures
from isocost.measuring.comparing import Crossing, Shared
from isocost.measuring.mixtures import Beside, Mixture
from isocost.measuring.survey import Survey
from isocost.measuring.words import (
    NAMES,
    amount,
    count,
    markdown_table,
    money,
    name_cell,
    named_unit,
    percent,
    spent,
    with_name_cell,
    with_unit,
)
from isocost.records import Estimate

_FEW_PROBLEMS = 30  # below this a note warns of the small n
_ABREAST = 4  # models per table, so that it fits a terminal
_MOST_GROUPS = 40  # rows of a table by group
_AT_ONE_PRICE = "At one price per token, whichever model wrote it; --cost MODEL=AMOUNT for each model says otherwise."
_LEFT_OUT = ("maj@", "pass@1[", "diversity_")  # measures omitted by group, where the table would become too wide
_MOST_MODELS = 3  # models whose own numbers fit beside the mixture's
_MINUS = "\N{MINUS SIGN}"


def survey_markdown(survey: Survey) -> str:
    """Return a survey as text: tables of measures, groups and overlap, then crossovers, mixtures and warnings."""
    extra = {model: _about(survey, model) for model in survey.measures}
    problems = {model: shape.problems for model, shape in survey.shapes.items()}
    names, left_out = _defined(survey)
    parts = [*_tables(survey.measures, names, survey.undefined, problems, extra), _note(survey.measures) + left_out]
    if survey.by:
        parts += ["## By group", *_groups(survey.by)]
    if survey.crossings:
        parts += ["## Crossovers", *([_AT_ONE_PRICE] if survey.at_one_price else [])]
        parts += ["\n".join(f"- {_crossing(crossing, survey.unit)}" for crossing in survey.crossings)]
    if survey.shared:
        parts += ["## Problems solved", "\n".join(_overlap(survey.shared, survey.unit))]
    if survey.mixtures:
        parts += ["## Mixtures", *(part for mixture in survey.mixtures for part in mixture_lines(mixture, survey.unit))]
    if survey.warnings:
        parts += ["## Warnings", "\n".join(f"- {with_name_cell(line, survey.measures)}" for line in survey.warnings)]
    return "\n\n".join(parts)


def _defined(survey: Survey) -> tuple[list[str], str]:
    """Return the measures that some model defines, and a sentence on the others; all of them if none is defined."""
    names = list(dict.fromkeys(name for estimates in survey.measures.values() for name in estimates))
    has = [name for name in names if any(own[name].value is not None for own in survey.measures.values() if name in own)]
    left = [name for name in names if name not in has]
    if not has or not left:
        return names, ""
    whys = dict.fromkeys(why for own in survey.undefined.values() for name, why in own.items() if name in left)
    return has, f" Not defined for any model: {', '.join(left)} ({'; '.join(whys)})."


def _tables(
    measures: Measures,
    names: Sequence[str],
    undefined: Mapping[str, Mapping[str, str]],
    problems: Mapping[str, int],
    extra: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    models = list(measures)
    for start in range(0, len(models), _ABREAST):
        some = models[start : start + _ABREAST]
        rows = [["measure", *map(name_cell, some)]]
        rows += [
            [name, *(_cell(name, measures[m].get(name), undefined.get(m, {}).get(name), problems.get(m)) for m in some)] for name in names
        ]
        rows.append(["samples not graded", *(f"{_ungraded(measures[m]):,}" for m in some)])
        rows += [[label, *(extra[m].get(label, "not known") for m in some)] for label in extra.get(some[0], {})]
        yield "\n".join(markdown_table(rows))


def _about(survey: Survey, model: str) -> dict[str, str]:
    shape = survey.shapes[model]
    draws = f"{shape.most:,}" if shape.least == shape.most else f"{shape.least:,} to {shape.most:,}"
    lines = {"problems": f"{shape.problems:,}", "graded draws per problem": draws}
    if any(other.unit_costs for other in survey.shapes.values()):
        for name, label in (("cost_per_draw", "cost per draw"), ("cost_per_correct", "cost per correct draw")):
            cost = shape.unit_costs.get(name)
            lines[f"{label} ({named_unit(survey.unit)})"] = "not known" if cost is None else money(cost, shape.problems, unit=survey.unit)
    return lines


def _groups(by: Mapping[str, Measures]) -> Iterator[str]:
    """Yield a table per model: a row per group, a column per measure."""
    for model in dict.fromkeys(model for measures in by.values() for model in measures):
        found = {group: measures[model] for group, measures in by.items() if any(e.n for e in measures.get(model, {}).values())}
        names = [name for name in dict.fromkeys(n for e in found.values() for n in e) if not name.startswith(_LEFT_OUT)]
        rows = [[name_cell(model), *names]]
        for group, estimates in list(found.items())[:_MOST_GROUPS]:
            n = max(each.n for each in estimates.values())
            rows.append([f"{name_cell(group)} (n {n:,})", *(_cell(name, estimates.get(name), None, n) for name in names)])
        if len(found) > _MOST_GROUPS:
            rows.append([f"{len(found) - _MOST_GROUPS:,} more: --json", *("" for _ in names)])
        yield "\n".join(markdown_table(rows))


def _crossing(crossing: Crossing, unit: str) -> str:
    found, measure = crossing.found, NAMES[crossing.measure]
    left, right = name_cell(crossing.left), name_cell(crossing.right)
    reach = f"{with_unit(found.reach, unit)} per problem"
    if found.ahead is None:
        return f"{measure}: {left} and {right} are level at {reach}, as far as both were drawn."
    ahead, behind = (left, right) if found.ahead == "left" else (right, left)
    absent = f" No crossover within reach in {100 * found.absent:.0f}% of resamples." if found.absent else ""
    if not found.value:
        not_ahead = f" In {100 * found.absent:.0f}% of resamples it is not ahead there." if found.absent else ""
        low = "" if found.high == 0 else f" (interval up to {_end(found.high, found.reach, unit)})"
        return f"{measure}: {ahead} is ahead of {behind} from the first draw on{low}, up to {reach}, as far as both were drawn.{not_ahead}"
    ends = f"[{_end(found.low, found.reach, unit)}, {_end(found.high, found.reach, unit)}]"
    return (
        f"{measure}: {ahead} overtakes {behind} at {with_unit(found.value, unit)} per problem {ends}, n {found.n:,}, and stays ahead "
        f"up to {reach}, as far as both were drawn.{absent}"
    )


def _end(value: float | None, reach: float, unit: str) -> str:
    return f"beyond {spent(reach, unit)}" if value is None else spent(value, unit)


def _overlap(shared: Sequence[Shared], unit: str) -> Iterator[str]:
    rows = [["models", "draws", "only the first", "only the second", "all", "none"]]
    many: list[str] = []
    for one in shared:
        each = "all" if one.draws is None else " and ".join(_draws(draws) for draws in one.draws[:_ABREAST])
        draws = each if one.cost is None else f"{each} ({with_unit(one.cost, unit)})"
        if len(one.models) == 2:
            only = [percent(estimate) for estimate in one.found.only]
            rows.append([" and ".join(map(name_cell, one.models)), draws, *only, percent(one.found.all), percent(one.found.none)])
        else:
            where = "in all draws" if one.cost is None else f"at {with_unit(one.cost, unit)} per problem"
            alone = "; ".join(f"{name_cell(m)} {percent(e)}" for m, e in zip(one.models, one.found.only, strict=True))
            many.append(f"- {where}: by every model {percent(one.found.all)}; by none {percent(one.found.none)}; by one alone: {alone}")
    yield from markdown_table(rows) if len(rows) > 1 else []
    yield from ["", *many] if many and len(rows) > 1 else many


def _draws(draws: float) -> str:
    return f"{draws:,.3f}".rstrip("0").rstrip(".")


def _note(measures: Measures) -> str:
    note = (
        "Means over the problems of each model, or n of them where it is said, with 95% intervals over problems; "
        "diversity: distinct correct solutions."
    )
    if any(0 < e.n < _FEW_PROBLEMS for estimates in measures.values() for e in estimates.values()):
        note += f" Few problems: some n are under {_FEW_PROBLEMS}."
    return note


def _cell(name: str, estimate: Estimate | None, why: str | None, problems: int | None = None) -> str:
    if estimate is None or estimate.value is None:
        return "not defined" if why is None else f"not defined: {why}"
    return count(estimate, problems) if name.startswith(("diversity", "kept")) else percent(estimate, problems)


def _ungraded(estimates: Mapping[str, Estimate]) -> int:
    return max((estimate.n_ungraded for estimate in estimates.values()), default=0)


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
        heads = [f"{NAMES[measure]} by {named_unit(unit)} per problem", "draws of it", "mixture"]
        few, points = list(mixture.shares)[:_MOST_MODELS], " (points)" if measure == "coverage" else ""
        heads += [head for model in few for head in (f"{name_cell(model)} alone", f"mixture {_MINUS} {name_cell(model)}{points}")]
        yield "\n".join(markdown_table([heads, *(_mixture_row(beside, measure, few) for beside in mixture.beside)]))


def _mixture_row(beside: Beside, measure: str, models: list[str]) -> list[str]:
    row = [amount(beside.cost), f"{beside.k:,}", _mixture_cell(beside.mixture[measure], measure)]
    for model in models:
        if model in beside.draws:
            row += [_mixture_cell(beside.alone[model][measure], measure), _mixture_cell(beside.minus[model][measure], measure, sign="+")]
        else:
            row += ["not drawn so far", ""]
    return row


def _mixture_cell(estimate: Estimate, measure: str, sign: str = "") -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not defined"
    factor, form, unit = (100, f"{sign}.1f", "" if sign else "%") if measure == "coverage" else (1, f"{sign}.2f", "")
    value, low, high = (f"{factor * end:{form}}".replace("-", _MINUS) for end in (estimate.value, estimate.low, estimate.high))
    return f"{value}{unit} [{low}, {high}]"

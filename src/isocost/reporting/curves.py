"""The section on curves of coverage and diversity, at equal cost and at equal numbers, and the findings read from them."""

from __future__ import annotations

from isocost.records import Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Section
from isocost.reporting.curvefigures import figures
from isocost.reporting.leading import lead_sentence, sentences
from isocost.reporting.overlap import crossovers, overlap, side_by_side


def curves(results: Results) -> Section | None:
    """Return the section on the models' curves; None where no curve is drawn and no two models are compared."""
    drawn = figures(results)
    tables = tuple(table for table in (side_by_side(results), crossovers(results), overlap(results)) if table.rows)
    if not drawn and not tables:
        return None
    paragraphs = (*sentences(results), *without_curve(results))
    return Section(
        key="curves",
        title="The models against cost",
        finding=lead_sentence(results) or _uncompared(len(results.curves)),
        paragraphs=paragraphs,
        figures=drawn,
        tables=tables,
    )


def _uncompared(curves: int) -> str:
    return "One model has a curve." if curves == 1 else f"{curves} models have curves; no two of them are compared."


def without_curve(results: Results) -> tuple[str, ...]:
    """Return one sentence per model without a curve, and per curve that leaves out draws or problems."""
    notes = [f"{model} has no curve: {why}." for model, why in results.without_curve.items()]
    for model, (count, total) in results.independent_draws.items():
        notes.append(
            f"{model}: its curve and its measures at k rest on the {numbers.count(count)} of its {numbers.count(total)} draws that do not "
            "depend on outcomes (fixed policies and the pilot)."
        )
    for curve in results.curves:
        n = next(iter(curve.measures.values()))[-1].n
        if 0 < n < results.n_problems:
            rest, most = results.n_problems - n, curve.ks[-1]
            notes.append(
                f"{curve.model}: its curve goes to {numbers.count(most)} graded draws and leaves out {numbers.count(rest)} of "
                f"{numbers.count(results.n_problems)} problems that have fewer."
            )
    return tuple(notes)

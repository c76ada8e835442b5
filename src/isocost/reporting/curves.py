"""The section on curves of coverage and diversity, at equal cost and at equal numbers, and the findings read from them."""

from __future__ import annotations

from isocost.records import Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Section
from isocost.reporting.curvefigures import figures
from isocost.reporting.leading import sentences
from isocost.reporting.overlap import crossovers, overlap, side_by_side

_FEW = "No curve is drawn: that needs two graded draws a problem of at least one model."
_HOW = (
    "A curve goes as far as the graded draws of 95% of the problems; all its points rest on the problems that have as many. Bands are "
    "pointwise: 95% intervals over problems, each for its own point, and two that overlap may still differ, as the models met the same "
    "problems; the paired differences decide.",
    "A draw costs the mean over these problems, what draws that could not be graded cost laid on the others.",
)


def curves(results: Results) -> Section:
    """Return the section on the models' curves. Where no curve is drawn, a paragraph says so."""
    drawn = figures(results)
    tables = tuple(table for table in (side_by_side(results), crossovers(results), overlap(results)) if table.rows)
    return Section(
        key="curves",
        title="The models against cost",
        paragraphs=(*sentences(results), *(() if drawn else (_FEW,)), *_without(results)),
        figures=drawn,
        tables=tables,
        notes=_HOW if results.curves else (),
        figures_first=True,
    )


def _without(results: Results) -> tuple[str, ...]:
    """Return one sentence per model without a curve, and per curve that leaves out draws or problems."""
    said = [f"{model} has no curve: {why}." for model, why in results.without_curve.items()]
    for model, (count, total) in results.independent_draws.items():
        said.append(
            f"{model}: its curve and its measures at k rest on the {numbers.count(count)} of its {numbers.count(total)} draws that do not "
            "depend on outcomes (fixed policies and the pilot)."
        )
    for curve in results.curves:
        n = next(iter(curve.measures.values()))[-1].n
        if 0 < n < results.n_problems:
            rest, most = results.n_problems - n, curve.ks[-1]
            said.append(
                f"{curve.model}: its curve goes to {numbers.count(most)} graded draws and leaves out {numbers.count(rest)} of "
                f"{numbers.count(results.n_problems)} problems that have fewer."
            )
    return tuple(said)

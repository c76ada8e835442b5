"""Models side by side in tables: measures at equal cost and at equal numbers, where curves cross, which problems each solves."""

from __future__ import annotations

from collections.abc import Sequence

from isocost.records import Estimate, ModelCrossover, ModelPair, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Row, Table, drawable, estimated, integer, sized, words
from isocost.reporting.leading import MEASURES, direction, drawn, interval, place, versus
from isocost.reporting.marks import NEUTRAL, model_marks

_NOTHING = "no problem has the draws"


def side_by_side(results: Results) -> Table:
    """Coverage and diversity of each two models at each budget and at equal numbers, with their paired difference."""
    rows = tuple(
        Row(group=f"{MEASURES[measure]}{_unit(measure)}", entries=_compared(results, pair, measure))
        for measure in MEASURES
        for pair in results.model_pairs
        if measure in pair.differences
    )
    return Table(
        key="models_side_by_side",
        title="Models side by side, at equal cost and at equal numbers",
        caption="Each model at as many draws a problem as the money buys at the mean cost of a draw, a fraction of a draw being one more "
        "for that part of the problems; and at equal numbers of draws, which is not equal cost. Differences are paired, left minus right, "
        "on problems that both drew for. 95% intervals over problems.",
        columns=(
            Column(title="Left − right", key="difference_of", kind="text"),
            Column(title="Where", key="where", kind="text"),
            Column(title="Draws a problem", key="draws", kind="text"),
            Column(title="Left [95% interval]", key="left", kind="estimate"),
            Column(title="Right [95% interval]", key="right", kind="estimate"),
            Column(title="Difference [95% interval]", key="difference", kind="estimate"),
            Column(title="n problems", key="n"),
            Column(title="Finding", key="finding", kind="text"),
        ),
        rows=rows,
        group_title="Measure",
    )


def crossovers(results: Results) -> Table:
    """Where the curves of each two models cross."""
    rows = tuple(Row(group=MEASURES.get(item.measure, item.measure), entries=_crossing(item)) for item in results.crossovers)
    return Table(
        key="crossovers",
        title="Crossovers",
        caption="From which cost a problem the model that is ahead where the shorter curve ends stays ahead; from 0: it is ahead from the "
        "first draw on. 95% intervals: percentiles of 1,000 resamples of the problems, costs resampled with them. Not ahead: share of "
        "these in which that model is not ahead at the end, so that there is no crossover within reach.",
        columns=(
            Column(title="Models", key="models", kind="text"),
            Column(title="Unit", key="unit", kind="text"),
            Column(title="Ahead at the end", key="ahead", kind="text"),
            Column(title="From this cost a problem on [95% interval]", key="cost", kind="estimate"),
            Column(title="The shorter curve ends at", key="reach"),
            Column(title="Not ahead (% of resamples)", key="absent"),
            Column(title="n problems", key="n"),
        ),
        rows=rows,
        group_title="Measure",
    )


def overlap(results: Results) -> Table:
    """Which problems one model solves and the other does not."""
    rows = tuple(row for pair in results.model_pairs for row in _shares(results, pair))
    return Table(
        key="overlap",
        title="Overlap of the problems solved",
        caption="Share of problems that one model solves and the other does not, that both solve, and that neither solves, at as many "
        "draws a problem as stand above each group. Shares are means of coverage, independent between the models for a given problem, "
        "with 95% intervals over problems.",
        columns=(
            Column(title="Solved by", key="solved_by", kind="text"),
            Column(title="Problems (%) [95% interval]", key="share", kind="estimate"),
            Column(title="n problems", key="n"),
        ),
        rows=rows,
        group_title="Models, draws",
        drawn=1,
        axis=axes.shares(drawable(rows, 1)),
    )


def _compared(results: Results, pair: ModelPair, measure: str) -> tuple[Entry, ...]:
    text = numbers.percent if measure == "coverage" else numbers.mean
    left, right = pair.measures[measure]
    difference = pair.differences[measure]
    said = numbers.points(difference) if measure == "coverage" else numbers.interval(difference, factor=1, decimals=2, sign=True)
    return (
        words(versus(pair.models)),
        words(place(results, pair)),
        words(" and ".join(drawn(k).partition(" ")[0] for k in pair.draws)),
        estimated(left, text, _NOTHING),
        estimated(right, text, _NOTHING),
        Entry(text=said, value=difference, remark=_NOTHING if difference.value is None else ""),
        sized(left),
        words(_finding(pair, measure)),
    )


def _finding(pair: ModelPair, measure: str) -> str:
    way = direction(pair.differences[measure], measure)
    if way is None:
        return numbers.MISSING
    return f"● {pair.models[0]} ahead" if way > 0 else f"■ {pair.models[1]} ahead" if way < 0 else "○ no difference found"


def _crossing(item: ModelCrossover) -> tuple[Entry, ...]:
    found = Estimate(value=item.cost, low=item.low, high=item.high, n=item.n)
    none = "level at the end" if item.ahead is None else "no crossover" if item.cost == 0 else ""
    return (
        words(" and ".join(item.models)),
        words("FLOPs" if item.unit == "flops" else "USD"),
        words(item.ahead or "level"),
        Entry(text=interval(item), value=found, remark=none),
        Entry(text=numbers.budget(item.unit, item.reach), value=item.reach),
        Entry(text=numbers.fixed(100 * item.absent), value=100 * item.absent),
        integer(item.n),
    )


def _shares(results: Results, pair: ModelPair) -> Sequence[Row]:
    marks = model_marks(results)
    where = place(results, pair)
    draws = f"{drawn(pair.draws[0])} of {pair.models[0]}, {drawn(pair.draws[1])} of {pair.models[1]}"
    each = [
        (f"only {pair.models[0]}", pair.only[0], marks.get(pair.models[0], NEUTRAL)),
        (f"only {pair.models[1]}", pair.only[1], marks.get(pair.models[1], NEUTRAL)),
        ("both", pair.both, NEUTRAL),
        ("neither", pair.neither, NEUTRAL),
    ]
    return [
        Row(group=f"{where}: {draws}", mark=mark, entries=(words(name), estimated(share, numbers.percent, _NOTHING), sized(share)))
        for name, share, mark in each
    ]


def _unit(measure: str) -> str:
    return " (%, difference in points)" if measure == "coverage" else " (solutions a problem)"

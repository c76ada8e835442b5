"""Tables that compare models: measures at equal cost and at equal numbers, crossovers, and the problems that each solves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from isocost import amounts
from isocost.records import Estimate, ModelCrossover, ModelPair, Results
from isocost.reporting import axes, numbers
from isocost.reporting.blocks import Column, Entry, Table, estimated
from isocost.reporting.leading import MEASURES, direction, drawn, main_first, place, spot, versus
from isocost.reporting.leading import interval as from_where
from isocost.reporting.marks import NEUTRAL, model_marks
from isocost.reporting.tables import Shown, count, estimate, interval, problems, table, text

_NOTHING = "no problem has the draws"


class _Measured(NamedTuple):
    """Two models compared by one measure."""

    pair: ModelPair
    measure: str
    left: Estimate
    right: Estimate
    difference: Estimate

    @property
    def in_shares(self) -> bool:
        return self.measure == "coverage"


def side_by_side(results: Results) -> Table:
    """Compare coverage and diversity of every two models at each budget and at equal numbers, with the paired difference."""
    shown: tuple[Shown[_Measured], ...] = (
        text("Left − right", "difference_of", lambda item: versus(item.pair.models)),
        text("Where", "where", lambda item: spot(results, item.pair), lambda item: spot(results, item.pair, numbers.raw_per_problem)),
        text("Draws per problem", "draws", lambda item: " and ".join(drawn(k).partition(" ")[0] for k in item.pair.draws)),
        interval("Left", "left", lambda item: _side(item, item.left)),
        interval("Right", "right", lambda item: _side(item, item.right)),
        interval("Difference", "difference", _difference),
        problems(lambda item: item.left),
        text("Finding", "finding", _finding),
    )
    return table(
        shown,
        [
            _Measured(pair, measure, *pair.measures[measure], pair.differences[measure])
            for measure in MEASURES
            for pair in main_first(results, results.model_pairs)
            if measure in pair.differences
        ],
        key="models_side_by_side",
        title="Models side by side, at equal cost and at equal numbers",
        caption="Each model at as many draws as the money buys, then at equal numbers, which is not equal cost. Differences are paired by "
        "problem.",
        group_title="Measure",
        group=lambda item: MEASURES[item.measure] + (" (%, difference in points)" if item.in_shares else " (solutions per problem)"),
        raw_group=lambda item: MEASURES[item.measure] + (" (shares)" if item.in_shares else " (solutions per problem)"),
    )


def crossovers(results: Results) -> Table:
    """Return the crossovers of the curves of every two models."""
    shown: tuple[Shown[ModelCrossover], ...] = (
        text("Models", "models", lambda item: " and ".join(item.models)),
        text("Unit", "unit", lambda item: "FLOPs" if item.unit == "flops" else "USD"),
        text("Ahead at the end", "ahead", lambda item: item.ahead or "level"),
        interval("From this cost per problem on", "cost", _crossing),
        Shown(
            column=Column(title="The shorter curve ends at", key="reach"),
            entry=lambda item: Entry(text=amounts.format_amount(item.unit, item.reach), value=item.reach),
        ),
        Shown(
            column=Column(title="Not ahead (% of resamples)", key="absent", share=True),
            entry=lambda item: Entry(text=amounts.fixed(100 * item.absent), value=item.absent),
        ),
        count("n problems", "n", lambda item: item.n),
    )
    return table(
        shown,
        [item for measure in MEASURES for item in main_first(results, results.crossovers) if item.measure == measure],
        key="crossovers",
        title="Crossovers",
        caption="From which cost per problem the model stays ahead that is ahead at the end; from 0: from the first draw.",
        group_title="Measure",
        group=lambda item: MEASURES.get(item.measure, item.measure),
    )


class _Solved(NamedTuple):
    """A share of the problems and the one model that solved them; None for both or neither."""

    pair: ModelPair
    name: str
    share: Estimate
    model: str | None = None


def overlap(results: Results) -> Table:
    """Return the shares of problems that only one of two models, both, or neither solves."""
    marks = model_marks(results)
    shown: tuple[Shown[_Solved], ...] = (
        text("Solved by", "solved_by", lambda item: item.name),
        estimate("Problems (%)", "share", lambda item: item.share, numbers.percent, _NOTHING),
        problems(lambda item: item.share),
    )
    return table(
        shown,
        [item for pair in main_first(results, results.model_pairs) for item in _shares(pair)],
        key="overlap",
        title="Overlap of the problems solved",
        caption="At as many draws per problem as stand above each group. Shares are means of coverage, independent for a given problem.",
        group_title="Models, draws",
        group=lambda item: f"{place(results, item.pair)}: {_draws(item.pair)}",
        raw_group=lambda item: f"{place(results, item.pair, numbers.raw_per_problem)}: {_draws(item.pair)}",
        mark=lambda item: marks.get(item.model, NEUTRAL) if item.model else NEUTRAL,
        drawn="share",
        axis=axes.shares,
    )


def _side(item: _Measured, value: Estimate) -> Entry:
    return estimated(value, numbers.percent if item.in_shares else numbers.mean, _NOTHING)


def _difference(item: _Measured) -> Entry:
    return estimated(item.difference, numbers.points if item.in_shares else numbers.signed_mean, _NOTHING)


def _finding(item: _Measured) -> str:
    way = direction(item.difference, item.measure)
    if way is None:
        return amounts.MISSING
    left, right = item.pair.models
    return f"● {left} ahead" if way > 0 else f"■ {right} ahead" if way < 0 else "○ no difference found"


def _crossing(item: ModelCrossover) -> Entry:
    found = Estimate(value=item.cost, low=item.low, high=item.high, n=item.n)
    none = "level at the end" if item.ahead is None else "no crossover" if item.cost == 0 else ""
    return Entry(text=from_where(item), value=found, remark=none)


def _shares(pair: ModelPair) -> Iterator[_Solved]:
    for model, share in zip(pair.models, pair.only, strict=True):
        yield _Solved(pair, f"only {model}", share, model)
    yield _Solved(pair, "both", pair.both)
    yield _Solved(pair, "neither", pair.neither)


def _draws(pair: ModelPair) -> str:
    return ", ".join(f"{drawn(draws)} of {model}" for draws, model in zip(pair.draws, pair.models, strict=True))

"""Format a backtest for people and programs: text, JSON, a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from isocost.amounts import MINUS, MISSING, quantity
from isocost.backtesting import Backtest, Line, TargetResult, describe
from isocost.measuring.words import amount, markdown_table, name_cell, named_unit, spent
from isocost.metrics.diversity import SAME
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups
from isocost.predicting.asking import name_of
from isocost.records import Estimate, estimate_json
from isocost.reporting.charts import canvas, dots
from isocost.reporting.charts.dots import Dot
from isocost.reporting.marks import DECIDED, UNDECIDED, UNTRAINED, Mark
from isocost.reporting.numbers import decided, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEAD = ["policy", "models", "unreached", "cost", "cheaper by", "minus best uniform", "minus best other policy"]
_ROUNDS = (
    "A policy's cost is that to the end of the round in which it first reaches the target; seeds that never reach it count the cost of the "
    "whole table. Cheaper by: mean cost of the best uniform over that of the policy."
)


def backtest_markdown(found: Backtest, notes: Sequence[str]) -> str:
    """Return a backtest as Markdown: a table per target, then notes."""
    names = ", ".join(map(name_cell, found.models))
    parts = [
        f"{quantity(found.problems, 'problem')}, {quantity(found.draws, 'recorded draw')} of {names}; costs in {named_unit(found.unit)}."
    ]
    if isinstance(found.objective, KeptPerProblem):
        parts[0] += f" {SAME[found.distinct].capitalize()}."
    for of in found.targets:
        parts += [f"## {describe(found.objective, of.target)}", *_table(found, of)]
    parts.append(f"Means over {quantity(found.seeds, 'order')} of the recorded draws. {_ROUNDS} {_intervals(found)}")
    if notes:
        parts += ["## Warnings", "\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(parts)


def _intervals(found: Backtest) -> str:
    return (
        f"Intervals (95%) are over problems and orders, from {found.resamples:,} resamples of the problems; differences are paired: all "
        "policies get the same problems and orders."
    )


def _table(found: Backtest, of: TargetResult) -> Iterator[str]:
    if of.needed > of.possible:
        yield f"Out of reach: all draws of the table together reach {_sum(found, of.possible)}, and {_sum(found, of.needed)} are needed."
        return
    rows = [_HEAD, *(_row(line, found.unit) for line in of.lines)]
    yield f"{_sum(found, of.needed)} are needed. The best uniform draws from {name_cell(of.best_uniform or 'no model: none gets there')}."
    yield "\n".join(markdown_table(rows))


def _sum(found: Backtest, count: int) -> str:
    match found.objective:
        case Coverage() | MixedGroups():
            return f"{count:,} of {quantity(found.problems, 'problem')}"
        case KeptPerProblem():
            return f"{quantity(count, 'solution')} over {quantity(found.problems, 'problem')}"


def _row(line: Line, unit: str) -> list[str]:
    name = f"*{line.name}*" if line.is_bound else name_cell(line.name)
    other = f" ({name_cell(line.other)})" if line.other and line.minus_other.value is not None else ""
    return [
        name,
        ", ".join(map(name_cell, line.models)),
        f"{100 * line.unreached:.0f}%",
        _money(line.cost, unit),
        interval(line.ratio, factor=1, decimals=2),
        _signed(line.minus_uniform, unit),
        _signed(line.minus_other, unit) + other,
    ]


def _money(estimate: Estimate, unit: str) -> str:
    value, low, high = (spent(end or 0.0, unit) for end in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def _signed(estimate: Estimate, unit: str) -> str:
    if estimate.value is None:
        return MISSING
    value, low, high = ((MINUS if end < 0 else "+" if end > 0 else "") + spent(abs(end), unit) for end in _ends(estimate))
    return f"{value} [{low}, {high}]"


def _ends(estimate: Estimate) -> tuple[float, ...]:
    return tuple(0.0 if end is None else end for end in (estimate.value, estimate.low, estimate.high))


def backtest_json(found: Backtest, notes: Sequence[str]) -> dict[str, object]:
    """Return the object that `isocost backtest --json` prints; docs/backtest.md has its keys."""
    return {
        "objective": name_of(found.objective),
        "unit": found.unit,
        "distinct": found.distinct,
        "n_problems": found.problems,
        "models": list(found.models),
        "n_draws": found.draws,
        "seeds": found.seeds,
        "resamples": found.resamples,
        "targets": [
            {
                "target": of.target,
                "needed": of.needed,
                "possible": of.possible,
                "best_uniform": of.best_uniform,
                "policies": [_line_json(line) for line in of.lines],
            }
            for of in found.targets
        ],
        "warnings": list(notes),
    }


def _line_json(line: Line) -> dict[str, object]:
    return {
        "policy": line.name,
        "models": list(line.models),
        "is_bound": line.is_bound,
        "unreached": line.unreached,
        "cost": estimate_json(line.cost),
        "ratio": estimate_json(line.ratio),
        "minus_best_uniform": estimate_json(line.minus_uniform),
        "minus_best_other": estimate_json(line.minus_other),
        "best_other": line.other,
    }


def backtest_figure(found: Backtest) -> str | None:
    """Return an SVG file of the ratios to the best uniform, a group per target; None if no ratio is defined."""
    shown: list[Dot] = []
    for of in found.targets:
        shown.append(Dot(label=describe(found.objective, of.target)))
        for line in of.lines:
            if line.ratio.value is not None and line.name != "uniform":
                shown.append(Dot(label=line.name, text=interval(line.ratio, factor=1, decimals=2), estimate=line.ratio, mark=_mark(line)))
    if not any(dot.estimate for dot in shown):
        return None
    title = "Cost of the best uniform over that of each policy"

    def draw(axes: Axes) -> None:
        dots.draw(axes, shown, amount, title=f"{title.lower()}, log scale", log=True, include=[1.0])

    caption = f"{title}, with 95% intervals; 1 is the best uniform. {_intervals(found)}"
    return canvas.svg_file(canvas.to_svg(canvas.draw(draw, dots.height(shown)), "backtest", title, caption))


def _mark(line: Line) -> Mark:
    if line.is_bound:
        return UNTRAINED
    return DECIDED if _side(line.ratio) else UNDECIDED


def _side(ratio: Estimate) -> int | None:
    above = (None if end is None else end - 1.0 for end in (ratio.value, ratio.low, ratio.high))
    value, low, high = above
    return decided(Estimate(value=value, low=low, high=high, n=ratio.n), factor=1, decimals=2)

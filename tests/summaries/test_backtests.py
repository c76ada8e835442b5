"""A backtest as text, JSON and figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes

from isocost.backtesting import Backtest, backtest, buyers_of
from isocost.backtesting.pool import Pool
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.reporting.charts import dots
from isocost.reporting.charts.dots import Dot
from isocost.summaries.backtests import backtest_figure, backtest_json, backtest_markdown
from tests.backtesting.pools import simulated


@pytest.fixture(scope="module")
def pool() -> Pool:
    return simulated(np.array([[0.1, 0.6], [0.5, 0.9], [0.3, 0.4], [0.9, 0.9]]), 12)


@pytest.fixture(scope="module")
def unsolvable() -> Pool:
    """The same with a problem that no draw solves in the place of the last."""
    return simulated(np.array([[0.1, 0.6], [0.5, 0.9], [0.3, 0.4], [0.0, 0.0]]), 12)


def replayed(pool: Pool, objective: Objective, targets: list[float]) -> Backtest:
    return backtest(pool, buyers_of([], pool), objective, targets, seeds=3, resamples=3)


def test_each_target_has_a_table_with_a_row_per_policy_and_bound(pool: Pool) -> None:
    text = backtest_markdown(replayed(pool, Coverage(), [0.5, 0.75]), ["Few problems: 4."])
    assert text.count("## ") == 3
    assert "## 75% of problems covered\n\n3 of 4 problems are needed. The best uniform draws from weak." in text
    assert text.count("| uniform | ") == 2
    assert text.count("| *every pass rate known* | weak, strong | 0% | ") == 2
    assert text.endswith("## Warnings\n\n- Few problems: 4.")
    assert "Means over 3 orders of the recorded draws." in text


def test_a_target_out_of_reach_has_one_line(unsolvable: Pool) -> None:
    text = backtest_markdown(replayed(unsolvable, KeptPerProblem(most=2), [1.0, 2.0]), [])
    assert (
        "Out of reach: all draws of the table together reach 6 solutions over 4 problems, and 8 solutions over 4 problems are needed."
        in text
    )
    assert text.count("| uniform | ") == 1


@pytest.mark.parametrize(
    ("objective", "written"),
    [(Coverage(), "coverage"), (KeptPerProblem(most=2), "kept:2"), (MixedGroups(size=3), "mixed:3")],
)
def test_json_has_every_number_and_null_where_there_is_none(objective: Objective, written: str, unsolvable: Pool) -> None:
    found = backtest_json(replayed(unsolvable, objective, [0.5, 2.0 if isinstance(objective, KeptPerProblem) else 1.0]), ["a note"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["objective"], found["warnings"], found["n_problems"]) == (written, ["a note"], 4)
    reached, unreached = found["targets"]
    uniform = reached["policies"][0]
    assert uniform["policy"] == "uniform"
    assert uniform["ratio"]["value"] == 1.0
    assert unreached["best_uniform"] is None
    assert unreached["policies"][0]["ratio"] == {"value": None, "low": None, "high": None, "n": 4}


def test_the_figure_has_a_dot_for_each_ratio_but_that_of_uniform(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []  # labels; the file has them as outlines
    draw = dots.draw

    def watched(axes: Axes, shown: Sequence[Dot], *arguments: Any, **keywords: Any) -> None:
        drawn.extend(dot.label for dot in shown)
        draw(axes, shown, *arguments, **keywords)

    monkeypatch.setattr(dots, "draw", watched)
    figure = backtest_figure(replayed(pool, Coverage(), [0.5, 0.75])) or ""
    assert ElementTree.fromstring(figure).tag.endswith("svg")
    assert drawn.count("every pass rate known") == 2
    assert "uniform" not in drawn
    assert "75% of problems covered" in drawn


def test_no_ratio_no_figure(unsolvable: Pool) -> None:
    assert backtest_figure(replayed(unsolvable, Coverage(), [1.0])) is None

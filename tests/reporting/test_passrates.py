"""The figure of pass rates in the report."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from matplotlib.figure import Figure

from isocost.reporting import report
from isocost.reporting.charts.histograms import BINS
from isocost.reporting.passrates import pass_rates
from tests.reporting.builder import results

COUNTS = {"weak": (8, *range(10), 7), "strong": (2, *([0] * 9), 30, 28)}


def test_a_report_has_the_pass_rates_of_each_model_as_figure_and_csv() -> None:
    made = report(replace(results(), pass_rates=COUNTS))
    assert "pass_rates" in made.figures
    assert "Pass rates of the problems" in made.html
    assert "weak: of 60 problems 8 never, 7 always; strong: of 60 problems 2 never, 28 always" in made.html
    rows = list(csv.reader(io.StringIO(made.tables["pass_rates"])))
    assert rows[0][:3] == ["model", "never", "from_0_percent"]
    assert [row[1:] for row in rows[1:]] == [[str(n) for n in found] for found in COUNTS.values()]


def test_bars_are_shares_of_each_models_problems() -> None:
    found = pass_rates(replace(results(), pass_rates=COUNTS))
    assert found
    axes = Figure(layout="constrained").subplots()
    found.draw(axes)
    heights = [bar.get_height() for bar in axes.patches]
    assert len(heights) == 2 * BINS
    assert heights[0] == 8 / 60
    assert heights[-1] == 28 / 60


def test_a_study_without_them_has_no_such_figure() -> None:
    assert pass_rates(results()) is None
    assert "pass_rates" not in report(results()).figures

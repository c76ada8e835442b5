"""Runs side by side: the verdict of each, and every cell with what it cost."""

from dataclasses import replace

from isocost.reporting.comparing import cells_of_runs, comparison
from isocost.reporting.headline import headline
from tests.reporting.builder import results
from tests.reporting.test_report import HOSTILE, assert_rectangular


def test_each_run_has_its_verdict_and_a_row_per_cell() -> None:
    first, second = results(), replace(results(), study="other", cells=results().cells[:2], evaluations=(), comparisons=())
    text = comparison({"a": first, "b": second})
    assert f"- **a**: {headline(first)}" in text
    assert f"- **b**: {headline(second)}" in text
    table = cells_of_runs({"a": first, "b": second})
    assert [(name, len(rows)) for name, rows in table.groups()] == [("a", 6), ("b", 2)]
    assert_rectangular(text)
    solves = [column.title for column in table.columns].index("student solves (%) [95% interval]")
    assert [table.rows[i].entries[solves].text for i in (0, 6)] == ["29.0% [25.5, 32.5]", "–"]


def test_costs_of_all_runs_are_in_one_unit() -> None:
    cheap = replace(results(), cells=tuple(replace(cell, cost=replace(cell.cost, flops=1e9)) for cell in results().cells))
    titles = [column.title for column in cells_of_runs({"a": results(), "b": cheap}).columns]
    assert len([title for title in titles if "FLOPs" in title]) == 1
    assert "Cost per 1,000 problems (USD)" in titles


def test_names_stay_text() -> None:
    text = comparison({HOSTILE: results(), "b": replace(results(), study=HOSTILE)})
    assert "<script" not in text
    assert_rectangular(text)

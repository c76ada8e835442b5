"""CSV files hold raw numbers, so no word in them may name a scaled unit: all tables of a study that has everything."""

import csv
import io
import re
from dataclasses import replace

import pytest

from isocost.records import CellComparison, Estimate, Results
from isocost.reporting import numbers, report
from isocost.reporting.audits import audits
from isocost.reporting.background import background
from isocost.reporting.blocks import Table
from isocost.reporting.csvtables import table_csv
from isocost.reporting.curves import curves
from isocost.reporting.data import data
from isocost.reporting.money import money
from isocost.reporting.overview import overview
from isocost.reporting.published import published
from isocost.reporting.students import students
from tests.reporting.builder import estimate
from tests.reporting.curved import curved
from tests.reporting.test_audits import audited

SCALED = re.compile(r"[KMGTPEZY]FLOPs|%|\bpoints\b|h:mm|\d:\d\d:\d\d|\d s\b|\$|\bmillions?\b")
SECTIONS = (students, data, curves, audits, published, money, background)


def rich() -> Results:
    """Curves, audits, comparisons of cells in both measures, every unit."""
    study = curved("weak", "strong", "far")
    gap = Estimate(value=0.11, low=0.07, high=0.15, n=400)
    sides = {"left": "weak@low", "right": "strong@low"}
    mixed = replace(study.cells[2], measures={**study.cells[2].measures, "fpr/weak": estimate(0.1), "fpr/strong": estimate(0.2)})
    return replace(
        study,
        cells=(*study.cells[:2], mixed, *study.cells[3:]),
        pools={**audited().pools, "strong": {**study.pools["strong"], "fpr/steps": estimate(0.1), "fpr": estimate(0.1)}},
        cell_comparisons=tuple(CellComparison(measure=name, difference=gap, **sides) for name in ("covered", "kept_per_problem")),
    )


def tables() -> dict[str, Table]:
    sections = [section for make in SECTIONS if (section := make(rich()))]
    first = overview(rich())
    assert first is not None
    found = [first, *(table for section in sections for table in (*section.tables, *(figure.table for figure in section.figures)))]
    return {table.key: table for table in found}


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table_csv(tables()[name]))))


def test_every_table_is_looked_at() -> None:
    assert set(tables()) == set(report(rich()).tables)
    assert len(tables()) > 20


@pytest.mark.parametrize("name", sorted(report(rich()).tables))
def test_no_scaled_unit_stands_in_a_csv(name: str) -> None:
    found = list(csv.reader(io.StringIO(table_csv(tables()[name]))))
    assert [cell for row in found for cell in row if SCALED.search(cell) and name != "environment"] == []


@pytest.mark.parametrize("name", sorted(report(rich()).tables))
def test_a_column_that_people_read_in_percent_or_points_is_named_a_share(name: str) -> None:
    table = tables()[name]
    for i, column in enumerate(table.columns):
        values = [(row.entries[i], row.raw_group) for row in table.rows]
        percent = any("%" in entry.text for entry, _ in values) or "points" in column.title or "(%" in column.title
        assert column.kind == "text" or not percent or column.share or any("(shares)" in group for _, group in values), column.title


def test_amounts_stand_in_raw_units_with_their_names() -> None:
    ledger = {(row["unit"], row["model"]): row for row in rows("ledger")}
    assert float(ledger["Cost, FLOPs", "weak"]["kept"]) == pytest.approx(600 * 0.9e12)
    assert float(ledger["Engine time, seconds", "weak"]["kept"]) == pytest.approx(66.0)
    assert ledger["Samples", "weak"]["kept"] == "600"
    priced = rows("cost_per_truly_correct")
    assert [(row["unit"], row["per_correct"]) for row in priced] == [("FLOPs", "2100000000000.0"), ("USD", "0.0011")]
    assert rows("cells_bought")[0]["matching"].startswith(
        "Cost-matched at budget low: 1040000000000000.0 FLOPs, 2600000000000.0 FLOPs per problem"
    )
    assert rows("models_side_by_side")[0]["where"] == "low, 2600000000000.0 FLOPs per problem"
    assert rows("overlap")[0]["models_draws"].startswith("At budget low, 2600000000000.0 FLOPs per problem:")


def test_shares_are_shares_and_differences_name_their_unit() -> None:
    assert rows("cells_worth")[0]["covered_share"] == "0.62"
    assert rows("cells_worth")[0]["covered_share_low"] == "0.58"
    assert rows("cells_worth")[0]["covered_n"] == "400"
    assert [row["measure"] for row in rows("cell_differences")] == ["Covered (shares)", "Kept per problem (solutions)"]
    assert {row["measure"] for row in rows("models_side_by_side")} == {
        "Coverage (shares)",
        "Distinct correct solutions (solutions per problem)",
    }
    paper = rows("published")
    assert [row["paper_math_low_share"] for row in paper] == ["0.11", "0.86", "0.07", "0.06", "0.038", "0.058"]
    assert paper[2]["measure"] == "False positives, difference"
    assert paper[2]["paper_math_high_share"] == ""
    assert all(0 <= float(row["absent_share"]) <= 1 for row in rows("crossovers"))


def test_pages_keep_the_scaled_units() -> None:
    made = report(rich())
    for text in (made.html, made.markdown):
        assert "Cost, PFLOPs" in text
        assert "Engine time, h:mm:ss" in text
        assert "Coverage (%, difference in points)" in text


def test_differences_have_their_sign_whatever_they_count() -> None:
    texts = [row.entries[1].text for row in tables()["cell_differences"].rows]
    assert texts == ["+11.0 [+7.0, +15.0]", "+0.11 [+0.07, +0.15]"]


def test_one_column_of_time_has_one_form() -> None:
    said = numbers.clock([7.8, 65.9, None, 0.0])
    assert [said(amount) for amount in (7.8, 65.9, 3822.04, 0.0)] == ["0:00:07.8", "0:01:05.9", "1:03:42.0", "0:00:00.0"]
    assert numbers.clock([10.0, 59.6])(59.6) == "0:01:00"
    assert numbers.clock([0.02])(0.02) == "0:00:00.02"
    assert numbers.clock([])(0) == "0:00:00"
    for table in tables().values():
        for i, column in enumerate(table.columns):
            texts = [row.entries[i].text for row in table.rows if "h:mm:ss" in column.title or "h:mm:ss" in row.group]
            assert [text for text in texts if text.endswith(" s")] == []

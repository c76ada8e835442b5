from dataclasses import replace

import pytest

from isocost.records import CellComparison, Estimate
from isocost.reporting.published import CITATION, published
from tests.reporting.builder import results


def test_ours_is_relative_to_the_strong_data() -> None:
    table = published(results()).tables[0]
    kept = table.rows[1].entries[5].value
    cells = results().cells[:2]
    each = [(cell.measures["kept_per_problem"].value or 0) / (cell.measures["covered"].value or 0) for cell in cells]
    assert isinstance(kept, Estimate)
    assert kept.value == pytest.approx(each[0] / each[1] - 1)
    assert kept.low is not None
    assert kept.low < each[0] / each[1] - 1
    student = table.rows[3].entries[5].value
    assert isinstance(student, Estimate)
    assert (student.value, student.low, student.high) == pytest.approx((0.032 / 0.26, 0.011 / 0.26, 0.053 / 0.26))


@pytest.mark.parametrize(("left", "right", "sign"), [("weak@low", "strong@low", 1), ("strong@low", "weak@low", -1)])
def test_coverage_is_a_difference_in_points_on_the_same_problems(left: str, right: str, sign: int) -> None:
    assert published(results()).tables[0].rows[0].entries[5].remark == "not measured"
    difference = Estimate(value=sign * 0.1, low=sign * 0.1 - 0.03, high=sign * 0.1 + 0.03, n=500)
    compared = (CellComparison(left=left, right=right, measure="covered", difference=difference, detectable=0.04),)
    row = published(replace(results(), cell_comparisons=compared)).tables[0].rows[0]
    assert row.entries[5].text == "+10.0 [+7.0, +13.0]"
    assert [entry.text for entry in row.entries[:5]] == ["Coverage, points", "+11", "+6", "+8", "+1"]


def test_the_weak_side_is_the_cheaper_model_whatever_the_arms_are_called() -> None:
    study = results()
    turned = (study.cells[1], study.cells[0])
    assert published(replace(study, cells=turned)).tables[0].columns[5].title == "Ours, weak and strong at low [range]"


def test_without_a_pair_the_paper_stands_alone_and_says_so() -> None:
    section = published(replace(results(), cells=results().cells[2:3]))
    assert len(section.tables[0].columns) == 5
    assert "nothing of ours" in section.paragraphs[0]


def test_the_paper_is_cited_and_its_numbers_are_relative() -> None:
    section = published(results())
    assert CITATION in section.notes
    assert all(entry.text[0] in "+–a" for row in section.tables[0].rows for entry in row.entries[1:5])

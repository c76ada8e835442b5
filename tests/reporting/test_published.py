from dataclasses import replace

import pytest

from isocost.records import CellComparison, Estimate
from isocost.reporting.buying import turned
from isocost.reporting.published import CITATION, published
from tests.reporting.builder import results


def test_coverage_is_in_points_and_students_relative_to_the_strong_data() -> None:
    table = published(results()).tables[0]
    coverage = table.rows[0].entries[5].value
    assert isinstance(coverage, Estimate)
    assert coverage.value == pytest.approx(0.62 - 0.51)
    assert (coverage.low, coverage.high) == pytest.approx((0.58 - 0.55, 0.66 - 0.47))  # unpaired: from end to end
    paired = Estimate(value=0.11, low=0.07, high=0.15, n=400)
    both = CellComparison(left="strong@low", right="weak@low", measure="covered", difference=turned(paired))
    assert published(replace(results(), cell_comparisons=(both,))).tables[0].rows[0].entries[5].value == paired
    diversity = table.rows[1].entries[5].value
    assert isinstance(diversity, Estimate)
    assert diversity.value == pytest.approx((0.93 / 0.62) / (0.31 / 0.51) - 1)  # per solved problem
    student = table.rows[3].entries[5].value
    assert isinstance(student, Estimate)
    assert (student.value, student.low, student.high) == pytest.approx((0.032 / 0.26, 0.011 / 0.26, 0.053 / 0.26))


def test_the_weak_side_is_the_cheaper_model_whatever_the_arms_are_called() -> None:
    study = results()
    turned = (study.cells[1], study.cells[0])
    assert published(replace(study, cells=turned)).tables[0].columns[5].title == "Ours, weak and strong at low [range]"


def test_without_a_pair_there_is_no_section() -> None:
    assert published(replace(results(), cells=results().cells[2:3])) is None


def test_the_paper_is_cited_and_its_numbers_are_relative() -> None:
    section = published(results())
    assert CITATION in section.notes
    assert all(entry.text[0] in "+–a" for row in section.tables[0].rows for entry in row.entries[1:5])

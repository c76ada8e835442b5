from dataclasses import replace

import pytest

from isocost.records import Estimate
from isocost.reporting.published import CITATION, published
from tests.reporting.builder import results


def test_ours_is_relative_to_the_strong_data() -> None:
    table = published(results()).tables[0]
    coverage = table.rows[0].entries[5].value
    assert isinstance(coverage, Estimate)
    assert coverage.value == pytest.approx(0.62 / 0.51 - 1)
    assert coverage.low == pytest.approx(0.58 / 0.55 - 1)
    student = table.rows[3].entries[5].value
    assert isinstance(student, Estimate)
    assert (student.value, student.low, student.high) == pytest.approx((0.032 / 0.26, 0.011 / 0.26, 0.053 / 0.26))


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

from dataclasses import replace

import pytest

from isocost.records import ALL_STUDENTS, CellResult, Comparison, Cost, Results
from isocost.reporting.headline import data_finding, headline, students_finding, support
from tests.reporting.builder import cell, comparison, results

PLANNED = "At a planned 2.6 TFLOPs per problem, "
REALISED = " Realised cost per problem: weak 2.8 TFLOPs, strong 2.6 TFLOPs."


def compared(*comparisons: Comparison) -> Results:
    return replace(results(), comparisons=comparisons)


def test_left_is_better() -> None:
    assert headline(compared(comparison("student", "distillation", 0.011, 0.053))) == (
        f"{PLANNED}buy from weak: data from weak made a better student than data from strong: student +3.2 points [+1.1, +5.3].{REALISED}"
    )


def test_right_is_better_and_its_gain_is_positive() -> None:
    assert headline(compared(comparison("student", "distillation", -0.053, -0.011))) == (
        f"{PLANNED}buy from strong: data from strong made a better student than data from weak: student +3.2 points [+1.1, +5.3].{REALISED}"
    )


def test_no_difference_says_what_could_have_been_seen() -> None:
    assert headline(compared(comparison("student", "distillation", -0.012, 0.020))) == (
        f"{PLANNED}no difference found between data from weak and data from strong: student (−1.2 to +2.0 points); this run could "
        "detect 2.9 points; 25,782 more test problems would tell them apart four times in five." + REALISED
    )


def test_students_that_disagree() -> None:
    said = headline(
        compared(
            comparison("student", "distillation", 0.01, 0.03),
            comparison("weak", "self-improvement", -0.03, -0.01),
            comparison("strong", "weak-to-strong improvement", -0.01, 0.01),
        )
    )
    assert said == (
        f"{PLANNED}it depends on the student: data from weak was better for student +2.0 points [+1.0, +3.0], "
        "data from strong for weak +2.0 points [+1.0, +3.0]; "
        "no difference found for strong (−1.0 to +1.0 points); this run could detect 2.9 points." + REALISED
    )


def together(low: float, high: float, *each: tuple[float, float]) -> Results:
    """Three students with these intervals, and their mean."""
    names = ("student", "weak", "strong")
    own = (comparison(name, "distillation", *ends) for name, ends in zip(names, each, strict=True))
    return compared(replace(comparison(ALL_STUDENTS, "distillation", low, high), setup=None, detectable=0.018), *own)


def test_several_students_decide_by_their_mean() -> None:
    said = headline(together(-0.03, -0.01, (-0.05, 0.01), (-0.04, 0.02), (-0.06, 0.0)))
    assert said == (
        f"{PLANNED}buy from strong: data from strong made better students than data from weak, +2.0 points [+1.0, +3.0] on average over "
        f"3 students.{REALISED}"
    )


def test_one_training_seed_is_mentioned_and_several_are_not() -> None:
    one = together(-0.03, -0.01, (-0.05, 0.01), (-0.04, 0.02), (-0.06, 0.0))
    for seeds, is_mentioned in ((1, True), (3, False), (None, False)):
        said = headline(replace(one, comparisons=tuple(replace(each, seeds=seeds) for each in one.comparisons)))
        sentence = "This rests on 500 test problems and one training seed: variance between seeds is not in the interval."
        assert (sentence in said) is is_mentioned


def test_the_section_on_students_has_the_difference_of_each_beside_the_mean() -> None:
    decided = together(-0.03, -0.01, (-0.05, 0.01), (-0.04, 0.02), (-0.06, 0.0))
    assert students_finding(decided) == (
        "Data from strong made better students than data from weak, +2.0 points [+1.0, +3.0] on average over 3 students "
        "(student +2.0 [−1.0, +5.0], weak +1.0 [−2.0, +4.0], strong +3.0 [0.0, +6.0])."
    )
    open_ = together(-0.01, 0.02, (0.01, 0.04), (-0.04, 0.02), (-0.03, 0.03))
    assert students_finding(open_) == (
        "No difference found between data from weak and data from strong on average over 3 students (−1.0 to +2.0 points); this run could "
        "detect 1.8 points (student +2.5 [+1.0, +4.0], weak −1.0 [−4.0, +2.0], strong 0.0 [−3.0, +3.0])."
    )


def test_one_student_of_several_does_not_decide_alone() -> None:
    said = headline(together(-0.01, 0.02, (0.01, 0.04), (-0.04, 0.02), (-0.03, 0.03)))
    assert "buy from" not in said
    assert (
        "no difference found between data from weak and data from strong on average over 3 students (−1.0 to +2.0 points); this run could "
        "detect 1.8 points; "
    ) in said
    assert "more test problems would tell them apart" in said


def test_a_mean_near_zero_does_not_hide_students_that_disagree() -> None:
    said = headline(together(-0.01, 0.01, (0.01, 0.05), (-0.05, -0.01), (-0.02, 0.02)))
    assert "it depends on the student: data from weak was better for student" in said
    assert "all students" not in said


def test_some_students_better_others_undecided() -> None:
    assert "made a better student than data from strong in 1 of 3 students" in headline(results())


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.05), (-0.05, 0.0), (0.0004, 0.05), (-0.05, -0.0004), (-0.2, 0.9)])
def test_an_interval_that_holds_zero_as_printed_is_never_a_difference(low: float, high: float) -> None:
    assert "no difference found" in headline(compared(comparison("student", "distillation", low, high)))


def test_a_comparison_written_the_other_way_round_is_turned() -> None:
    turned = replace(comparison("weak", "self-improvement", -0.05, -0.01), left="strong@low", right="weak@low")
    said = headline(compared(comparison("student", "distillation", 0.01, 0.05), turned))
    assert "data from weak made a better student than data from strong in 2 of 2 students" in said


def test_differences_between_untrained_and_trained_do_not_make_the_headline() -> None:
    only = compared(replace(comparison("student", "distillation", 0.09, 0.13), right=None))
    assert "student" not in headline(only)


def without_training(*cells: CellResult) -> Results:
    return replace(results(), cells=cells, evaluations=(), comparisons=())


def test_without_training_the_data_are_compared() -> None:
    said = headline(without_training(cell("weak", "low", {"weak": 3.0}, 0.62, 2.6), cell("strong", "low", {"strong": 1.0}, 0.51, 2.6)))
    assert said == (
        "At a planned and realised 2.6 TFLOPs per problem, data from weak covers more problems than data from strong: "
        "weak@low 62.0% [58.0, 66.0] of 400, strong@low 51.0% [47.0, 55.0] of 400."
    )


def test_overlapping_coverage_is_no_difference() -> None:
    said = headline(without_training(cell("weak", "low", {"weak": 3.0}, 0.62, 2.6), cell("strong", "low", {"strong": 1.0}, 0.58, 2.6)))
    assert "no difference found in coverage, the intervals overlap" in said


def test_cells_that_are_not_matched_in_cost_are_said_to_be_so() -> None:
    said = headline(without_training(cell("weak", None, {"weak": 1.0}, 0.41, 0.9), cell("strong", None, {"strong": 1.0}, 0.51, 2.6)))
    assert said.startswith("Not at equal cost: data from strong@number covers more problems")


def test_one_cell_and_none() -> None:
    assert "nothing to compare it with" in headline(without_training(cell("weak", "low", {"weak": 3.0}, 0.62, 2.6)))
    assert headline(without_training()) == "No data was bought, so there is nothing to compare."


def test_the_data_are_compared_with_strayed_costs_and_arms_that_were_measured_only() -> None:
    said = support(results())
    assert data_finding(results()).startswith("Data from weak covers more problems")
    strayed = "Realised cost strayed from the budget: weak@low +9.0%, strong@low 0.0%"
    assert said[0] == f"{strayed} (basis planned is an estimate; basis: realised and limit are hard)."
    assert any("(budget wide): no difference found in coverage" in sentence for sentence in said)
    assert any("number-matched, not equal cost" in sentence for sentence in said)


def test_unknown_realised_cost_is_not_reported_as_strayed() -> None:
    study = results()
    blind = tuple(replace(one, cost=Cost()) for one in study.cells)
    assert not any("Realised" in sentence for sentence in support(replace(study, cells=blind)))


def test_planned_is_said_of_what_is_planned_only() -> None:
    study = without_training(cell("weak", "low", {"weak": 3.0}, 0.62, 2.6), cell("strong", "low", {"strong": 1.0}, 0.51, 2.6))
    spent = replace(study, cells=tuple(replace(each, plan=replace(each.plan, basis="realised")) for each in study.cells))
    assert headline(spent).startswith("At 2.6 TFLOPs per problem, data from weak covers")
    blind = replace(study, cells=tuple(replace(each, cost=Cost()) for each in study.cells))
    assert headline(blind).startswith("At a planned 2.6 TFLOPs per problem, data from weak covers")

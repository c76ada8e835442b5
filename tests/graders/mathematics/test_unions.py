import pytest

from isocost.graders.math import MathGrader
from isocost.graders.mathematics.ranges import Interval
from isocost.graders.mathematics.unions import excluded, merged, without
from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x\\ne 7", "(-\\infty,7)\\cup(7,\\infty)"),
        ("x\\ne 7", "\\text{all real numbers except }7"),
        ("\\text{all real numbers except 7}", "\\mathbb{R}\\setminus\\{7\\}"),
        ("x \\ne 7 \\text{ and } x \\ne -1", "\\text{all reals other than } -1 \\text{ and } 7"),
        ("x \\ne \\pm\\sqrt{2}", "(-\\infty,-\\sqrt{2})\\cup(-\\sqrt{2},\\sqrt{2})\\cup(\\sqrt{2},\\infty)"),
        ("\\{t \\mid t \\ne 0\\}", "(-\\infty,0)\\cup(0,\\infty)"),
        ("[1,6]", "[1,4]\\cup[4,6]"),
        ("[1,6)", "[1,4]\\cup(2,6)"),
        ("[1,6]", "[1,4)\\cup\\{4\\}\\cup(4,6]"),
        ("(-\\infty,\\infty)", "(-\\infty,3]\\cup(3,\\infty)"),
        ("\\{1,2\\}", "\\{2\\}\\cup\\{1\\}"),
        ("[0,1]", "[0,1]\\cup\\emptyset"),
    ],
)
def test_one_set_of_numbers_in_two_writings(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x\\ne 7", "x\\ne 6"),
        ("x\\ne 7", "y\\ne 7"),
        ("x\\ne 7", "7"),
        ("x\\ne 7", "(-\\infty,7]\\cup[7,\\infty)"),
        ("x\\ne 7", "\\text{all real numbers}"),
        ("[1,6]", "[1,4)\\cup(4,6]"),
        ("[1,6]", "[1,4]\\cup[5,6]"),
        ("[1,6]", "[1,4]\\cup[4,6)"),
    ],
)
def test_sets_that_differ_in_a_point(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("intervals", "fewest"),
    [
        ([("2", "3", "()"), ("0", "1", "()")], [("0", "1", "()"), ("2", "3", "()")]),
        ([("0", "2", "[]"), ("1", "2", "()")], [("0", "2", "[]")]),
        ([("0", "2", "()"), ("0", "2", "[]")], [("0", "2", "[]")]),
        ([("a", "b", "()")], None),
        ([("2", "1", "()")], None),
    ],
)
def test_a_union_as_the_fewest_intervals(intervals: list[Interval], fewest: list[Interval] | None) -> None:
    assert merged(intervals) == fewest


def test_points_that_are_left_out() -> None:
    assert excluded("x \\ne 3, x \\ne 1/2") == ("x", ["3", "1/2"])
    assert excluded("x \\ne y") is None
    assert excluded("(-\\infty, \\infty) - 3") is None
    assert without(["3", "1/2", "6/2"]) == [("-\\infty", "1/2", "()"), ("1/2", "3", "()"), ("3", "\\infty", "()")]


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        (r"\{-1\} \cup [2,\infty)", r"x = -1 \text{ or } x \ge 2"),
        (r"x = -1 \text{ or } x \ge 2", r"\{-1\} \cup [2,\infty)"),
        (r"(-\infty,-3]\cup\{1\}", r"x \le -3 \text{ or } x = 1"),
    ],
)
def test_a_point_beside_an_interval_is_that_of_a_case(reference: str, answer: str) -> None:
    assert MathGrader().grade(reference, f"\\boxed{{{answer}}}").correct is True

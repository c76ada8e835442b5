import pytest

from isocost.graders.base import AnswerGrader
from isocost.graders.math import MathGrader
from isocost.graders.mathematics.tidy import tidy
from isocost.graders.number import NumberGrader


@pytest.mark.parametrize(
    "text",
    [
        "\\text{all real numbers greater than }2",
        "\\text{all real numbers except }2",
        "\\text{all reals}",
        "\\text{about 5}",
        "\\text{approximately } 5",
        "\\text{about }5\\text{ cm}",
        "\\text{infinity}",
        "\\$5 \\text{ million dollars}",
        "5 \\text{ percent of it}",
        "\\text{answer: } 5",
        "5^{\\text{th}}",
    ],
)
def test_no_rule_takes_one_brace_of_a_pair(text: str) -> None:
    found = tidy(text)
    assert found.replace("\\{", "").count("{") == found.replace("\\}", "").count("}")
    assert MathGrader().grade(text, f"\\boxed{{{text}}}").correct is True


@pytest.mark.parametrize("grader", [MathGrader(), NumberGrader()], ids=["math", "number"])
@pytest.mark.parametrize(
    "answer", ["7^{\\text{th}}", "7^{th}", "7\\text{th}", "7th", "\\underline{7}", "\\underline{\\underline{7}}", "\\emph{7}"]
)
def test_ordinals_and_underlines_are_decoration(grader: AnswerGrader, answer: str) -> None:
    assert grader.grade("7", f"\\boxed{{{answer}}}").correct is True


@pytest.mark.parametrize("answer", ["7^{t}", "7^{n}", "7t", "\\overline{7}"])
def test_exponents_and_variables_are_none(answer: str) -> None:
    assert MathGrader().grade("7", f"\\boxed{{{answer}}}").correct is False


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("{90^\\circ}", "90^\\circ"),
        ("{5.4 \\text{ cents}}", "5.4 \\text{ cents}"),
        ("{{x=5}}", "x=5"),
        ("{(1,2)}", "(1,2)"),
        ("\\text{(C)}.", "(C)"),
        ("{\\text{(C)}}", "(C)"),
    ],
)
def test_groups_around_an_answer(text: str, normal: str) -> None:
    assert tidy(text) == tidy(normal)


@pytest.mark.parametrize("text", ["{x : x>5}", "{1,2}", "{n \\choose 2}", "{1}{2}", "\\{5\\}"])
def test_groups_that_are_more(text: str) -> None:
    assert tidy(text).startswith(("{", "\\{"))

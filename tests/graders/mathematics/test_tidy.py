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

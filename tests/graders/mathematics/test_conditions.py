r"""Answers with a condition are compared by their values and their conditions."""

import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("2x+2 \\text{ for } x>0", "2(x+1) \\text{ for } 0<x"),
        ("f(x)=2x \\text{ for } x>0", "2x \\text{ for all } x>0"),
        ("2x \\quad (x>0)", "2x, x>0"),
        ("\\frac{1}{x} \\text{ for } x\\ne0", "\\frac1x, x\\neq0"),
        ("0 \\text{ if } x<0, x \\text{ if } x\\ge 0", "x \\text{ if } x\\ge 0, 0 \\text{ if } x<0"),
        ("a^2 \\text{ provided that } a\\ne1", "a \\cdot a \\text{ for } a \\neq 1"),
        ("\\text{Yes, if } n=3", "\\text{Yes if } n=3"),
        ("f(x)=cx \\text{ for some } c>0", "f(x)=cx \\text{ for } c>0"),
    ],
)
def test_equal(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("f(x)=2x \\text{ for } x>0", "f(x)=3x \\text{ for } x>0"),
        ("2x (x>0)", "3x (x>0)"),
        ("2x for x>0", "3x for x>0"),
        ("3 \\text{ if } x>0", "4 \\text{ if } x>0"),
        ("x=2 \\text{ if } a>0", "x=3 \\text{ if } a>0"),
        ("5 \\text{ when } n=3", "5 \\text{ when } n=4"),
        ("2x \\text{ for } x>0", "2x \\text{ for } y>0"),
        ("0 \\text{ if } x<0, x \\text{ if } x\\ge 0", "0 \\text{ if } x\\ge 0, x \\text{ if } x<0"),
        ("a^2 \\text{ provided } a\\ne1", "2a^2 \\text{ provided } a\\ne1"),
    ],
)
def test_different(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)

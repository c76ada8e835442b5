r"""Sets of numbers in a range: their head and the set that they are taken from count."""

import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("(2,\\infty)", "\\{x\\in\\mathbb{R} : x>2\\}"),
        ("(2,\\infty)", "\\{y \\mid y>2\\}"),
        ("\\{x : x<1 \\text{ or } x>2\\}", "(-\\infty,1)\\cup(2,\\infty)"),
        ("\\{x\\in\\mathbb{Z} : x>2\\}", "\\{n\\in\\mathbb{Z} : 2<n\\}"),
        ("\\{1/x : x>2\\}", "\\{\\frac1t : t>2\\}"),
        ("(0,\\pi)", "\\{\\theta : 0<\\theta<\\pi\\}"),
        ("n\\ge3, n\\in\\mathbb{Z}", "n\\ge3"),
        ("x>2, x\\in\\mathbb{R}", "(2,\\infty)"),
        ("k\\pi, k\\in\\mathbb{Z}", "n\\pi, n\\in\\mathbb{Z}"),
        ("k\\pi", "k\\pi, k\\in\\mathbb{Z}"),
    ],
)
def test_equal(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("(2,\\infty)", "\\{x\\in\\mathbb{Z} : x>2\\}"),
        ("(2,\\infty)", "\\{1/x : x>2\\}"),
        ("\\{-x : x>2\\}", "(2,\\infty)"),
        ("\\{2x : x<1 \\text{ or } x>2\\}", "(-\\infty,1)\\cup(2,\\infty)"),
        ("\\{x\\in\\mathbb{N} : x<5\\}", "x<5"),
        ("\\{x\\in\\mathbb{Z} : x>2\\}", "\\{x\\in\\mathbb{N} : x>2\\}"),
        ("\\{(x,y) : x>y\\}", "\\{(y,x) : x>y\\}"),
        ("\\{n : n>2\\}", "\\{5 : n>2\\}"),
        ("\\{x : x>2\\}", "\\{x : y>2\\}"),
        ("(2,\\infty)", "x>2, x\\in\\mathbb{Z}"),
        ("(2,\\infty)", "x>2 \\text{ where } x \\text{ is an integer}"),
        ("k\\pi, k\\in\\mathbb{Z}", "k\\pi, k\\in\\mathbb{N}"),
    ],
)
def test_different(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("0\\le\\theta<2\\pi", "[0,2\\pi)"),
        ("\\theta\\in(0,\\pi)", "0<\\theta<\\pi"),
        ("|\\theta|<3", "(-3,3)"),
        ("x<\\theta", "(-\\infty,\\theta)"),
        ("\\alpha<\\beta", "\\beta>\\alpha"),
    ],
)
def test_greek_ranges(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("0\\le\\theta<2\\pi", "[0,2\\pi]"),
        ("0<\\theta<\\pi", "0<\\phi<\\pi"),
        ("\\lambda>2", "\\mu>2"),
        ("\\alpha<\\beta", "\\alpha>\\beta"),
        ("\\theta\\in(0,\\pi)", "\\theta\\in[0,\\pi)"),
    ],
)
def test_other_greek_ranges(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)

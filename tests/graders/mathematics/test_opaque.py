r"""Derivatives and values of functions are no products."""

import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("u'v+uv'", "uv'+u'v"),
        ("xy'=y", "y=xy'"),
        ("y'-3y=0", "y'=3y"),
        ("y''+y=0", "y''=-y"),
        ("\\frac{dy}{dx}", "dy/dx"),
        ("\\frac{\\partial f}{\\partial x}+1", "1+\\frac{\\partial f}{\\partial x}"),
        ("E(X^2)-E(X)^2", "-E(X)^2+E(X^2)"),
        ("2E(X)+1", "1+2E[X]"),
        ("p(x+1)+p(x)", "p(x)+p(1+x)"),
        ("P(A)+P(B)-P(A\\cap B)", "P(B)+P(A)-P(A\\cap B)"),
        ("2f'(x)+1", "1+2f'(x)"),
        ("f(2x)", "f(x\\cdot 2)"),
        ("x(x+1)", "x^2+x"),
        ("a(b+c)", "ab+ac"),
        ("a(2)", "2a"),
        ("x(y+z)(2)", "2xy+2xz"),
        ("\\pi(2)^2", "4\\pi"),
    ],
)
def test_equal(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("u'v+uv'", "u'v'+uv"),
        ("\\frac{u'v-uv'}{v^2}", "\\frac{uv'-u'v}{v^2}"),
        ("xy'=y", "xy=y'"),
        ("A'B", "AB'"),
        ("y''+y=0", "y'+y=0"),
        ("x'y''", "x''y'"),
        ("E(X^2)", "E(X)^2"),
        ("\\mathbb{E}[X^2]", "\\mathbb{E}[X]^2"),
        ("\\text{Var}(2X)", "2\\text{Var}(X)"),
        ("p(2x)", "2p(x)"),
        ("v(2t)", "2v(t)"),
        ("f(x+1)", "f(x)+1"),
        ("P(A|B)", "P(B|A)"),
        ("x(t)", "xt"),
        ("d(n)", "n(d)"),
        ("p(2)-p(1)", "p(1)"),
        ("\\frac{\\partial f}{\\partial x}", "\\frac{\\partial f}{\\partial y}"),
        ("\\frac{\\partial^2 f}{\\partial x\\partial y}", "\\frac{\\partial^2 f}{\\partial x^2}"),
    ],
)
def test_different(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize("text", ["f(" * 300 + "x" + ")" * 300, "f(" * 450, "f(x)" * 200, "u'" * 400, "p(x)p(y)" * 90])
def test_takes_any_nesting(text: str) -> None:
    assert not is_correct("2f(x)", text)

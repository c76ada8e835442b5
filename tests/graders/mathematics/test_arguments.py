import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\cos\\frac\\pi3", "\\frac12"),
        ("\\tan\\frac\\pi{12}", "2-\\sqrt3"),
        ("2\\cos\\frac\\pi9", "2\\cos\\frac{\\pi}{9}"),
        ("\\sin\\frac\\pi6", "1/2"),
        ("\\sqrt3\\sin\\frac\\pi4", "\\frac{\\sqrt6}{2}"),
        ("\\ln\\frac12", "-\\ln 2"),
        ("\\sin\\frac x2", "\\sin\\left(\\frac{x}{2}\\right)"),
        ("\\sin\\frac\\theta2", "\\sin(\\theta/2)"),
        ("\\sin^2\\frac\\pi8", "\\frac{2-\\sqrt2}{4}"),
        ("\\log_2\\frac18", "-3"),
        ("\\arctan\\frac12", "\\arctan(0.5)"),
        ("\\sin\\frac{5\\pi}6", "0.5"),
        ("\\frac{\\sin\\frac\\pi3}{2}", "\\frac{\\sqrt3}{4}"),
        ("\\arcsin\\frac{\\sqrt3}2", "\\frac\\pi3"),
        ("e^{\\frac\\pi2}", "e^{\\pi/2}"),
        ("\\cos\\frac{\\pi}3", "\\frac12"),
        ("\\cos \\frac \\pi 3", "\\frac12"),
        ("\\cot\\frac\\pi8", "1+\\sqrt2"),
        ("2^{\\frac n2}", "\\sqrt{2}^n"),
        ("\\frac\\alpha\\beta", "\\alpha/\\beta"),
    ],
)
def test_arguments_of_a_fraction_need_no_braces(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\cos\\frac\\pi3", "\\frac13"),
        ("\\tan\\frac\\pi{12}", "2+\\sqrt3"),
        ("\\sin\\frac x2", "\\frac{\\sin x}{2}"),
        ("\\frac\\pi{12}+1", "\\frac{\\pi}{1}2+1"),
    ],
)
def test_arguments_without_braces_end_where_tex_ends_them(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)

r"""The case of letters counts in expressions and in symbols of units, not in words."""

import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\Delta+1", "1+\\Delta"),
        ("\\Delta x", "x\\Delta"),
        ("\\Gamma(n+1)", "\\Gamma(1+n)"),
        ("\\lambda_1+\\Lambda", "\\Lambda+\\lambda_1"),
        ("4abc", "4 a b c"),
        ("abc/(a+b)", "\\frac{abc}{a+b}"),
        ("Red Fox", "red fox"),
        ("\\text{Alice and Bob}", "Alice and bob"),
        ("\\text{North-East}", "north-east"),
        ("5 apples", "5 Apples"),
        ("2 1/3 \\text{ apples}", "7/3 \\text{ apples}"),
        ("1 1/2 pizzas", "1.5 pizzas"),
    ],
)
def test_same_letters(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\Omega", "\\omega"),
        ("\\Delta", "\\delta"),
        ("2\\Pi+1", "2\\pi+1"),
        ("\\Gamma", "\\gamma"),
        ("3\\Psi", "3\\psi"),
        ("4abc", "4ABC"),
        ("abc/(a+b)", "ABC/(A+B)"),
        ("abc+1", "ABC+1"),
        ("xyz^2", "XYZ^2"),
        ("1 1/2 pizzas", "11/2 pizzas"),
        ("3 1/4 cookies", "31/4 cookies"),
        ("12 apples", "1 2 apples"),
    ],
)
def test_other_letters(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("5\\text{ mL}", "5\\text{ ml}"),
        ("5\\text{ KG}", "5\\text{ kg}"),
        ("5\\text{ CM}", "5\\text{ cm}"),
        ("5\\text{ Hz}", "5\\text{ hz}"),
        ("5\\text{ kPa}", "5\\text{ kpa}"),
        ("5\\text{ N m}", "5\\text{ Nm}"),
        ("5\\text{ Mm}", "5000\\text{ km}"),
        ("5\\text{ Feet}", "5\\text{ ft}"),
        ("5", "5\\text{ seventh graders}"),
        ("5", "5\\text{ months}"),
    ],
)
def test_same_units(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("5\\text{ nm}", "5\\text{ Nm}"),
        ("5\\text{ nm}", "5\\text{ NM}"),
        ("5\\text{ ML}", "5\\text{ mL}"),
        ("0.5\\text{ M}", "50\\text{ cm}"),
        ("5\\text{ Ms}", "5\\text{ ms}"),
        ("5\\text{ H}", "5\\text{ h}"),
        ("5", "5\\text{ sevenths}"),
        ("5", "5\\text{ twelfths}"),
        ("5", "5 elevenths"),
        ("5", "5\\text{ thirty-seconds}"),
    ],
)
def test_other_units(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)

r"""Answers that look like the reference and are another one."""

import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("y'=y", "y"),
        ("\\frac{dP}{dt}=kP(1-P)", "kP(1-P)"),
        ("f'(x)=3f(x)", "3f(x)"),
        ("\\dot{x}=-kx", "-kx"),
        ("x'(t)=3t", "y'(t)=3t"),
        ("\\frac{dV}{dt}=5", "\\frac{dy}{dt}=5"),
        ("\\ddot x=-9.8", "\\ddot y=-9.8"),
        ("y'=2x", "\\frac{dy}{dt}=2x"),
        ("y'=2x", "\\frac{dx}{dy}=2x"),
    ],
)
def test_derivatives(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"), [("0,5", "0,05"), ("0,05", "0,5"), ("0,25", "0,025"), ("0,5", "0,05 \\text{ m}"), ("1,5", "1,05")]
)
def test_decimal_commas(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("0,3", "0<x<3"),
        ("0<x<3", "0,3"),
        ("1,2", "\\{x : 1<x<2\\}"),
        ("x=2 \\text{ or } x=5", "x \\in (2,5)"),
        ("(2,5)", "2 \\text{ or } 5"),
    ],
)
def test_lists_against_intervals(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [("12:00", "5:0"), ("12:00", "120:00"), ("3:00", "7:0"), ("3:05", "6:10")],
)
def test_times_against_ratios(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("xy", "y'=xy"),
        ("y'=y", "y'=y"),
        ("y'=2x", "\\frac{dy}{dx}=2x"),
        ("\\dot{x}=3t", "x'(t)=3t"),
        ("y'=2t", "\\frac{dy}{dt}=2t"),
        ("0,05", "0.05"),
        ("0,5", "0,50"),
        ("(1,2)", "x=1,y=2"),
        ("(1,2)", "1,2"),
        ("5:12", "5/12"),
        ("5/12", "10:24"),
        ("5:12", "10:24"),
    ],
)
def test_what_is_still_accepted(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("x=1,y=2", "(y,x)=(1,2)"),
        ("(b,a)=(3,4)", "a=3, b=4"),
        ("y(x)=x^2", "x(y)=x^2"),
        ("(2,-2)", "\\pm 2"),
        ("2024-03-05", "2024-05-03"),
        ("2024-03-05", "2016"),
        ("0x1F", "0x1E"),
        ("3\\times4\\text{ matrix}", "4\\times3\\text{ matrix}"),
        ("204_5", "204_50"),
        ("e", "1.001^{1000}"),
        ("1000\\sqrt e", "1000(1.005)^{100}"),
    ],
)
def test_names_labels_and_roundings(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("x=1,y=2", "(y,x)=(2,1)"),
        ("(a,b)=(3,4)", "b=4, a=3"),
        ("0x1F", "0x1f"),
        ("10-3", "7"),
        ("\\pm2", "2,-2"),
        ("204_{16}", "204_16"),
        ("\\pi-3", "3.1416-3"),
        ("e^2", "2.7183^2"),
    ],
)
def test_accepted_beside_them(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("2x \\text{ for } x>0", "3x \\text{ for } x>0"),
        ("f(x)=2x \\text{ for } x>0", "f(x)=2x \\text{ for } x>1"),
        ("x=2 \\text{ if } a>0", "x=3 \\text{ if } a>0"),
        ("3n \\text{ where } n\\ge 2", "4n \\text{ where } n\\ge 2"),
    ],
)
def test_values_under_a_condition(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("2x \\text{ for } x>0", "2x \\text{ if } x>0"),
        ("2x \\text{ for } x>0", "x+x, \\text{ when } 0<x"),
        ("f(x)=2x \\text{ for } x>0", "f(x)=x+x \\text{ for } x>0"),
        ("x=2 \\text{ if } a>0", "2 \\text{ if } a>0"),
    ],
)
def test_a_condition_in_other_words_is_none(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        ("k\\pi, k\\in\\mathbb{Z}", "k\\pi, k\\in\\mathbb{N}", False),
        ("2n+1, n\\in\\mathbb{N}", "2n+1, n\\in\\mathbb{Z}", False),
        ("k\\pi, k\\in\\mathbb{Z}", "n\\pi, n\\in\\mathbb{Z}", True),
        ("k\\pi, k\\in\\mathbb{Z}", "k\\pi", True),
        ("\\Omega", "\\omega", False),
        ("2\\Pi+1", "2\\pi+1", False),
        ("\\Delta x+1", "\\delta x+1", False),
        ("2\\Delta+1", "1+2\\Delta", True),
        ("n!", "\\Gamma(n+1)", True),
        ("4abc", "4ABC", False),
        ("abc/(a+b)", "ABC/(A+B)", False),
        ("abc+1", "ABC+1", False),
        ("dark blue", "Dark Blue", True),
        ("twenty-one", "Twenty-one", True),
        ("5 widgets", "5 Widgets", True),
        ("1 1/2 \\text{ pizzas}", "11/2 \\text{ pizzas}", False),
        ("1 1/2 \\text{ pizzas}", "3/2 \\text{ pizzas}", True),
        ("12 apples", "1 2 apples", False),
        ("2024-03-05", "2024-05-03", False),
        ("2024-03-05", "2016", False),
        ("2016", "2024-8", True),
        ("0x1F", "0x1E", False),
        ("0x1F", "0", False),
    ],
)
def test_names_words_and_dates(reference: str, answer: str, expected: bool) -> None:
    assert is_correct(reference, answer) is expected


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        ("5\\text{ nm}", "5\\text{ Nm}", False),
        ("5\\text{ mL}", "5\\text{ ML}", False),
        ("5\\text{ mm}", "5\\text{ Mm}", False),
        ("5\\text{ s}", "5\\text{ Ms}", False),
        ("5\\text{ kg}", "5\\text{ KG}", True),
        ("5\\text{ km}", "5\\text{ KM}", True),
        ("5\\text{ Nm}", "5\\text{ Nm}", True),
        ("5\\text{ miles}", "5\\text{ Miles}", True),
        ("5", "5\\text{ sevenths}", False),
        ("5", "5\\text{ twelfths}", False),
        ("5", "5\\text{ sixteenths}", False),
        ("5", "5\\text{ twentieths}", False),
        ("5", "5\\text{ months}", True),
        ("5", "5\\text{ lengths}", True),
    ],
)
def test_units_by_case_and_fractions_in_words(reference: str, answer: str, expected: bool) -> None:
    assert is_correct(reference, answer) is expected

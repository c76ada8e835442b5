import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.\\bar{3}", "\\frac13"),
        ("0.\\bar{36}", "\\frac{4}{11}"),
        ("0.\\bar3", "1/3"),
        ("0.1\\bar{6}", "\\frac16"),
        ("1.\\bar{3}", "\\frac43"),
        ("0.\\dot{3}\\dot{6}", "\\frac4{11}"),
        ("0.\\dot{1}4285\\dot{7}", "\\frac17"),
        ("0.\\overline{3}", "0.\\bar{3}"),
        ("-0.\\bar{3}", "-\\frac13"),
        ("2.\\overline{45}", "2.\\bar{45}"),
        ("0.\\overline 3", "\\frac13"),
        ("1.(3)", "\\frac43"),
        ("0.\\bar 3", "\\frac13"),
    ],
)
def test_repeating_decimals_under_a_bar_or_dots(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.\\bar{3}", "0.3"),
        ("0.\\bar{36}", "\\frac{36}{100}"),
        ("0.\\bar{36}", "0.3\\bar{6}"),
        ("0.\\dot{3}\\dot{6}", "0.3\\dot{6}"),
        ("0.(3)", "0.3"),
    ],
)
def test_the_bar_counts(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\{0,1\\}", "0, 1"),
        ("0, 1", "1, 0"),
        ("0 \\text{ and } 1", "1,0"),
    ],
)
def test_zero_and_a_number_are_a_list(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0,1", "0.2"),
        ("\\{0,1\\}", "0.1"),
        ("0 \\text{ and } 1", "0.1"),
        ("x=0, x=1", "0.1"),
        ("0,1", "0,2"),
        ("\\{0,1\\}", "0,2"),
        ("0,12", "12"),
    ],
)
def test_a_list_is_no_decimal_where_the_reference_is_one(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("\\{0,1\\}", "0,1"),
        ("0 \\text{ and } 1", "0,1"),
        ("x=0, x=1", "0,1"),
        ("0,1", "1,0"),
        ("0, 1", "0,1"),
        ("0,1", "0, 1"),
        ("1, 0", "0,1"),
        ("0,5", "0.5"),
        ("0.5", "0,5"),
        ("\\frac12", "0,5"),
        ("0.1", "0,1"),
        ("0 \\text{ or } 5", "0,5"),
        ("(0,1)", "0,1"),
        ("-0,5", "-0.5"),
        ("x=0\\text{ or }x=2", "0,2"),
        ("\\{0,25\\}", "0,25"),
        ("0;1", "0,1"),
        ("0,5", "5,0"),
    ],
)
def test_zero_comma_digits_is_a_list_and_a_decimal(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("1", "0,1"),
        ("0", "0,1"),
        ("5", "0,5"),
    ],
)
def test_a_list_is_not_answered_by_a_part(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)

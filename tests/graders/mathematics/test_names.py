import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f'(x)=2x", "2x"),
        ("\\frac{dy}{dx}=2x", "2x"),
        ("y'=2x", "2x"),
        ("f''(x)=2", "2"),
        ("\\frac{d^2y}{dx^2}=6x", "6x"),
        ("y''=6x", "6x"),
        ("\\frac{\\partial f}{\\partial x}=2xy", "2xy"),
        ("f'(2)=5", "5"),
        ("\\frac{d}{dx}x^2=2x", "2x"),
        ("\\dot{x}=3t", "3t"),
        ("f^{-1}(x)=\\frac{x-1}{2}", "\\frac{x-1}{2}"),
        ("g'(t)=e^t", "e^t"),
        ("f_x=2x", "2x"),
        ("\\frac{df}{dt}=t^2", "t^2"),
        ("f'(x)=2x", "y'=2x"),
        ("\\frac{dy}{dx}=2x", "y'=2x"),
        ("f^{(3)}(x)=6", "6"),
        ("\\dfrac{\\mathrm{d}y}{\\mathrm{d}x}=2x", "2x"),
    ],
)
def test_a_derivative_may_be_left_out(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f'(x)=2x", "f(x)=2x"),
        ("f'(x)=2x", "3x"),
        ("f'(x)=2x", "x^2"),
        ("y'=2x", "y=2x"),
        ("\\frac{dy}{dx}=2x", "\\frac{dx}{dy}=2x"),
        ("y'=y", "0"),
        ("f'(x)=2x", "f''(x)=2x"),
        ("f'(x)=2x", "f'(x)=3x"),
        ("f'(x)=2x", "g'(x)=2x"),
        ("\\frac{dy}{dx}=2x", "\\frac{d^2y}{dx^2}=2x"),
    ],
)
def test_another_derivative_is_another_name(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("y''+y=0", "0"),
        ("y'+y=x", "x"),
    ],
)
def test_a_differential_equation_is_not_answered_by_a_side(reference: str, answer: str) -> None:
    assert not is_correct(reference, answer)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5", "\\log_2 x=5"),
        ("5", "x^2=5"),
        ("5", "2x=5"),
        ("5", "\\sqrt{x}=5"),
        ("5", "e^x=5"),
        ("5", "2^x=5"),
        ("5", "\\ln x=5"),
        ("5", "\\log x = 5"),
        ("5", "\\log_x 2=5"),
        ("5", "\\lfloor x\\rfloor=5"),
        ("5", "x!=5"),
        ("5", "\\frac1x=5"),
        ("5", "\\log_2(x+1)=5"),
        ("5", "x+3=5"),
        ("5", "\\log_x 32=5"),
    ],
)
def test_an_equation_under_a_logarithm_is_to_be_solved(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("5", "\\log_2 32=5"),
        ("5", "f(2)=5"),
        ("\\frac12", "\\sin A=\\frac12"),
        ("5", "|AB|=5"),
        ("5", "x+y=5"),
        ("5", "\\sqrt{25}=5"),
        ("5", "\\binom{5}{1}=5"),
        ("5", "\\gcd(x,y)=5"),
        ("5", "\\lim_{x\\to0} f(x)=5"),
        ("5", "\\int_0^1 f(x)dx=5"),
        ("5", "\\sum_{k=1}^5 1=5"),
        ("5", "\\deg p=5"),
        ("5", "\\min f=5"),
        ("\\frac35", "\\sin B=\\frac35"),
        ("\\frac35", "\\sin\\angle ABC=\\frac35"),
    ],
)
def test_a_named_quantity_is_a_value(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)

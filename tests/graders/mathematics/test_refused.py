r"""Answers that look like the reference and are another one."""

import pytest

from isocost.graders.math import MathGrader

GRADER = MathGrader()


def is_correct(reference: str, answer: str) -> bool:
    return GRADER.grade(reference, f"\\boxed{{{answer}}}").correct is True


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

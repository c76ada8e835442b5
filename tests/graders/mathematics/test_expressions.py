from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from isocost.graders.mathematics.expressions import constant, read, same, stands_for


@dataclass(frozen=True)
class Written:
    """An expression with its exact value and two ways of writing it."""

    value: Fraction
    latex: str
    plain: str


def leaves() -> st.SearchStrategy[Written]:
    return st.integers(0, 30).map(lambda n: Written(Fraction(n), str(n), str(n)))


def larger(children: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda p: Written(p[0].value + p[1].value, f"{p[0].latex} + {p[1].latex}", f"({p[0].plain}+{p[1].plain})")),
        pairs.map(lambda p: Written(p[0].value - p[1].value, f"{p[0].latex} - ({p[1].latex})", f"({p[0].plain}-({p[1].plain}))")),
        pairs.map(lambda p: Written(p[0].value * p[1].value, f"({p[0].latex}) \\cdot ({p[1].latex})", f"({p[0].plain})*({p[1].plain})")),
        pairs.filter(lambda p: p[1].value != 0).map(
            lambda p: Written(p[0].value / p[1].value, f"\\frac{{{p[0].latex}}}{{{p[1].latex}}}", f"(({p[0].plain})/({p[1].plain}))")
        ),
        children.map(lambda c: Written(c.value**2, f"({c.latex})^{{2}}", f"({c.plain})^2")),
        children.map(lambda c: Written(abs(c.value), f"\\sqrt{{({c.latex})^2}}", f"sqrt(({c.plain})*({c.plain}))")),
    )


EXPRESSIONS = st.recursive(leaves(), larger, max_leaves=8)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_exact_value_of_any_expression_in_both_notations(written: Written) -> None:
    assert constant(written.latex) == written.value
    assert constant(written.plain) == written.value
    assert same(written.latex, written.plain) is True
    assert same(written.latex, f"{written.plain} + 1/1000000007") is False


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=4), st.integers(-9, 9))
def test_polynomials_are_equal_exactly_where_sympy_says_so(roots: list[int], nudge: int) -> None:
    x = sympy.Symbol("x")
    product = sympy.prod([x - root for root in roots])
    factored = "".join(f"(x - ({root}))" for root in roots)
    other = sympy.expand(product) + nudge
    assert same(factored, str(other).replace("**", "^")) is bool(sympy.expand(product - other) == 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("2\\frac{2}{3}", "8/3"),
        ("2\\frac58", "2.625"),
        ("1 1/4", "5/4"),
        ("\\sqrt{8}", "2\\sqrt2"),
        ("\\sqrt[3]{54}", "3\\sqrt[3]2"),
        ("\\sqrt{2}+\\sqrt{3}", "\\sqrt{5+2\\sqrt6}"),
        ("96-10\\sqrt{21}", "\\frac{6\\sqrt{1789-240\\sqrt{21}}+8\\sqrt{1236-240\\sqrt{21}}}{5}"),
        ("e^{2}e^{3}", "e^5"),
        ("x^10", "x^{10}"),
        ("2(3+x)", "6+2x"),
        ("6-5i", "-5i+6"),
        ("x_1 + x_{2}", "x_2 + x_1"),
        ("1.5e3", "1500"),
        ("5!", "120"),
        ("2.6667", "8/3"),
        ("3.1415", "\\pi"),
        ("x+1.4142", "x+\\sqrt2"),
        ("-\\infty", "- \\infty"),
    ],
)
def test_equal(left: str, right: str) -> None:
    assert same(left, right) is True
    assert same(right, left) is True


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}"),
        ("2^{1000}", "2^{1000}+1"),
        ("\\sqrt{x^2}", "x"),
        ("x", "y"),
        ("X", "x"),
        ("204_5", "204"),
        ("204_5", "54"),
        ("2.67", "8/3"),
        ("1.2499", "5/4"),
        ("1.4142", "1.4143"),
        ("3.1418", "\\pi"),
        ("1+2i", "1-2i"),
        ("5", "\\infty"),
    ],
)
def test_different(left: str, right: str) -> None:
    assert same(left, right) is False
    assert same(right, left) is False


@pytest.mark.parametrize(
    "text", ["1/2x", "2 3", "f(x)", "\\sin x", "sin x", "10 4/3 2", "4 10/3", "\\sum_{k} k", "x^y^z", "(", "", "2^", "+"]
)
def test_what_is_not_certain_is_not_read(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "9^9^9",
        "9^{9^{9^{9}}}",
        "(9^{999})^{999}",
        "10^{10^{10}}",
        "1000!!",
        "999999!",
        "\\sqrt[999999]{2}",
        "1/0",
        "0^{-1}",
        "0^0",
        "\\sqrt{-1}",
    ],
)
def test_numbers_out_of_bounds_have_no_value(text: str) -> None:
    start = time.thread_time()
    assert constant(text) is None
    assert time.thread_time() - start < 1.0


def test_imaginary_squares_are_left_open() -> None:
    assert same("i(2-i)", "1+2i") is None


def test_what_a_decimal_stands_for() -> None:
    assert stands_for("0.3333", Fraction(1, 3))
    assert not stands_for("0.333", Fraction(1, 3))
    assert not stands_for("0.2499", Fraction(1, 4))
    assert stands_for("-0.6667", Fraction(-2, 3))

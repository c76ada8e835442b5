"""One way to say amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.amounts import dollars, flops, format_amount, format_distinct, price
from isocost.records import Unit


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (12.4, "$12.40"),
        (1, "$1.00"),
        (0.999, "$1.00"),
        (0.0042, "$0.0042"),
        (1e-5, "$0.000010"),
        (1e-300, "$1e-300"),
        (-2.5e-20, "−$2.5e-20"),
        (-0.5, "−$0.50"),
        (1234, "$1,234.00"),
        (1e300, "$1e+300"),
        (-1e300, "−$1e+300"),
    ],
)
def test_dollars(amount: float, text: str) -> None:
    assert dollars(amount) == format_amount("usd", amount) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0 FLOPs"), (0.5, "0.50 FLOPs"), (1000, "1.0 KFLOPs"), (3.14e12, "3.1 TFLOPs"), (1e-300, "1e-300 FLOPs")]
)
def test_flops(amount: float, text: str) -> None:
    assert flops(amount) == format_amount("flops", amount) == text


@pytest.mark.parametrize(("amount", "text"), [(0, "0.00"), (0.125, "0.125"), (1e-6, "0.000001"), (1e-300, "1e-300"), (1234.5, "1,234.50")])
def test_a_price_is_not_rounded(amount: float, text: str) -> None:
    assert price(amount) == text


@given(st.floats(1e-9, 1e9), st.floats(-1e-6, 1e-6), st.sampled_from(["usd", "flops"]))
def test_amounts_that_differ_read_differently(first: float, share: float, unit: Unit) -> None:
    second = first * (1 + share)
    left, right = format_distinct(unit, first, second)
    assert (left == right) == (first == second)


@given(st.floats(1e-12, 1e25), st.sampled_from(["usd", "flops"]))
def test_no_amount_is_a_rounded_zero(amount: float, unit: Unit) -> None:
    assert any(digit in format_amount(unit, amount) for digit in "123456789")


@pytest.mark.parametrize(
    ("unit", "first", "second", "texts"),
    [
        ("usd", 4.9996, 5.0, ("$4.9996", "$5.0000")),
        ("usd", 0.0000496, 0.0000499, ("$0.0000496", "$0.0000499")),
        ("usd", 1e-9, 1.00001e-9, ("$0.00000000100000", "$0.00000000100001")),
        ("flops", 1.00001e12, 1e12, ("1.00001 TFLOPs", "1.00000 TFLOPs")),
        ("usd", 0.0, 0.1, ("$0.00", "$0.10")),
    ],
)
def test_amounts_that_differ_read_without_an_exponent(unit: Unit, first: float, second: float, texts: tuple[str, str]) -> None:
    assert format_distinct(unit, first, second) == texts

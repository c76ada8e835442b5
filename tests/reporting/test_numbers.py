import pytest

from isocost import amounts
from isocost.records import Cost, Estimate
from isocost.reporting import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (0.00042, "0.00042"), (0.0096, "0.0096"), (0.34, "0.34"), (1.0, "1.00"), (1234.5, "1,234.50"), (-2.5, "−2.50")],
)
def test_dollars_are_never_rounded_to_zero(value: float, text: str) -> None:
    assert amounts.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(3.1e12, "3.1 TFLOPs"), (8.4e14, "840.0 TFLOPs"), (12.0, "12.0 FLOPs"), (2e25, "20.0 YFLOPs"), (0, "0 FLOPs")]
)
def test_flops_take_the_prefix_that_fits(value: float, text: str) -> None:
    assert amounts.flops(value) == text


def test_none_of_twenty_keeps_its_interval() -> None:
    assert numbers.percent(Estimate(value=0.0, low=0.0, high=0.161, n=20)) == "0.0% [0.0, 16.1]"


def test_points_are_signed_with_a_true_minus_and_no_negative_zero() -> None:
    assert numbers.points(Estimate(value=0.004, low=-0.012, high=0.02, n=500)) == "+0.4 [−1.2, +2.0]"
    assert numbers.points(Estimate(value=-0.0001, low=-0.0004, high=0.0, n=500)) == "0.0 [0.0, 0.0]"


def test_what_is_undefined_is_a_dash_and_what_has_no_interval_says_so() -> None:
    assert numbers.percent(Estimate(value=None, low=None, high=None, n=0)) == "–"
    assert numbers.percent(Estimate(value=0.5, low=None, high=None, n=4)) == "50.0% (no interval)"


def test_reservations_name_few_problems_and_ungraded_solutions() -> None:
    assert (
        numbers.reservations(Estimate(value=0.5, low=0.3, high=0.7, n=29, n_ungraded=1200), "problems") == "few problems, 1,200 not graded"
    )
    assert numbers.reservations(Estimate(value=0.5, low=0.3, high=0.7, n=30), "problems") == ""


def test_a_column_of_flops_has_one_unit_and_shows_its_smallest_amount() -> None:
    scale = amounts.flops_scale([2.6e15, 4e13, None])
    assert (scale.unit, scale.text(2.6e15), scale.text(4e13), scale.text(None)) == ("PFLOPs", "2.600", "0.040", "–")
    assert scale.text(1.2e10) == "0.000012"
    assert scale.text(0.0) == "0.000"


@pytest.mark.parametrize(("seconds", "text"), [(0.44, "0.4 s"), (59.6, "0:01:00"), (3822, "1:03:42"), (360_000, "100:00:00")])
def test_durations(seconds: float, text: str) -> None:
    assert amounts.duration(seconds) == text


def test_a_cost_names_only_the_units_that_are_known() -> None:
    assert numbers.cost(Cost(flops=2e12, usd=0.034)) == "2.0 TFLOPs, $0.034"
    assert numbers.cost(Cost()) == "not known"


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ((0.029,), "this run could detect 2.9 points"),
        ((0.031, 0.029, 0.04), "this run could detect 2.9 to 4.0 points"),
        ((0.0291, 0.0292), "this run could detect 2.9 points"),
        ((0.2, 1.0), "this run could detect 20.0 to 100.0 points"),
        ((1.0,), "this run is too small to detect any difference"),
    ],
)
def test_what_a_run_could_detect(sizes: tuple[float, ...], text: str) -> None:
    assert numbers.detects(*sizes) == text

from hypothesis import given
from hypothesis import strategies as st

from isocost.records import Estimate
from isocost.reporting import axes


@given(st.lists(st.floats(-10, 10), min_size=1))
def test_a_linear_axis_holds_its_values(values: list[float]) -> None:
    axis = axes.linear(values)
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)


def test_shares_stay_shares_and_differences_show_zero() -> None:
    wide = Estimate(value=0.99, low=0.9, high=1.04, n=30)
    assert axes.shares([wide]).high == 1
    assert axes.differences([wide]).low == 0

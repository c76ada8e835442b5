from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from isocost.reporting.charts import canvas, ticks
from isocost.reporting.charts.ticks import plain, rows

AXES = canvas.blank(2.0)  # made once: examples differ in values only


@given(st.floats(1e-9, 1e12), st.floats(1, 1e6))
def test_a_logarithmic_axis_holds_its_values_and_has_ticks_within(low: float, wide: float) -> None:
    axes = AXES
    ticks.logarithmic(axes, [low, low * wide], plain)
    ends = axes.get_xlim()
    assert ends[0] <= low <= low * wide <= ends[1]
    assert all(ends[0] <= tick <= ends[1] for tick in axes.get_xticks())


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_linear_axis_holds_its_values_and_has_few_ticks(low: float, wide: float) -> None:
    axes = AXES
    axes.set_xscale("linear")
    ticks.linear(axes.xaxis, low, low + wide, plain)
    ends = axes.get_xlim()
    slack = 1e-9 * max(abs(low), wide, 1)
    assert ends[0] - slack <= low <= low + wide <= ends[1] + slack
    assert 2 <= len(axes.get_xticks()) <= 9


def test_ticks_are_short() -> None:
    assert [plain(value) for value in (0.25, 5000, 25000, 2.5e6, 1e9, 3e12, -10, 1e-9, 0)] == [
        "0.25", "5,000", "25K", "2.5M", "1B", "3T", "−10", "0.000000001", "0",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(1, 80))))
def test_names_in_one_row_do_not_touch(places: list[tuple[float, float]]) -> None:
    spans = sorted((start, start + wide) for start, wide in places)
    found = rows(spans)
    for row in set(found):
        own = [span for span, at in zip(spans, found, strict=True) if at == row]
        assert all(left[1] < right[0] for left, right in pairwise(own))

"""Dot charts: every estimate with its interval and numbers, and no text on another."""

import pytest
from matplotlib.axes import Axes

from isocost.records import Estimate
from isocost.reporting.charts import canvas, dots
from isocost.reporting.charts.dots import Dot
from isocost.reporting.charts.ticks import in_percent, plain
from isocost.reporting.marks import NEUTRAL
from tests.reporting.charts.measuring import cut_off, overlaps, struck


def dot(value: float, label: str = "weak@low") -> Dot:
    return Dot(label=label, text=f"{value:g}", estimate=Estimate(value=value, low=value * 0.9, high=value * 1.1, n=40), mark=NEUTRAL)


def drawn(shown: list[Dot], *, log: bool = False) -> Axes:
    with canvas.drawing():
        axes = canvas.blank(dots.height(shown))
        dots.draw(axes, shown, plain if log else in_percent, title="share", log=log, include=[1.0] if log else [])
    return axes


@pytest.mark.slow
def test_no_text_lies_on_another_at_any_magnitude() -> None:
    for power in range(-9, 13):
        axes = drawn([dot(10.0**power), dot(3 * 10.0**power), dot(7 * 10.0**power)], log=power % 2 == 0)
        assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], []), power


def test_names_of_any_length_and_headings_keep_their_place() -> None:
    shown = [Dot(label="a student with a long name, in bold letters"), dot(0.4, "m" * 200), dot(0.5, "a\nb $c$")]
    axes = drawn(shown)
    assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], [])
    assert [label.get_text() for label in axes.get_yticklabels()][1:] == ["m" * 29 + "…", "a b $c$"]
    assert [label.get_fontweight() for label in axes.get_yticklabels()] == ["bold", "normal", "normal"]


def test_a_thousand_dots_are_cut_to_what_a_page_can_show() -> None:
    assert len(drawn([dot(0.4 + i / 1e4) for i in range(1000)]).get_yticks()) == 60

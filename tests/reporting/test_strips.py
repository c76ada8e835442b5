"""A dot and a bar for each row of a table, on one axis."""

import re

from isocost.records import Estimate
from isocost.reporting.axes import Axis
from isocost.reporting.charts.ticks import in_percent
from isocost.reporting.marks import DECIDED, UNTRAINED
from isocost.reporting.strips import ruler, strip

AXIS = Axis(low=-0.1, high=0.3)


def places(html: str) -> list[float]:
    return [float(place) for place in re.findall(r"left:([\d.]+)%", html)]


def test_bar_mark_and_zero_stand_where_the_numbers_are() -> None:
    html = strip(Estimate(value=0.1, low=0.0, high=0.2, n=40), DECIDED, AXIS)
    assert places(html) == [25.0, 25.0, 50.0]
    assert re.findall(r"right:([\d.]+)%", html) == ["25.0"]
    assert 'class="circle text"' in html


def test_without_a_value_nothing_is_drawn_and_without_an_interval_no_bar() -> None:
    assert strip(Estimate(value=None, low=None, high=None, n=0), DECIDED, AXIS) == ""
    assert "bar" not in strip(Estimate(value=0.1, low=None, high=None, n=40), UNTRAINED, AXIS)


def test_the_ruler_names_the_ends_and_zero_where_it_has_room() -> None:
    assert re.findall(r">([^<]+)</i>", ruler(AXIS, in_percent)) == ["−10", "0", "30"]
    assert re.findall(r">([^<]+)</i>", ruler(Axis(low=-0.01, high=0.3), in_percent)) == ["−1", "30"]

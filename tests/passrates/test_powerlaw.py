"""The power law of coverage."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.passrates import power_law


@pytest.mark.parametrize(("a", "b"), [(1.3, 0.4), (0.2, 0.1), (3.0, 0.9)])
def test_a_curve_that_is_a_power_law_is_continued_exactly(a: float, b: float) -> None:
    found = power_law(np.exp(-a * np.arange(1, 5) ** -b), [1, 4, 30, 1000])
    assert found is not None
    np.testing.assert_allclose(found, np.exp(-a * np.array([1, 4, 30, 1000.0]) ** -b))


def test_the_paper_s_weak_curve_from_its_first_four_points() -> None:
    found = power_law([0.27, 0.373, 0.431, 0.472], [30])
    assert found is not None
    assert found[0] == pytest.approx(0.706, abs=0.03)


@pytest.mark.parametrize("known", [[0.3], [0.0, 0.1], [0.5, 1.0], []])
def test_a_line_through_nothing_is_none(known: list[float]) -> None:
    assert power_law(known, [10]) is None

import numpy as np
import pytest

from isocost.metrics.intervals import detectable_difference
from isocost.metrics.settling import problems_to_settle


def test_twice_the_detectable_difference_needs_a_quarter_of_the_problems() -> None:
    assert problems_to_settle(400, 0.08, 0.04) == 100
    assert problems_to_settle(400, -0.02, 0.04) == 1600


@pytest.mark.parametrize("difference", [0.0, 1e-6])
def test_more_than_100_000_problems_are_no_advice(difference: float) -> None:
    assert problems_to_settle(400, difference, 0.04) is None


def test_so_many_problems_do_detect_the_difference() -> None:
    generator = np.random.default_rng(0)
    left, right = (generator.random(300) < rate for rate in (0.52, 0.48))
    needed = problems_to_settle(300, 0.04, detectable_difference(left, right))
    assert needed is not None
    many = generator.random((2, needed)) < np.array([[0.52], [0.48]])
    assert detectable_difference(*many) == pytest.approx(0.04, rel=0.1)

"""The law of distinct solutions against enumeration of all partitions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from isocost.forecasting import DistinctLaw
from isocost.forecasting import distinct as module


def partitions(draws: int, theta: float, sigma: float) -> Iterator[tuple[list[int], float]]:
    """Yield every sequence of choices among `draws` correct solutions: class sizes and probability."""

    def extend(sizes: list[int], chance: float, left: int) -> Iterator[tuple[list[int], float]]:
        if left == 0:
            yield sizes, chance
            return
        c, d = sum(sizes), len(sizes)
        new = 1.0 if c == 0 else (theta + sigma * d) / (theta + c)
        yield from extend([*sizes, 1], chance * new, left - 1)
        for j, size in enumerate(sizes):
            again = [*sizes[:j], size + 1, *sizes[j + 1 :]]
            yield from extend(again, chance * (size - sigma) / (theta + c), left - 1)

    yield from extend([], 1.0, draws)


@pytest.mark.parametrize(("theta", "sigma"), [(0.5, 0.0), (3.0, 0.5), (0.05, 0.9)])
@pytest.mark.parametrize("most", [None, 1, 2, 4])
def test_expected_numbers_are_those_of_all_partitions(
    theta: float, sigma: float, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STRENGTHS", (theta,))
    monkeypatch.setattr(module, "_DISCOUNTS", (sigma,))
    found = DistinctLaw([], []).expected(6, most)
    for c in range(7):
        exact = sum(p * (len(sizes) if most is None else min(len(sizes), most)) for sizes, p in partitions(c, theta, sigma))
        assert found[c] == pytest.approx(exact)


def test_laws_are_weighed_by_the_probability_of_the_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    laws = [(0.5, 0.2), (5.0, 0.2)]
    monkeypatch.setattr(module, "_STRENGTHS", (0.5, 5.0))
    monkeypatch.setattr(module, "_DISCOUNTS", (0.2,))
    found = DistinctLaw([0, 0, 1], [3, 1, 2]).expected(3, None)
    likely, expected = [], []
    for theta, sigma in laws:
        # The ordered classes of a problem: (3, 1) as first and second class found, in any order of draws, or (1, 3).
        chance = 1.0
        for sizes in ([3, 1], [2]):
            orders = [p for got, p in partitions(sum(sizes), theta, sigma) if sorted(got) == sorted(sizes)]
            chance *= sum(orders)
        likely.append(chance)
        expected.append(sum(p * len(sizes) for sizes, p in partitions(3, theta, sigma)))
    assert found[3] == pytest.approx(np.dot(likely, expected) / np.sum(likely))


def test_laws_are_drawn_by_their_weights() -> None:
    law = DistinctLaw([0, 0, 1, 2], [2, 1, 3, 1])
    drawn = law.draw(50_000, np.random.default_rng(0))
    theta, sigma = drawn[:, 0], drawn[:, 1]
    # The second correct solution is new with probability (theta + sigma) / (theta + 1).
    found = law.expected(2, None)
    assert found[2] - found[1] == pytest.approx(((theta + sigma) / (theta + 1)).mean(), abs=5e-3)


def test_repeats_are_learned() -> None:
    varied = DistinctLaw(np.repeat(np.arange(20), 4), np.ones(80, int))
    alike = DistinctLaw(np.arange(20), np.full(20, 4))
    assert varied.expected(20, None)[20] > 15
    assert alike.expected(20, None)[20] < 2.5
    assert alike.expected(20, 4)[20] < 2.5

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


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_laws_are_weighed_by_the_probability_of_the_partitions(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    strengths, sigma, problems = (0.5, 5.0), 0.2, ([3, 1], [2])
    monkeypatch.setattr(module, "_STRENGTHS", strengths)
    monkeypatch.setattr(module, "_DISCOUNTS", (sigma,))
    monkeypatch.setattr(module, "_SPREADS", (spread,))
    found = DistinctLaw([0, 0, 1], [3, 1, 2])

    def chance(sizes: list[int], theta: float) -> float:
        # Sizes as first and second class found, in any order of draws.
        return sum(p for got, p in partitions(sum(sizes), theta, sigma) if sorted(got) == sorted(sizes))

    numbers = [sum(p * len(sizes) for sizes, p in partitions(3, theta, sigma)) for theta in strengths]
    likely, expected = [], []
    for centre in strengths:
        density = [1.0 * (t == centre) if spread == 0.0 else np.exp(-(np.log(t / centre) ** 2) / (2 * spread**2)) for t in strengths]
        shares = np.array(density) / np.sum(density)
        likely.append(np.prod([shares @ [chance(sizes, theta) for theta in strengths] for sizes in problems]))
        expected.append(shares @ numbers)
    assert found.expected(3, None)[3] == pytest.approx(np.dot(likely, expected) / np.sum(likely))
    means, _ = found.sampled(3, None, 20_000)
    assert means[:, 3].mean() == pytest.approx(found.expected(3, None)[3], abs=0.01)
    assert sorted({round(mean, 9) for mean in means[:, 3]}) == pytest.approx(sorted(expected))


def test_intervals_hold_where_problems_differ_in_their_number_of_solutions() -> None:
    rng, problems, reps = np.random.default_rng(0), 40, 20
    held = 0
    for _ in range(reps):
        owner, count, found = [], [], 0
        for i in range(problems):
            theta, sizes = np.exp(rng.normal(0.0, 1.5)), [1]
            for c in range(1, 24):
                if c == 4:
                    owner += [i] * len(sizes)
                    count += sizes
                chances = np.append(sizes, theta) / (theta + c)
                j = int(rng.choice(len(chances), p=chances))
                sizes = [*sizes, 1] if j == len(sizes) else [*sizes[:j], sizes[j] + 1, *sizes[j + 1 :]]
            found += len(sizes)
        means, variances = DistinctLaw(owner, count).sampled(24, None, 400)
        drawn = means[:, 24] + np.sqrt(variances[:, 24] / problems) * rng.standard_normal(400)
        low, high = np.quantile(drawn, [0.05, 0.95])
        held += bool(low <= found / problems <= high)
    assert held >= 14  # of 20 at 90%: fewer has probability .002


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

"""The law of distinct solutions against enumeration of all partitions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from isocost.forecasting import DistinctLaw
from isocost.forecasting import distinct as module
from isocost.forecasting.distinct import logit_bins
from isocost.passrates import MarginalPosterior
from isocost.passrates.grid import RATES


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
    found = DistinctLaw([], [], [], []).expected(6, most)
    for c in range(7):
        exact = sum(p * (len(sizes) if most is None else min(len(sizes), most)) for sizes, p in partitions(c, theta, sigma))
        np.testing.assert_allclose(found[:, c], exact)


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_laws_are_weighed_by_the_probability_of_the_partitions(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    strengths, sigma, problems = (0.5, 5.0), 0.2, ([3, 1], [2])
    monkeypatch.setattr(module, "_STRENGTHS", strengths)
    monkeypatch.setattr(module, "_DISCOUNTS", (sigma,))
    monkeypatch.setattr(module, "_SPREADS", (spread,))
    monkeypatch.setattr(module, "_SLOPES", (0.0,))
    found = DistinctLaw([0, 0, 1], [3, 1, 2], [4, 2], [4, 4])

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
    # Without a slope it is the same at every pass rate.
    np.testing.assert_allclose(found.expected(3, None)[:, 3], np.dot(likely, expected) / np.sum(likely))
    means, _ = found.sampled(3, None, 20_000)
    assert means[:, 0, 3].mean() == pytest.approx(found.expected(3, None)[0, 3], abs=0.01)
    assert sorted({round(mean, 9) for mean in means[:, 0, 3]}) == pytest.approx(sorted(expected))


def test_pass_rates_move_the_strength_and_are_averaged_over_their_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    strengths, slopes, problems = tuple(np.exp(np.arange(-12.0, 13.0))), (0.0, 1.0), ([2, 1], [1, 1], [4])
    monkeypatch.setattr(module, "_STRENGTHS", strengths)
    monkeypatch.setattr(module, "_DISCOUNTS", (0.0,))
    monkeypatch.setattr(module, "_SPREADS", (0.0,))
    monkeypatch.setattr(module, "_SLOPES", slopes)
    successes, draws = [3, 2, 4, 0], [4, 4, 4, 4]
    found = DistinctLaw([0, 0, 1, 1, 2], [2, 1, 1, 1, 4], successes, draws)
    posterior = MarginalPosterior(successes, draws)

    def at(logit: float, centre: float, slope: float) -> float:
        return float(np.exp(np.clip(centre - slope * np.clip(np.floor(logit + 0.500001), -6, 4), -12, 12)))

    def chance(sizes: list[int], theta: float) -> float:
        return sum(p for got, p in partitions(sum(sizes), theta, 0.0) if sorted(got) == sorted(sizes))

    logits = np.log(RATES) - np.log1p(-RATES)
    weights, numbers = [], []
    for centre in np.arange(-12.0, 13.0):
        for slope in slopes:
            likely = 1.0
            for sizes, s in zip(problems, successes, strict=False):
                state = [tuple(each) for each in posterior.states.tolist()].index((s, 4 - s))
                cells = posterior.weights @ posterior.rates(state)
                likely *= sum(mass * chance(sizes, at(x, centre, slope)) for x, mass in zip(logits, cells, strict=True) if mass > 1e-12)
            weights.append(likely)
            numbers.append([1.0 + (theta := at(x, centre, slope)) / (theta + 1.0) for x in range(-6, 5)])  # of two correct ones
    expected = np.dot(weights, numbers) / np.sum(weights)
    np.testing.assert_allclose(found.expected(2, None)[:, 2], expected, rtol=1e-3)
    assert expected[0] > expected[-1]


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
        # Half of their draws are correct: the law at that pass rate is the one that is simulated.
        means, variances = DistinctLaw(owner, count, [4] * problems, [8] * problems).sampled(24, None, 400)
        half = int(logit_bins(np.array(0.5)))
        drawn = means[:, half, 24] + np.sqrt(variances[:, half, 24] / problems) * rng.standard_normal(400)
        low, high = np.quantile(drawn, [0.05, 0.95])
        held += bool(low <= found / problems <= high)
    assert held >= 14  # of 20 at 90%: fewer has probability .002


def test_laws_are_drawn_by_their_weights() -> None:
    law = DistinctLaw([0, 0, 1, 2], [2, 1, 3, 1], [3, 3, 1], [4, 4, 4])
    drawn = law.draw(np.full(50_000, 3), np.random.default_rng(0))
    theta, sigma = drawn[:, 0], drawn[:, 1]
    # The second correct solution is new with probability (theta + sigma) / (theta + 1).
    found = law.expected(2, None)[3]
    assert found[2] - found[1] == pytest.approx(((theta + sigma) / (theta + 1)).mean(), abs=5e-3)


def test_repeats_are_learned() -> None:
    four, half = np.full(20, 4), int(logit_bins(np.array(0.5)))
    varied = DistinctLaw(np.repeat(np.arange(20), 4), np.ones(80, int), four, 2 * four)
    alike = DistinctLaw(np.arange(20), four, four, 2 * four)
    assert varied.expected(20, None)[half, 20] > 15
    assert alike.expected(20, None)[half, 20] < 2.5
    assert alike.expected(20, 4)[half, 20] < 2.5


def test_solutions_of_problems_that_are_rarely_solved_are_learned_to_repeat_less() -> None:
    rng = np.random.default_rng(1)
    rates = np.repeat([0.1, 0.9], 150)
    successes = rng.binomial(8, rates)
    owner, count = [], []
    for i, correct in enumerate(successes.tolist()):
        # Easy problems have one solution; those of hard ones are all different.
        owner += [i] * (correct if rates[i] < 0.5 else min(correct, 1))
        count += [1] * correct if rates[i] < 0.5 else [correct] * min(correct, 1)
    hard, easy = DistinctLaw(owner, count, successes, np.full(300, 8)).expected(10, None)[logit_bins(np.array([0.1, 0.9])), 10]
    assert hard > 3 * easy
    assert easy < 1.5

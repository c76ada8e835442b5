"""Intervals of differences over problems and training seeds, against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.metrics.intervals import mean_interval, paired_difference, seeded_difference, seeded_mean, unpaired_seeds_difference


def drawn(rng: np.random.Generator, seeds: int, problems: int, spread: float, effect: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two sides: problems differ in difficulty, and each training of left is better or worse by luck."""
    difficulty = rng.uniform(0.2, 0.7, problems)
    luck = rng.normal(effect, spread, (seeds, 1))
    return (
        (rng.random((seeds, problems)) < np.clip(difficulty + luck, 0, 1)).astype(float),
        (rng.random((1, problems)) < difficulty).astype(float),
    )


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_the_interval_holds_the_true_difference(spread: float) -> None:
    rng, held, alone, runs = np.random.default_rng(7), 0, 0, 400
    for _ in range(runs):
        a, b = drawn(rng, 3, 200, spread, 0.05)
        found, problems = seeded_difference(a, b), paired_difference(a.mean(axis=0), b[0])
        held += found.low <= 0.05 <= found.high  # type: ignore[operator]
        alone += problems.low <= 0.05 <= problems.high  # type: ignore[operator]
    assert held / runs >= 0.93
    if spread:
        assert alone / runs < held / runs - 0.02  # problems alone leave out the luck of the seeds


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "least"), [((3, 3), 0.87), ((3, 2), 0.92)])
def test_the_interval_holds_where_both_sides_are_trained(seeds: tuple[int, int], least: float) -> None:
    rng, held, runs = np.random.default_rng(3), 0, 500
    compare = seeded_difference if seeds[0] == seeds[1] else unpaired_seeds_difference
    for _ in range(runs):
        difficulty = rng.uniform(0.2, 0.7, 300)
        chances = [np.clip(difficulty + rng.normal(0, 0.04, (n, 1)), 0, 1) for n in seeds]
        found = compare(*((rng.random(chance.shape) < chance).astype(float) for chance in chances))
        held += found.low <= 0 <= found.high  # type: ignore[operator]
    assert held / runs >= least


@pytest.mark.slow
def test_the_interval_of_a_mean_holds_over_seeds() -> None:
    rng, held, alone, runs = np.random.default_rng(5), 0, 0, 400
    for _ in range(runs):
        luck = rng.normal(0, 0.04, (3, 1))
        solved = (rng.random((3, 500)) < np.clip(rng.uniform(0.2, 0.8, 500) + luck, 0, 1)).astype(float)
        problems = mean_interval(solved.mean(axis=0))
        found = seeded_mean(solved, problems, 1.0)
        held += found.low <= 0.5 <= found.high  # type: ignore[operator]
        alone += problems.low <= 0.5 <= problems.high  # type: ignore[operator]
    assert held / runs >= 0.92 > 0.85 > alone / runs


def test_seeds_that_are_no_pairs_have_a_variance_on_each_side() -> None:
    a, b = np.array([[1.0] * 8, [0.0] * 8, [1.0] * 8]), np.array([[1.0, 0.0] * 4] * 2)
    found = unpaired_seeds_difference(a, b)
    # By hand: no variance in b, so V = var(1, 0, 1) / 3 at 2 degrees of freedom.
    assert found.high == 1.0
    assert found.value == pytest.approx(2 / 3 - 1 / 2)
    assert unpaired_seeds_difference(b, b[:1]) == paired_difference(b[0], b[0])


def test_seeds_that_agree_add_nothing() -> None:
    a, b = np.array([[1.0, 0, 1, 1, 0, 1]] * 3), np.array([[0.0, 0, 1, 0, 0, 1]])
    assert seeded_difference(a, b) == paired_difference(a[0], b[0])
    assert seeded_difference(a[:1], b) == paired_difference(a[0], b[0])


def test_the_ends_stay_within_the_span_and_around_the_value() -> None:
    a, b = np.array([[1.0] * 9, [1.0] * 9, [0.0] * 9]), np.zeros((3, 9))
    found = seeded_difference(a, b)
    assert found.value == pytest.approx(2 / 3)
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low < 0 < found.value < found.high <= 1


def test_a_problem_that_one_seed_could_not_grade_is_left_out() -> None:
    a = np.array([[1.0, np.nan, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
    found = seeded_difference(a, np.zeros((1, 4)))
    assert (found.n, found.value) == (3, pytest.approx(0.5))
    nothing = seeded_difference(np.full((2, 3), np.nan), np.zeros((2, 3)))
    assert (nothing.value, nothing.n) == (None, 0)

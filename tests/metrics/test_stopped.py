from collections.abc import Callable

import numpy as np
import pytest

from isocost.metrics.stopped import looks_stopped

Rule = Callable[[np.ndarray], int]
Table = tuple[list[int], list[int], list[bool], list[int]]


def table(rule: Rule, n: int, seed: int, law: tuple[float, float] = (1.0, 2.0)) -> Table:
    """n problems of 30 draws, cut where the rule says."""
    rng = np.random.default_rng(seed)
    drawn, correct, last, places = [], [], [], []
    for rate in rng.beta(*law, n):
        draws = rng.random(30) < rate
        m = rule(draws)
        drawn.append(m)
        correct.append(int(draws[:m].sum()))
        last.append(bool(draws[m - 1]))
        places.append(int((np.flatnonzero(draws[:m]) + 1).sum()))
    return drawn, correct, last, places


def at_successes(m: int) -> Rule:
    def rule(draws: np.ndarray) -> int:
        hits = np.flatnonzero(draws)
        return int(hits[m - 1]) + 1 if hits.size >= m else draws.size

    return rule


def rounds(size: int) -> Rule:
    """Rounds of so many draws, until one holds a success."""

    def rule(draws: np.ndarray) -> int:
        hits = np.flatnonzero(draws)
        return min(draws.size, (int(hits[0]) // size + 1) * size) if hits.size else draws.size

    return rule


def at_first_failure(draws: np.ndarray) -> int:
    misses = np.flatnonzero(~draws)
    return int(misses[0]) + 1 if misses.size else draws.size


@pytest.mark.parametrize("rule", [at_successes(1), at_successes(2), at_successes(4), rounds(3), at_first_failure])
def test_stopping_rules_are_found(rule: Rule) -> None:
    found = [looks_stopped(*table(rule, 300, seed)) for seed in range(10)]
    assert sum(one is not None for one in found) == 10
    assert all(one.chance < 1e-3 for one in found if one is not None)


@pytest.mark.slow
def test_counts_that_do_not_depend_on_outcomes_are_hardly_ever_flagged() -> None:
    """Random counts, and counts that go with difficulty: at most 0.3 of 2 x 300 are to be expected."""
    rng = np.random.default_rng(0)
    flagged = 0
    for seed in range(300):
        flagged += looks_stopped(*table(lambda draws: int(rng.integers(1, 31)), 150, seed)) is not None
        drawn = np.repeat([5, 10, 30], 50)
        correct = rng.binomial(drawn, np.repeat([0.9, 0.5, 0.1], 50))
        order = [rng.permutation(m) for m in drawn]
        last_one = [bool(places[-1] < c) for places, c in zip(order, correct, strict=True)]
        sums = [int((np.flatnonzero(places < c) + 1).sum()) for places, c in zip(order, correct, strict=True)]
        flagged += looks_stopped(drawn, correct, last_one, sums) is not None
    assert flagged <= 1


def test_equal_counts_are_never_flagged() -> None:
    assert looks_stopped([4] * 500, [1] * 500, [True] * 500) is None
    assert looks_stopped([], [], []) is None
    assert looks_stopped([0, 0], [0, 0], [False, False]) is None


def test_all_or_nothing_tells_nothing() -> None:
    assert looks_stopped([1, 2, 3] * 100 + [9], [1, 0, 3] * 100 + [4], [True, False, True] * 100 + [True]) is None


def test_chernoff_s_bound_by_hand() -> None:
    """n problems of two draws with one correct, all of them last: chance 2^-n on that side."""
    eleven = looks_stopped([2] * 11 + [3], [1] * 11 + [0], [True] * 11 + [False])
    assert eleven is None
    twelve = looks_stopped([2] * 12 + [3], [1] * 12 + [0], [True] * 12 + [False])
    assert twelve is not None
    assert (twelve.problems, twelve.rule, twelve.seen, twelve.expected) == (12, "last", 12, 6)
    assert twelve.chance == pytest.approx(4 * 2**-12, rel=1e-3)


def test_rounds_are_found_by_the_places_of_their_correct_draws() -> None:
    drawn, correct, last, places = table(rounds(3), 300, 0)
    found = looks_stopped(drawn, correct, last, places)
    assert looks_stopped(drawn, correct, last) is None
    assert found is not None
    assert found.rule == "places"
    assert found.seen > found.expected


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        looks_stopped([1], [1, 2], [True])

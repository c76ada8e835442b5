"""Mixtures of models: enumeration of every subset of small pools, the functions of one model, and exact fractions at many draws."""

from fractions import Fraction
from itertools import combinations, product
from math import ceil, comb, floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics import mixtures
from isocost.metrics.coverage import coverage_curve
from isocost.metrics.curves import coverage_at
from isocost.metrics.diversity import diversity_curve
from isocost.metrics.mixtures import mixture_coverage, mixture_diversity

POOL = st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=4)  # each draw's correct text, or "" for a wrong one
SHARE = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def enumerated(pools: list[list[str]], draws: list[float]) -> tuple[float, float]:
    """Coverage and diversity: every subset of each pool, and each way of rounding its number of draws by lot."""
    coverage = diversity = 0.0
    for ks in product(*({floor(k), ceil(k)} for k in draws)):
        lot = float(np.prod([1 - abs(k - whole) for k, whole in zip(draws, ks, strict=True)]))
        subsets = list(product(*(list(combinations(pool, k)) for pool, k in zip(pools, ks, strict=True))))
        found = [len({text for subset in together for text in subset} - {""}) for together in subsets]
        coverage += lot * float(np.mean([n > 0 for n in found]))
        diversity += lot * float(np.mean(found))
    return coverage, diversity


def counted(problems: list[list[list[str]]]) -> tuple[list[int], list[list[int]]]:
    """Of pools by problem and model: the problem of each distinct correct text, and how often each model wrote it."""
    classes = [(i, text) for i, pools in enumerate(problems) for text in sorted({t for pool in pools for t in pool} - {""})]
    return [i for i, _ in classes], [[problems[i][m].count(text) for i, text in classes] for m in range(len(problems[0]))]


@pytest.mark.slow
@pytest.mark.parametrize("models", [2, 3])
@given(data=st.data())
def test_small_pools_equal_enumeration(models: int, data: st.DataObject) -> None:
    problems = data.draw(st.lists(st.lists(POOL, min_size=models, max_size=models), min_size=1, max_size=3))
    shortest = [min(len(pools[m]) for pools in problems) for m in range(models)]
    draws = [data.draw(st.integers(0, most - 1)) + data.draw(SHARE) for most in shortest]
    drawn = [[len(pools[m]) for pools in problems] for m in range(models)]
    correct = [[len(pools[m]) - pools[m].count("") for pools in problems] for m in range(models)]
    k = [[each] for each in draws]
    expected = np.array([enumerated(pools, draws) for pools in problems])
    np.testing.assert_allclose(mixture_coverage(drawn, correct, k)[:, 0], expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(mixture_diversity(drawn, *counted(problems), k)[:, 0], expected[:, 1], atol=1e-12)


DRAWN = [[6, 9, 7], [30, 30, 30]]
CORRECT = [[0, 4, 7], [1, 2, 3]]
CLASSES = [1, 1, 2], [[1, 3, 7], [0, 2, 1]]


@given(st.lists(st.floats(0, 6), min_size=1, max_size=5))
def test_where_one_model_takes_everything_it_is_that_model(ks: list[float]) -> None:
    draws = [ks, [0.0] * len(ks)]
    covered, distinct = mixture_coverage(DRAWN, CORRECT, draws), mixture_diversity(DRAWN, *CLASSES, draws)
    for i, k in enumerate(ks):
        np.testing.assert_allclose(covered[:, i], coverage_at(DRAWN[0], CORRECT[0], k), rtol=1e-12)
        ends = diversity_curve(DRAWN[0], CLASSES[0], CLASSES[1][0], [floor(k), ceil(k)])
        np.testing.assert_allclose(distinct[:, i], ends[:, 0] + (k - floor(k)) * (ends[:, 1] - ends[:, 0]), rtol=1e-9, atol=1e-12)


def test_two_halves_of_one_pool_without_overlap_add_up() -> None:
    """All draws of both: every distinct solution once, whoever found it."""
    assert mixture_diversity([[3], [2]], [0, 0, 0], [[1, 1, 0], [0, 1, 1]], [[3], [2]])[0, 0] == pytest.approx(3)
    assert mixture_coverage([[3], [2]], [[2], [2]], [[3], [2]])[0, 0] == 1.0


def test_more_draws_than_a_model_has_are_undefined_even_where_the_other_covers() -> None:
    found = mixture_coverage([[3, 5], [2, 2]], [[3, 5], [1, 1]], [[3.0, 3.5], [1.0, 1.0]])
    np.testing.assert_array_equal(np.isnan(found), [[False, True], [False, False]])
    distinct = mixture_diversity([[3, 5], [2, 2]], [1], [[1], [0]], [[3.0, 3.5], [1.0, 1.0]])
    np.testing.assert_array_equal(np.isnan(distinct), [[False, True], [False, False]])


def test_fifty_thousand_draws_keep_their_digits() -> None:
    m, c, k = [50_000, 20_000], [1, 3], [40, 7]
    missed = [Fraction(comb(a - b, n), comb(a, n)) for a, b, n in zip(m, c, k, strict=True)]
    exact = float(1 - missed[0] * missed[1])
    drawn, correct, draws = (np.array(each)[:, None] for each in (m, c, k))
    assert mixture_coverage(drawn, correct, draws)[0, 0] == pytest.approx(exact, rel=1e-12)
    assert mixture_diversity(drawn, [0], correct, draws)[0, 0] == pytest.approx(exact, rel=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    drawn = np.full((2, 40), 60)
    owner, count = rng.integers(0, 40, 300), rng.integers(0, 4, (2, 300))
    draws = np.array([[1, 2.5, 9, 30], [0.5, 1, 9.25, 30]])
    whole = mixture_diversity(drawn, owner, count, draws)
    monkeypatch.setattr(mixtures, "BLOCK_CELLS", 8)
    np.testing.assert_array_equal(mixture_diversity(drawn, owner, count, draws), whole)


def test_nothing_asked_and_nothing_solved() -> None:
    assert mixture_coverage([[2]], [[0]], [[1.5]]).tolist() == [[0.0]]
    assert mixture_diversity([[2, 2]], [], [[]], [[1.5]]).tolist() == [[0.0], [0.0]]
    assert mixture_coverage([[2], [2]], [[0], [1]], [[], []]).shape == (1, 0)


@pytest.mark.parametrize(
    ("drawn", "correct", "draws", "why"),
    [
        ([[3], [3]], [[1], [4]], [[1], [1]], "between 0 and drawn"),
        ([[3], [3]], [[1], [-1]], [[1], [1]], "negative"),
        ([[3], [3]], [[1], [1]], [[1]], "row per model"),
        ([[3], [3]], [[1, 1], [1, 1]], [[1], [1]], "shape"),
        ([[3], [3]], [[1], [1]], [[1], [-0.5]], "at least 0"),
        ([[3], [3]], [[1], [1]], [[1], [float("nan")]], "finite"),
        ([3], [1], [1], "row per model"),
    ],
)
def test_tables_that_do_not_fit_are_refused(drawn: list[Any], correct: list[Any], draws: list[Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        mixture_coverage(drawn, correct, draws)


@pytest.mark.parametrize(
    ("problem", "multiplicity"), [([0, 0], [[2, 2], [0, 0]]), ([1], [[1], [1]]), ([0], [[1], [1], [1]]), ([0], [[1, 1]] * 2)]
)
def test_classes_that_do_not_fit_their_problem_are_refused(problem: list[int], multiplicity: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=r"problem|classes|row per model"):
        mixture_diversity([[3], [3]], problem, multiplicity, [[1], [1]])


def test_coverage_of_many_problems_equals_one_minus_the_product() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.integers(20, 40, (3, 50))
    correct = rng.binomial(drawn, 0.1)
    ks = np.array([[0, 3, 20], [1, 4, 20], [2, 5, 20]])
    missed = [1 - coverage_curve(m, c, k) for m, c, k in zip(drawn, correct, ks, strict=True)]
    np.testing.assert_allclose(mixture_coverage(drawn, correct, ks), 1 - missed[0] * missed[1] * missed[2], atol=1e-12)

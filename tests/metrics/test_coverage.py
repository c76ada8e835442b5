from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics.coverage import coverage_at_k, covered, pass_at_1


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

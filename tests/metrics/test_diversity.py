from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics.coverage import coverage_at_k
from isocost.metrics.diversity import distinct_key, diversity_curve


def enumerated(multiplicities: list[int], wrong: int, k: int) -> float:
    draws = [i for i, m in enumerate(multiplicities) for _ in range(m)] + [-1] * wrong
    subsets = list(combinations(draws, k))
    return sum(len(set(subset) - {-1}) for subset in subsets) / len(subsets)


@given(st.lists(st.integers(1, 4), max_size=4), st.integers(0, 3), st.data())
def test_small_cases_equal_enumeration(multiplicities: list[int], wrong: int, data: st.DataObject) -> None:
    m = sum(multiplicities) + wrong
    k = data.draw(st.integers(0, min(m, 6)))
    found = diversity_curve([m], [0] * len(multiplicities), multiplicities, [k])
    assert found[0, 0] == pytest.approx(enumerated(multiplicities, wrong, k), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6), st.integers(1, 8))
def test_one_class_a_problem_is_coverage(counts: list[tuple[int, int]], k: int) -> None:
    drawn = [wrong + right for wrong, right in counts]
    solved = [(i, right) for i, (_, right) in enumerate(counts) if right]
    found = diversity_curve(drawn, [i for i, _ in solved], [right for _, right in solved], [k])
    np.testing.assert_allclose(found[:, 0], coverage_at_k(drawn, [right for _, right in counts], k))


def test_all_draws_hold_every_class() -> None:
    assert diversity_curve([10, 5], [0, 0, 0, 1], [1, 2, 3, 5], [5])[1, 0] == pytest.approx(1.0)
    assert diversity_curve([10], [0, 0, 0], [1, 2, 3], [10])[0, 0] == pytest.approx(3.0)


def test_too_few_draws_are_undefined() -> None:
    assert np.isnan(diversity_curve([3], [0], [1], [4])[0, 0])


@pytest.mark.parametrize(("problem", "multiplicity"), [([0, 0], [2, 2]), ([1], [1]), ([-1], [1]), ([0], [1, 1])])
def test_classes_that_do_not_fit_their_problem_are_refused(problem: list[int], multiplicity: list[int]) -> None:
    with pytest.raises(ValueError, match=r"problem|classes"):
        diversity_curve([3], problem, multiplicity, [1])


def test_levels_merge_more_and_more() -> None:
    texts = ["3 + 4 = 7 apples", "3 + 4  = 7\napples", "Add: $3+$4=$7", "4 + 3 = 7"]
    assert [len({distinct_key(text, level) for text in texts}) for level in ("string", "normalised", "equations")] == [4, 3, 2]


def test_solutions_without_equations_are_told_apart_by_their_words() -> None:
    assert distinct_key("seven", "equations") != distinct_key("it is seven", "equations")


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown level"):
        distinct_key("x", "sound")  # type: ignore[arg-type]


def rarefied(m: int, multiplicities: list[int], k: int) -> float:
    """Naive rarefaction, in exact fractions."""
    return float("nan") if k > m else float(sum(1 - Fraction(comb(m - i, k), comb(m, k)) for i in multiplicities))


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=6), st.integers(0, 9)), max_size=6), st.lists(st.integers(0, 60), max_size=6)
)
def test_many_problems_and_many_k_at_once_equal_naive_rarefaction(problems: list[tuple[list[int], int]], ks: list[int]) -> None:
    drawn = [sum(classes) + wrong for classes, wrong in problems]
    owner = [i for i, (classes, _) in enumerate(problems) for _ in classes]
    found = diversity_curve(drawn, owner, [m for classes, _ in problems for m in classes], ks)
    expected = [[rarefied(m, classes, k) for k in ks] for m, (classes, _) in zip(drawn, problems, strict=True)]
    np.testing.assert_allclose(found, np.array(expected).reshape(len(problems), len(ks)), atol=1e-9)


def test_fifty_thousand_draws() -> None:
    classes = [1, 1, 2, 10, 500, 20_000]
    ks = [1, 30, 1_000, 49_999]
    found = diversity_curve([50_000], [0] * len(classes), classes, ks)
    np.testing.assert_allclose(found[0], [rarefied(50_000, classes, k) for k in ks], rtol=1e-9)


def test_neither_blocks_nor_the_order_of_classes_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    owner, drawn = rng.integers(0, 300, 4_000), np.full(300, 200)
    multiplicity = rng.integers(1, 5, 4_000)
    whole = diversity_curve(drawn, owner, multiplicity, [1, 5, 20])
    order = rng.permutation(4_000)
    monkeypatch.setattr("isocost.metrics.diversity.BLOCK_CELLS", 30)
    np.testing.assert_allclose(diversity_curve(drawn, owner[order], multiplicity[order], [1, 5, 20]), whole, rtol=1e-12)


def test_a_negative_multiplicity_is_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        diversity_curve([3], [0], [-1], [1])

"""Values of draws at known pass rates against enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isocost.forecasting import DistinctLaw
from isocost.forecasting.distinct import LOGIT_BINS, logit_bins
from isocost.forecasting.values import draw_values, group_values, kept_values, pair_values, sound_shares
from isocost.passrates.grid import RATES
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective

LAW = DistinctLaw([0, 0, 1], [2, 1, 2], [3, 2], [4, 4])
CELLS = (20, 60, 90)  # pass rates of .02, .5 and .997


def chance(k: int, c: int, p: float) -> float:
    return math.comb(k, c) * p**c * (1 - p) ** (k - c)


@pytest.mark.parametrize("cell", CELLS)
def test_one_model_s_values_are_sums_over_outcomes(cell: int) -> None:
    p = float(RATES[cell])
    distinct = LAW.expected(7, 2)[LOGIT_BINS[cell]]
    assert draw_values(Coverage(), [7], LAW)[0, cell] == pytest.approx(1 - chance(7, 0, p))
    assert draw_values(KeptPerProblem(2), [7], LAW)[0, cell] == pytest.approx(sum(chance(7, c, p) * distinct[c] for c in range(8)))
    unmixed = chance(3, 0, p) + chance(3, 3, p)
    assert draw_values(MixedGroups(3), [6], LAW)[0, cell] == pytest.approx(1 - unmixed**2)
    assert kept_values([5], None, LAW)[0, cell] == pytest.approx(
        sum(chance(5, c, p) * LAW.expected(5, None)[LOGIT_BINS[cell], c] for c in range(6))
    )


def test_only_whole_groups_count() -> None:
    """Of 7 draws, 4 are a group; a quarter of the problems has 8 draws at 7.25."""
    none, one, still, more, two = draw_values(MixedGroups(4), [3, 4, 7, 7.25, 8], LAW)
    assert not none.any()
    np.testing.assert_array_equal(still, one)
    np.testing.assert_allclose(more, 0.75 * one + 0.25 * two)
    np.testing.assert_allclose(two, 1.0 - (1.0 - one) ** 2)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(3), MixedGroups(4)])
def test_values_are_linear_between_whole_draws(objective: Objective) -> None:
    low, middle, high = draw_values(objective, [7.0, 7.25, 8.0], LAW)
    np.testing.assert_allclose(middle, 0.75 * low + 0.25 * high)
    np.testing.assert_allclose(draw_values(objective, [0.0], LAW), 0.0, atol=1e-12)


@pytest.mark.parametrize(("i", "j"), [(20, 60), (60, 90), (60, 60)])
def test_values_of_two_models_are_sums_over_both_outcomes(i: int, j: int) -> None:
    p, q = float(RATES[i]), float(RATES[j])
    distinct = LAW.expected(5, 3)[logit_bins(np.array((2 * p + 3 * q) / 5))]  # at the mean pass rate of the draws
    exact = sum(chance(2, a, p) * chance(3, b, q) * distinct[a + b] for a in range(3) for b in range(4))
    assert pair_values(KeptPerProblem(3), 2, 3, LAW)[i, j] == pytest.approx(exact)
    assert pair_values(Coverage(), 2, 3, LAW)[i, j] == pytest.approx(1 - (1 - p) ** 2 * (1 - q) ** 3)
    one, other = (chance(4, 0, r) + chance(4, 4, r) for r in (p, q))
    assert pair_values(MixedGroups(4), 4, 8, LAW)[i, j] == pytest.approx(1 - one * other**2)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(3), MixedGroups(4)])
def test_a_pair_with_no_draws_of_one_model_is_the_other_alone(objective: Objective) -> None:
    pair, alone = pair_values(objective, 5.5, 0, LAW), draw_values(objective, [5.5], LAW)[0]
    np.testing.assert_allclose(pair[:, 50], alone, atol=1e-12)


def simulated(objective: Objective, ks: tuple[int, int], ps: tuple[float, float], rates: tuple[float, float], size: int = 60_000) -> float:
    """Return the mean value of draws of two models, from outcomes and soundness that are drawn one by one.

    Every solution of a training set is sound or not by the model whose draw of it is kept, the first in a random order.
    """
    generator = np.random.default_rng(8)
    of = np.repeat([0, 1], ks)
    correct = generator.random((size, len(of))) < np.take(ps, of)
    sound = correct & (generator.random((size, len(of))) >= np.take(rates, of))
    if isinstance(objective, Coverage):
        return float(sound.any(axis=1).mean())
    if isinstance(objective, MixedGroups):
        counts = np.zeros(size, np.bool_)
        for start in range(0, len(of), objective.size):  # each model's draws are whole groups
            group = slice(start, start + objective.size)
            counts |= correct[:, group].any(axis=1) & ~correct[:, group].all(axis=1) & sound[:, group].any(axis=1)
        return float(counts.mean())
    logit_bin = np.full(size, logit_bins(np.array(np.dot(ks, ps) / sum(ks))))
    order, (theta, sigma) = generator.permuted(np.tile(np.arange(len(of)), (size, 1)), axis=1), LAW.draw(logit_bin, generator).T
    rows, seen, distinct, kept = np.arange(size), np.zeros(size), np.zeros(size), np.zeros(size)
    for place in order.T:
        right = correct[rows, place]
        chance = np.where(seen > 0, (theta + sigma * distinct) / np.maximum(theta + seen, 1e-300), 1.0)
        new = right & (generator.random(size) < chance)
        kept += new & sound[rows, place] & (distinct < objective.most)
        seen, distinct = seen + right, distinct + new
    return float(kept.mean())


@pytest.mark.parametrize("rate", [0.07, 0.4, 0.95])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(2), MixedGroups(3)])
def test_sound_solutions_of_one_model_are_those_of_a_simulation(objective: Objective, cell: int, rate: float) -> None:
    p = float(RATES[cell])
    found = draw_values(objective, [6], LAW, rate)[0, cell]
    assert found == pytest.approx(simulated(objective, (6, 0), (p, p), (rate, 0.0)), abs=0.01)


@pytest.mark.parametrize("rates", [(0.5, 0.1), (0.0, 0.3)])
@pytest.mark.parametrize(("i", "j"), [(45, 62), (90, 60)])
@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(2), KeptPerProblem(9), MixedGroups(3)])
def test_sound_solutions_of_two_models_are_those_of_a_simulation(objective: Objective, i: int, j: int, rates: tuple[float, float]) -> None:
    ps = float(RATES[i]), float(RATES[j])
    assert pair_values(objective, 3, 6, LAW, rates)[i, j] == pytest.approx(simulated(objective, (3, 6), ps, rates), abs=0.015)


@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(3), MixedGroups(4)])
def test_without_false_positives_nothing_changes_to_the_last_digit(objective: Objective) -> None:
    assert draw_values(objective, [5.5], LAW, 0.0).tolist() == draw_values(objective, [5.5], LAW).tolist()
    assert pair_values(objective, 4, 5.5, LAW, (0.0, 0.0)).tolist() == pair_values(objective, 4, 5.5, LAW).tolist()


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.999])
def test_a_group_counts_with_the_probability_of_one_group_of_draws(rate: float) -> None:
    np.testing.assert_allclose(group_values(4, rate), draw_values(MixedGroups(4), [4], LAW, rate)[0], atol=1e-12)


def test_the_share_of_sound_draws_is_one_where_none_is_correct() -> None:
    assert sound_shares(np.array([[0, 0], [2, 0], [1, 3]]), [0.5, 0.1]).tolist() == pytest.approx([1.0, 0.5, 0.8])


def test_impossible_problems_are_never_covered() -> None:
    assert draw_values(Coverage(), [10_000], LAW)[0, 0] == 0.0

"""Expected gains against enumeration of outcomes under a law that is known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from isocost.passrates import Posterior, States, fixed_prior
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Terms
from isocost.policies.gains import Gains, gains_of
from isocost.policies.tally import Tally
from tests.policies.buying import make_terms, seen

ALPHA, BETA = 0.8, 1.6
COSTS = {"a": 1.0, "b": 3.0}


def observed(terms: Terms, outcomes: dict[tuple[str, str], str], repeats: Sequence[tuple[str, str, int]] = ()) -> tuple[Tally, Gains]:
    """Return the tally and the gains after the outcomes of each pair, a text of + and -; repeats are correct draws that are not new."""
    tally = Tally(terms)
    gains = gains_of(terms, tally)
    each = [(p, m, i, sign == "+") for (p, m), text in outcomes.items() for i, sign in enumerate(text)]
    gains.observe(tally.observe([seen(p, m, i, correct, new=(p, m, i) not in repeats) for p, m, i, correct in each]))
    return tally, gains


def expected(tally: Tally, gains: Gains, model: int, depth: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the gains of each problem, float[depth, problems], under independent Beta(ALPHA, BETA) rates."""
    n = len(tally.drawn)
    states = States(counts=tally.counts, bins=np.full(n, -1), problems=np.ones(n, np.int64))
    return gains.expected(Posterior(fixed_prior(ALPHA, BETA), 2), states, gains.progress(), model, depth)


def sequences(successes: int, failures: int, draws: int) -> Iterator[tuple[tuple[bool, ...], float]]:
    """Yield every sequence of further outcomes with its probability, by the beta-binomial's rule of succession."""
    for outcomes in itertools.product([True, False], repeat=draws):
        probability, s, f = 1.0, successes, failures
        for correct in outcomes:
            rate = (ALPHA + s) / (ALPHA + BETA + s + f)
            probability *= rate if correct else 1 - rate
            s, f = s + correct, f + (not correct)
        yield outcomes, probability


@pytest.mark.parametrize("rates", [{}, {"a": 0.3}, {"a": 0.1, "b": 0.5}])
def test_gains_of_coverage(rates: dict[str, float]) -> None:
    terms = make_terms(3, COSTS, 99.0, objective=Coverage(), false_positive_rates=rates)
    tally, gains = observed(terms, {("p0", "a"): "-", ("p1", "a"): "+-", ("p1", "b"): "+", ("p2", "b"): "--"})
    phi = [rates.get(m, 0.0) for m in "ab"]
    assert gains.open().tolist() == [True, bool(phi[0] * phi[1]), True]
    for model in (0, 1):
        found = expected(tally, gains, model, 4)
        for problem in range(3):
            s, f = tally.counts[problem, model]
            unsound = np.prod(np.power(phi, tally.counts[problem, :, 0]))
            for j in range(4):
                # A draw gains if it is the first sound one.
                by_hand = sum(q * o[-1] * (1 - phi[model]) * phi[model] ** sum(o[:-1]) for o, q in sequences(s, f, j + 1))
                assert found[j, problem] == pytest.approx(unsound * by_hand, rel=0.02, abs=1e-12)


@pytest.mark.parametrize("rates", [{}, {"a": 0.25}])
def test_gains_of_kept_solutions(rates: dict[str, float]) -> None:
    terms = make_terms(4, COSTS, 99.0, objective=KeptPerProblem(3), false_positive_rates=rates)
    outcomes = {("p0", "a"): "--", ("p1", "a"): "+-", ("p2", "a"): "+", ("p2", "b"): "+", ("p3", "a"): "+++"}
    tally, gains = observed(terms, outcomes)
    assert gains.open().tolist() == [True, True, True, False]
    assert gains.progress().tolist() == [[0], [1], [2], [3]]
    found = expected(tally, gains, 0, 4)
    for problem, held in enumerate([0, 1, 2]):
        s, f = tally.counts[problem, 0]
        for j in range(4):
            by_hand = sum(q for o, q in sequences(s, f, j + 1) if o[-1] and sum(o[:-1]) < 3 - held)
            assert found[j, problem] == pytest.approx((1 - rates.get("a", 0.0)) * by_hand, rel=0.02)
    assert found[:, 3].tolist() == [0.0] * 4


def test_repeated_solutions_do_not_count_and_lower_the_gain_of_the_next() -> None:
    terms = make_terms(9, COSTS, 99.0, objective=KeptPerProblem(2))
    pairs = {(f"p{i}", "a"): "++" for i in range(8)}
    tally, gains = observed(terms, pairs, repeats=[(f"p{i}", "a", 1) for i in range(8)])
    assert gains.progress()[:, 0].tolist() == [1] * 8 + [0]
    found = expected(tally, gains, 0, 1)[0]
    rate = (ALPHA + 2) / (ALPHA + BETA + 2)
    assert found[0] == pytest.approx(rate * 4 / 12, rel=0.02), "8 second solutions were old; the prior counts 4 new ones"
    assert found[8] == pytest.approx(ALPHA / (ALPHA + BETA), rel=0.02), "first ones were all new"


@pytest.mark.parametrize("rates", [{}, {"a": 0.25}])
def test_gains_of_mixed_groups_with_groups_under_way(rates: dict[str, float]) -> None:
    terms = make_terms(6, COSTS, 99.0, objective=MixedGroups(4), false_positive_rates=rates)
    under_way = ["", "-", "++", "+-", "----+", "-+--"]
    tally, gains = observed(terms, {(f"p{i}", "a"): text for i, text in enumerate(under_way)})
    assert gains.open().tolist() == [True] * 5 + [False]
    assert gains.purchase(0).tolist() == [4, 3, 2, 2, 3, 4]
    assert gains.purchase(1).tolist() == [4] * 6
    found = expected(tally, gains, 0, 2)
    for problem, text in enumerate(under_way[:5]):
        s, f = tally.counts[problem, 0]
        group = [sign == "+" for sign in text[len(text) // 4 * 4 :]]
        by_hand = sum(q for o, q in sequences(s, f, 4 - len(group)) if 0 < sum(group) + sum(o) < 4)
        assert found[0, problem] == pytest.approx((1 - rates.get("a", 0.0)) * by_hand, rel=0.02)
    assert found[1].tolist() == [0.0] * 6

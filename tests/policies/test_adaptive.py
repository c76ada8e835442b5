"""The adaptive policy: what it buys in cases where the answer is known."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from isocost.errors import BudgetError
from isocost.passrates import PAPER, Law, fixed_prior, law_prior
from isocost.policies import load_policy
from isocost.policies.adaptive import Adaptive, label_bins
from isocost.policies.base import KeptPerProblem, MixedGroups
from isocost.policies.firsthit import FirstHit
from tests.policies.buying import buy, make_terms

PRIOR = fixed_prior(0.5, 1.0)


def test_it_ends_when_all_problems_are_solved() -> None:
    terms = make_terms(5, {"a": 1.0}, 100.0)
    bought = buy(load_policy("adaptive", terms), terms, lambda *_: True)
    assert len(bought.draws) == 5
    assert bought.solved() == set(terms.problem_ids)


def test_with_one_model_it_buys_what_first_hit_buys() -> None:
    """One model and exchangeable problems: fewest failures first, solved ones dropped."""
    terms = make_terms(12, {"a": 1.0}, 60.0)

    def correct(problem: str, _: str, index: int) -> bool:
        return index >= int(problem[1:])

    greedy = buy(Adaptive(terms, PRIOR, growth=0.0, smallest=0.0), terms, correct)
    other = buy(FirstHit(terms, growth=0.0, smallest=0.0), terms, correct)
    assert greedy.draws == other.draws


def test_it_buys_the_purchase_with_the_highest_gain_per_cost() -> None:
    """By hand, with independent Beta(.5, 1) rates: after f failures a draw gains .5 / (1.5 + f)."""
    costs = {"a": 1.0, "b": 2.5}
    terms = make_terms(3, costs, 40.0)
    bought = buy(Adaptive(terms, PRIOR, growth=0.0, smallest=0.0), terms, lambda *_: False)
    failures: Counter[tuple[str, str]] = Counter()
    for problem, model, _ in bought.draws:
        index = {(p, m): 0.5 / (1.5 + failures[p, m]) / cost for p in terms.problem_ids for m, cost in costs.items()}
        left = terms.amount - sum(costs[m] * k for (_, m), k in failures.items())  # type: ignore[operator]
        best = max(value for (_, m), value in index.items() if costs[m] <= left)
        assert index[problem, model] == pytest.approx(best, rel=0.02)
        failures[problem, model] += 1
    assert 39.0 < sum(costs[m] * k for (_, m), k in failures.items()) <= 40.0


def test_what_does_not_pay_for_the_better_model_is_spent_on_the_other() -> None:
    law = Law(marginals=((0.1, 10.0), (10.0, 1.0)), correlation=0.5)
    terms = make_terms(4, {"a": 1.0, "b": 5.0}, 9.0)
    bought = buy(Adaptive(terms, law_prior(law)), terms, lambda *_: False)
    assert Counter(m for _, m, _ in bought.draws) == {"b": 1, "a": 4}


def test_exhausted_pairs_are_skipped() -> None:
    available = {(f"p{i}", "a"): i for i in range(4)} | {(f"p{i}", "b"): 2 for i in range(4)}
    terms = make_terms(4, {"a": 1.0, "b": 3.0}, 1_000.0, available=available)
    bought = buy(Adaptive(terms, PRIOR), terms, lambda *_: False)
    assert Counter((p, m) for p, m, _ in bought.draws) == {pair: count for pair, count in available.items() if count}


def test_groups_are_bought_whole_from_one_model() -> None:
    available = {("p0", "a"): 7}
    terms = make_terms(6, {"a": 1.0, "b": 2.0}, 150.0, objective=MixedGroups(4), available=available, piloted={("p1", "a"): 1})
    bought = buy(Adaptive(terms, PRIOR), terms, lambda problem, _, index: problem == "p5" and index == 2)
    counts = Counter((p, m) for p, m, _ in bought.pilot + bought.draws)
    assert all(count % 4 == 0 for count in counts.values())
    assert counts["p0", "a"] == 4, "of 7 recorded draws the last 3 are no group"
    assert sum(counts["p5", m] for m in "ab") == 4, "its first group is mixed"
    for draws in bought.rounds:
        assert all(len({m for p, m, _ in draws if p == problem}) == 1 for problem, _, _ in draws)


def test_kept_solutions_are_bought_up_to_the_number_that_is_wanted() -> None:
    terms = make_terms(5, {"a": 1.0}, 1_000.0, objective=KeptPerProblem(3), available={(f"p{i}", "a"): 20 for i in range(5)})
    bought = buy(Adaptive(terms, PRIOR, growth=0.0, smallest=0.0), terms, lambda problem, _, index: problem != "p0" and index % 2 == 0)
    assert Counter(p for p, _, _ in bought.draws) == {"p0": 20, "p1": 5, "p2": 5, "p3": 5, "p4": 5}


def test_three_models_are_asked_in_the_order_of_what_they_are_worth() -> None:
    law = Law(marginals=((0.1, 5.0), (2.0, 2.0), (2.0, 1.0)), correlation=0.6)
    terms = make_terms(10, {"tiny": 1.0, "weak": 2.0, "strong": 8.0}, 20.0)
    assert {m for _, m, _ in buy(Adaptive(terms, law_prior(law)), terms, lambda *_: False).draws[:10]} == {"weak"}


def test_a_label_that_goes_with_success_decides_which_problems_are_tried() -> None:
    """The sign of the label is learned: half of the problems are piloted, and those with a high label succeed."""
    labels = {f"p{i}": float(i) for i in range(200)}
    piloted = {(f"p{i}", "a"): 4 for i in range(0, 200, 2)}
    terms = make_terms(200, {"a": 1.0}, 430.0, labels=labels, piloted=piloted)
    bought = buy(Adaptive(terms), terms, lambda problem, *_: int(problem[1:]) >= 100)
    tried = [int(p[1:]) for p, _, _ in bought.draws]
    assert np.mean([i >= 100 for i in tried]) > 0.9


def test_labels_fall_into_bins_by_rank_and_equal_ones_into_the_same() -> None:
    bins, scores = label_bins([None, 5.0, 1.0, 5.0, 3.0])
    assert scores is not None
    assert bins[0] == -1
    assert bins[1] == bins[3] > bins[4] > bins[2]
    assert scores == pytest.approx([-1.150, -0.319, 0.674], abs=0.001), "normal quantiles of 1/8, 3/8 and 6/8"
    many, scores = label_bins([float(i) ** 3 for i in range(1_000)])
    assert scores is not None
    assert len(scores) == 16
    assert np.bincount(many).tolist() == pytest.approx([62.5] * 16, abs=1)
    for nothing in ([None, None], [2.0, 2.0], []):
        assert label_bins(nothing)[1] is None


def test_rounds_cost_five_percent_of_what_was_spent_before() -> None:
    law = PAPER["MATH"]
    generator = np.random.default_rng(1)
    rates = dict(zip([f"p{i}" for i in range(100)], law.rates(100, generator), strict=True))
    terms = make_terms(100, {"weak": 1.0, "strong": 3.0}, 600.0)
    bought = buy(Adaptive(terms, PRIOR), terms, lambda p, m, _: bool(generator.random() < rates[p][0 if m == "weak" else 1]))
    spent = 0.0
    for draws in bought.rounds:
        cost = sum(terms.expected[m] for _, m, _ in draws)
        assert cost <= max(0.05 * spent, 10.0) + 3.0
        spent += cost
    assert spent > 597.0


def test_a_shared_prompt_makes_another_draw_of_the_same_problem_cheaper() -> None:
    terms = make_terms(2, {"a": 10.0}, 12.5, prompt={"a": 9.0})
    bought = buy(Adaptive(terms, PRIOR, growth=0.0, smallest=0.0), terms, lambda *_: False)
    assert [(p == bought.draws[0][0], i) for p, _, i in bought.draws] == [(True, 0), (True, 1), (True, 2)]


def test_a_budget_that_buys_nothing_is_refused() -> None:
    with pytest.raises(BudgetError, match=r"^a budget of 2\.0 FLOPs does not pay for one draw of model a, 3\.0 FLOPs\n"):
        load_policy("adaptive", make_terms(2, {"a": 3.0, "b": 4.0}, 2.0)).propose()

"""Counts and money of policies that observe."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.arrays import Ints
from isocost.errors import BudgetError
from isocost.policies.base import Observation
from isocost.policies.firsthit import FirstHit
from isocost.policies.tally import Tally
from isocost.records import Outcome, Verdict
from tests.policies.buying import buy, draws, make_terms, seen


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


def test_observations_are_counted_per_pair() -> None:
    tally = Tally(make_terms(2, {"a": 1.0, "b": 2.0}, 20.0))
    ungraded = Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="time_limit")
    tally.observe([seen("p1", "b", 0, True), seen("p1", "b", 1, False), seen("p0", "a", 0, False)])
    tally.observe([Observation(problem_id="p0", model="a", sample_index=1, verdict=ungraded, cost=1.0)])
    assert tally.drawn.tolist() == [[2, 0], [0, 2]]
    assert tally.counts.tolist() == [[[0, 2], [0, 0]], [[0, 0], [1, 1]]]
    assert tally.spent_on.tolist() == [2.0, 4.0]
    assert (tally.spent, tally.left) == (6.0, 14.0)


def test_a_proposal_counts_when_it_is_observed() -> None:
    """A resumed run may replay another round than the one that is proposed."""
    tally = Tally(make_terms(2, {"a": 1.0}, 20.0))
    assert draws(tally.allocate(ints(0), ints(0), ints(3))) == [("p0", "a", i) for i in range(3)]
    tally.observe([seen("p1", "a", 0, True)])
    assert tally.drawn.tolist() == [[0], [1]]
    assert draws(tally.allocate(ints(0, 1), ints(0, 0), ints(1, 1))) == [("p0", "a", 0), ("p1", "a", 1)]


def test_planned_draws_of_a_problem_pay_their_shared_prompt_once() -> None:
    tally = Tally(make_terms(2, {"a": 5.0}, 30.0, prompt={"a": 4.0}))
    assert next_prompts(tally) == [4.0, 4.0]
    tally.observe([seen("p0", "a", i, False, cost=99.0) for i in range(3)])
    assert tally.spent == 7.0
    assert next_prompts(tally) == [0.0, 4.0]
    assert tally.expected_costs().tolist() == [[1.0], [1.0]]


def next_prompts(tally: Tally) -> list[float]:
    """The cost of the prompt that the next draw of each problem from the first model reads."""
    problems = np.arange(len(tally.drawn))
    found: list[float] = tally.prompts(problems, ints(0), ints(1), ints(0)).tolist()
    return found


def test_planned_draws_pay_a_prompt_with_each_request() -> None:
    """At most two draws a request: three draws of a round are two requests, and each round makes requests of its own."""
    tally = Tally(make_terms(2, {"a": 5.0}, 99.0, prompt={"a": 4.0}, per_request={"a": 2}))
    tally.observe([seen("p0", "a", i, False) for i in range(3)])
    assert tally.spent == 2 * 4 + 3
    tally.observe([seen("p0", "a", 3, False), seen("p1", "a", 0, False), seen("p0", "a", 4, False)])
    assert tally.spent == 4 * 4 + 6
    assert next_prompts(tally) == [4.0, 4.0]


def test_purchases_of_a_round_that_begin_another_request_cost_its_prompt() -> None:
    tally = Tally(make_terms(2, {"a": 5.0}, 15.0, prompt={"a": 4.0}, per_request={"a": 2}))
    fits = tally.fits(ints(0, 0, 1, 0, 1), ints(0, 0, 0, 0, 0), ints(1, 1, 1, 1, 1))
    assert fits.tolist() == [True, True, True, False, True], "5 + 1 + 5 of 15: a third draw of p0 costs 5, a second of p1 1"
    assert tally.affords(ints(5)).tolist() == [[False], [False]], "three requests: 3 * 4 + 5"
    assert tally.affords(ints(4)).tolist() == [[True], [True]]


def test_realised_costs_are_learned_per_model_and_problem() -> None:
    tally = Tally(make_terms(3, {"a": 1.0, "b": 10.0}, 1e6, basis="realised"))
    tally.observe([seen(f"p{i}", "a", j, False, cost=4.0 if i == 0 else 1.0) for i in range(2) for j in range(200)])
    costs = tally.expected_costs()
    assert costs[:, 0] == pytest.approx([4.0, 1.0, 2.5], rel=0.05)
    assert costs[:, 1] == pytest.approx([16.0, 4.0, 10.0], rel=0.05), "long questions have long answers from every model"


def test_purchases_that_do_not_fit_are_passed_over_and_cheaper_ones_taken() -> None:
    tally = Tally(make_terms(3, {"a": 1.0, "b": 5.0}, 8.0))
    assert tally.fits(ints(0, 1, 1, 2, 2), ints(1, 1, 0, 1, 0), ints(1, 1, 1, 1, 3)).tolist() == [True, False, True, False, False]
    assert tally.fits(ints(0, 0), ints(0, 0), ints(2, 2), limit=3.0).tolist() == [True, False]


def test_a_later_draw_of_a_pair_is_not_taken_without_the_first_that_reads_its_prompt() -> None:
    tally = Tally(make_terms(2, {"a": 5.0}, 7.0, prompt={"a": 4.0}))
    fits = tally.fits(ints(0, 1, 1, 0), ints(0, 0, 0, 0), ints(1, 1, 1, 1))
    assert fits.tolist() == [True, False, False, True], "5 + 1 of 7: the first draw of p1 costs 5, and its second 1 only after that"


def test_realised_purchases_fit_at_their_worst_case() -> None:
    tally = Tally(make_terms(1, {"a": 1.0}, 9.0, basis="realised", worst={"a": 3.0}))
    assert tally.fits(ints(0, 0, 0, 0), ints(0, 0, 0, 0), ints(1, 1, 1, 1)).tolist() == [True, True, True, False]
    assert tally.affords(ints(3)).tolist() == [[True]]
    assert tally.affords(ints(4)).tolist() == [[False]]


def test_a_multiple_of_the_cost_is_spent_to_the_last_draw() -> None:
    terms = make_terms(7, {"a": 0.1}, 0.1 * 3_000)
    assert len(buy(FirstHit(terms), terms, lambda *_: False).draws) == 3_000


def test_draws_that_cost_nothing_do_not_go_on_forever() -> None:
    terms = make_terms(3, {"a": 1.0}, 20.0, basis="realised", worst={"a": 2.0})
    assert len(buy(FirstHit(terms), terms, lambda *_: False, lambda *_: 0.0).draws) == 19


def test_a_draw_longer_than_its_worst_case_ends_the_purchases() -> None:
    terms = make_terms(3, {"a": 1.0}, 5.0, basis="realised")
    assert len(buy(FirstHit(terms), terms, lambda *_: False, lambda *_: 9.0).draws) == 3


def test_a_pilot_that_costs_more_than_the_budget_is_refused_and_one_that_uses_it_up_is_not() -> None:
    terms = make_terms(2, {"a": 1.0}, 3.0, piloted={("p0", "a"): 4})
    with pytest.raises(BudgetError, match=r"^a budget of 1\.5 FLOPs per problem does not pay for the pilot, which cost 2\.0 FLOPs per"):
        buy(FirstHit(terms), terms, lambda *_: False)
    terms = make_terms(2, {"a": 1.0}, 4.0, piloted={("p0", "a"): 4})
    assert buy(FirstHit(terms), terms, lambda *_: False).draws == []

"""The policy first-hit against closed forms, draw by draw."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.errors import BudgetError
from isocost.passrates import PAPER
from isocost.policies import load_policy
from isocost.policies.firsthit import FirstHit
from tests.policies.buying import buy, make_terms

# Law, cap k, and the share of the cost of k draws per problem: docs/method.md and method.md 5.3.
MATH, GSM8K = PAPER["MATH"].marginals, PAPER["GSM8K"].marginals
CLOSED_FORMS = [
    ((0.5, 0.75), 30, 0.253),
    ((2.0, 0.5), 30, 0.049),
    ((0.3, 2.0), 30, 0.555),
    (MATH[0], 30, 0.419),
    (MATH[1], 10, 0.520),
    (GSM8K[0], 30, 0.099),
    (GSM8K[1], 10, 0.174),
]


@pytest.mark.parametrize(("law", "k", "share"), CLOSED_FORMS)
def test_the_closed_form_is_the_published_one(law: tuple[float, float], k: int, share: float) -> None:
    p = np.random.default_rng(1).beta(*law, 1_000_000).clip(1e-12)
    each = (1 - (1 - p) ** k) / p / k
    assert each.mean() == pytest.approx(share, abs=0.0006 + 4 * each.std() / 1000)


@pytest.mark.parametrize(("law", "k", "share"), CLOSED_FORMS)
def test_with_a_cap_it_covers_what_k_draws_do_at_the_closed_form_of_their_cost(law: tuple[float, float], k: int, share: float) -> None:
    generator = np.random.default_rng(2)
    p = generator.beta(*law, 500)
    outcomes = generator.random((500, k)) < p[:, None]
    terms = make_terms(500, {"m": 1.0}, 1e6, available={(f"p{i}", "m"): k for i in range(500)})
    bought = buy(FirstHit(terms, growth=0.0), terms, lambda problem, _, index: bool(outcomes[int(problem[1:]), index]))
    assert bought.solved() == {f"p{i}" for i in np.flatnonzero(outcomes.any(axis=1))}
    each = np.bincount([int(problem[1:]) for problem, _, _ in bought.draws], minlength=500)
    np.testing.assert_array_equal(each, np.where(outcomes.any(axis=1), outcomes.argmax(axis=1) + 1, k))
    assert each.mean() / k == pytest.approx(share, abs=4 * each.std() / k / np.sqrt(500))


def test_every_problem_has_its_first_draw_before_any_has_a_second() -> None:
    terms = make_terms(40, {"m": 1.0}, 100.0, seed=3)
    rounds = buy(FirstHit(terms), terms, lambda problem, *_: int(problem[1:]) % 2 == 0).rounds
    assert {(p, i) for p, _, i in rounds[0]} == {(f"p{i}", 0) for i in range(40)}
    assert {(p, i) for p, _, i in rounds[1]} == {(f"p{i}", 1) for i in range(1, 40, 2)}
    assert sum(map(len, rounds)) == 100


def test_which_problems_the_last_money_goes_to_is_drawn_by_seed() -> None:
    chosen = set()
    for seed in range(5):
        terms = make_terms(30, {"m": 1.0}, 10.0, seed=seed)
        chosen.add(frozenset(p for p, _, _ in buy(FirstHit(terms), terms, lambda *_: False).draws))
    assert len(chosen) == 5


def test_piloted_problems_wait_until_the_others_have_as_many_draws() -> None:
    piloted = {("p0", "m"): 3, ("p1", "m"): 1}
    terms = make_terms(3, {"m": 1.0}, 10.0, piloted=piloted)
    bought = buy(FirstHit(terms), terms, lambda *_: False)
    assert [sorted((p, i) for p, _, i in draws) for draws in bought.rounds[:3]] == [
        [("p2", 0)],
        [("p1", 1), ("p2", 1)],
        [("p1", 2), ("p2", 2)],
    ]


def test_rounds_grow_when_few_problems_are_open_at_five_percent_of_the_cost_at_most() -> None:
    terms = make_terms(400, {"m": 1.0}, 5_000.0)
    rounds = buy(FirstHit(terms), terms, lambda problem, *_: problem != "p7").rounds
    assert len(rounds[0]) == 400
    assert [len(draws) for draws in rounds[1:3]] == [20, 21]
    spent = 0
    for draws in rounds:
        assert len(draws) <= max(400, 0.05 * spent)
        spent += len(draws)
    assert spent == 5_000
    assert len(rounds) < 60


def test_rounds_of_one_draw_are_bought_one_at_a_time() -> None:
    terms = make_terms(5, {"m": 1.0}, 12.0)
    assert [len(draws) for draws in buy(FirstHit(terms, growth=0.0, smallest=0.0), terms, lambda *_: False).rounds] == [1] * 12


@pytest.mark.parametrize(
    ("costs", "amount", "message"),
    [
        ({"a": 1.0, "b": 1.0}, 9.0, "the policy first-hit takes one model, got 2: a, b"),
        ({"a": 1.0}, None, "a policy that observes outcomes spends a budget; samples_per_problem is for the policy uniform"),
        ({"a": 4.0}, 3.0, "a budget of 3.0 FLOPs does not pay for one draw of model a, 4.0 FLOPs"),
    ],
)
def test_terms_that_it_cannot_use_are_refused_in_one_line(costs: dict[str, float], amount: float | None, message: str) -> None:
    with pytest.raises(BudgetError) as caught:
        load_policy("first-hit", make_terms(2, costs, amount)).propose()
    assert caught.value.happened == message

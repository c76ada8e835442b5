"""Properties of all policies: random terms, random outcomes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from isocost.errors import BudgetError
from isocost.passrates import fixed_prior
from isocost.policies import FIXED, ONE_MODEL, POLICIES, SEVERAL_MODELS, load_policy
from isocost.policies.adaptive import Adaptive
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Policy, Terms
from isocost.records import Outcome, Verdict
from tests.policies.buying import INCORRECT, Bought, Draw, buy, make_terms

MODELS = ("a", "b", "c")
FEWER = settings(max_examples=settings().max_examples // 3)  # an example is a whole run


@dataclass(frozen=True)
class World:
    """Terms, and the outcome and cost of every draw, by a seed."""

    terms: Terms
    seed: int
    rate: float

    def correct(self, problem: str, model: str, index: int) -> bool:
        of_problem = (0.0, 0.5, 1.0)[self._number(problem) % 3]
        return self._number(problem, model, index) % 100 < 100 * of_problem * self.rate

    def cost(self, problem: str, model: str, index: int) -> float:
        share = (0.05, 0.1, 0.3, 1.0)[self._number(problem, model, index, 1) % 4]
        return share * self.terms.worst[model]

    def _number(self, problem: str, *others: str | int) -> int:
        # Hashes of numbers, other than those of texts, are the same in every process.
        return hash((self.seed, int(problem[1:]), *(ord(o) if isinstance(o, str) else o for o in others))) >> 7

    def paid(self, draw: Draw) -> float:
        """Return what a draw costs under the basis of the terms, if it is asked for alone."""
        _, model, index = draw
        if self.terms.basis == "realised":
            return self.cost(*draw)
        return self.terms.expected[model] - (self.terms.prompt[model] if index and not self.terms.per_request else 0.0)

    def spent(self, bought: Bought) -> dict[str, float]:
        """Return what the pilot and all rounds cost under the basis of the terms, by model."""
        totals = dict.fromkeys(self.terms.models, 0.0)
        for draws in (bought.pilot, *bought.rounds):
            if not self.terms.per_request or self.terms.basis == "realised":
                for draw in draws:
                    totals[draw[1]] += self.paid(draw)
                continue
            for (_, model), count in Counter(draw[:2] for draw in draws).items():
                prompt = self.terms.prompt[model]
                totals[model] += math.ceil(count / self.terms.per_request[model]) * prompt + count * (self.terms.expected[model] - prompt)
        return totals

    def buy(self, name: str) -> Bought:
        return buy(policy_of(name, self.terms), self.terms, self.correct, self.cost)


def policy_of(name: str, terms: Terms) -> Policy:
    """Return a policy; the adaptive one with a single law and large rounds, which is quicker."""
    return Adaptive(terms, fixed_prior(0.5, 1.0), growth=0.5) if name == "adaptive" else load_policy(name, terms)


costs = st.one_of(st.integers(1, 9).map(float), st.floats(0.3, 9.0))
pairs = st.tuples(st.integers(0, 5), st.sampled_from(MODELS))


@st.composite
def worlds(draw: st.DrawFn, name: str) -> World:
    n, least = draw(st.integers(1, 6)), 2 if name in SEVERAL_MODELS else 1
    models = MODELS[: 1 if name in ONE_MODEL else draw(st.integers(least, 3))]
    basis = draw(st.sampled_from(["planned", "realised"]))
    expected = {m: draw(costs) for m in models}
    shared = basis == "planned" and draw(st.booleans())
    piloted = {
        (f"p{i}", m): k for (i, m), k in draw(st.dictionaries(pairs, st.integers(1, 3), max_size=3)).items() if i < n and m in models
    }
    recorded = {
        (f"p{i}", m): k for (i, m), k in draw(st.dictionaries(pairs, st.integers(0, 9), max_size=9)).items() if i < n and m in models
    }
    terms = make_terms(
        n,
        expected,
        draw(st.one_of(st.integers(4, 60).map(float), st.floats(4.0, 60.0))),
        basis=basis,
        worst={m: cost * draw(st.sampled_from([1.0, 2.5])) for m, cost in expected.items()},
        prompt={m: cost * (draw(st.sampled_from([0.0, 0.2, 0.7])) if shared else 0.0) for m, cost in expected.items()},
        per_request=dict.fromkeys(models, draw(st.integers(2, 4))) if shared and draw(st.booleans()) else {},
        seed=draw(st.integers(0, 3)),
        piloted=piloted,
        available={pair: max(count, piloted.get(pair, 0)) for pair, count in recorded.items()},
        objective=draw(st.sampled_from([Coverage(), KeptPerProblem(2), MixedGroups(3)])),
        false_positive_rates=draw(st.sampled_from([{}, dict.fromkeys(models, 0.2)])),
        labels=draw(st.sampled_from([{}, {f"p{i}": float(i % 3) for i in range(n)}])),
        shares={m: 2.0**-i / 2 for i, m in enumerate(models)} if draw(st.booleans()) else {},
        target=draw(st.integers(1, 3)),
        by_difficulty=draw(st.booleans()),
    )
    return World(terms, draw(st.integers(0, 99)), draw(st.sampled_from([0.0, 0.5, 1.0])))


def bought_in(world: World, name: str) -> Bought:
    """Buy in a world whose budget buys something."""
    try:
        return world.buy(name)
    except BudgetError:
        reject()


@pytest.mark.parametrize("name", [*sorted(set(POLICIES) - {"adaptive"}), pytest.param("adaptive", marks=pytest.mark.slow)])
@FEWER
@given(data=st.data())
def test_a_policy_keeps_to_its_money_and_takes_recorded_draws_in_their_order(name: str, data: st.DataObject) -> None:
    world = data.draw(worlds(name))
    bought = bought_in(world, name)
    spent = sum(world.spent(bought).values())
    assert spent <= world.terms.amount * (1 + 1e-8)  # type: ignore[operator]
    taken = Counter(world.terms.piloted)
    for problem, model, index in bought.draws:
        assert index == taken[problem, model]
        taken[problem, model] += 1
    for pair, count in world.terms.available.items():
        assert taken[pair] <= count
    assert world.buy(name).rounds == bought.rounds


@pytest.mark.parametrize("name", sorted(FIXED))
@FEWER
@given(data=st.data())
def test_draws_of_a_fixed_policy_do_not_depend_on_outcomes(name: str, data: st.DataObject) -> None:
    world = data.draw(worlds(name))
    bought = bought_in(world, name)
    opposite = buy(policy_of(name, world.terms), world.terms, lambda *draw: not world.correct(*draw), world.cost)
    assert opposite.rounds == bought.rounds


def still_open(world: World, name: str, bought: Bought) -> set[str]:
    """Return the problems that a policy has not finished, by its definition."""
    terms = world.terms
    correct = Counter(o.problem_id for o in bought.observations if o.verdict.correct)
    drawn = Counter(o.problem_id for o in bought.observations)
    targets = dict.fromkeys(terms.problem_ids, 1)
    if name == "dart":
        targets = dict.fromkeys(terms.problem_ids, terms.target)
        if terms.by_difficulty:
            for p in terms.problem_ids:
                needed = terms.target * (drawn[p] - correct[p] + 1) / (drawn[p] + 2)
                targets[p] = next(t for t in range(1, 9) if t >= needed - 1e-9)
    elif name in FIXED:
        return set(terms.problem_ids)
    return {p for p in terms.problem_ids if correct[p] < targets[p]}


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"adaptive"}))
@FEWER
@given(data=st.data())
def test_money_is_left_only_if_nothing_is_left_to_buy_with_it(name: str, data: st.DataObject) -> None:
    world = data.draw(worlds(name))
    terms, bought = world.terms, bought_in(world, name)
    shares = terms.shares or {m: 1 / len(terms.models) for m in terms.models}
    shares = shares if name in SEVERAL_MODELS else dict.fromkeys(terms.models, 1.0)
    paid = world.spent(bought)
    # The money of a cascade goes on to the most expensive model.
    last = max(terms.models, key=lambda m: terms.expected[m])
    for model in terms.models:
        left = terms.amount * shares[model] - paid[model]  # type: ignore[operator]
        if name == "cascade":
            if model != last or len(set(terms.expected.values())) < len(terms.models):
                continue
            left = terms.amount * sum(shares.values()) - sum(paid.values())  # type: ignore[operator]
        taken = Counter(p for p, m, _ in bought.pilot + bought.draws if m == model)
        for problem in still_open(world, name, bought):
            if taken[problem] < terms.available.get((problem, model), 10**9):
                next_draw = terms.worst[model] if terms.basis == "realised" else world.paid((problem, model, taken[problem]))
                if name in FIXED:  # all problems get as many, so that the next draw may be that of a problem without one
                    next_draw = max(next_draw, terms.expected[model])
                assert left < next_draw * (1 + 1e-8), (problem, model)


@pytest.mark.slow
@FEWER
@given(data=st.data())
def test_the_adaptive_policy_spends_what_pays_for_any_purchase_that_gains(data: st.DataObject) -> None:
    world = data.draw(worlds("adaptive"))
    terms = replace(world.terms, objective=Coverage(), false_positive_rates={})
    world = replace(world, terms=terms)
    bought = bought_in(world, "adaptive")
    left = terms.amount - sum(world.spent(bought).values())  # type: ignore[operator]
    taken = Counter((p, m) for p, m, _ in bought.pilot + bought.draws)
    for problem in set(terms.problem_ids) - bought.solved():
        for model in terms.models:
            if taken[problem, model] < terms.available.get((problem, model), 10**9):
                price = terms.worst[model] if terms.basis == "realised" else world.paid((problem, model, taken[problem, model]))
                assert left < price * (1 + 1e-8)


@pytest.mark.parametrize("policy", ["adaptive", "first-hit", "dart", "cascade"])
@pytest.mark.parametrize("objective", [Coverage(), KeptPerProblem(most=2)])
def test_a_problem_without_an_answer_gets_what_an_unsolved_one_gets(policy: str, objective: Coverage | KeptPerProblem) -> None:
    """As where an endpoint's filter refuses the problem, or no grader can judge its answers."""
    models = MODELS[:1] if policy in ONE_MODEL else MODELS[:2]
    terms = make_terms(12, dict.fromkeys(models, 1.0), 120.0, objective=objective)
    taken = []
    for verdict in (INCORRECT, Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="refused")):
        bought = buy(load_policy(policy, terms), terms, lambda _problem, _model, index: index % 2 == 1, of={"p3": verdict})
        taken.append(bought.draws)
    assert taken[0] == taken[1]
    assert any(problem == "p3" for problem, _, _ in taken[0])

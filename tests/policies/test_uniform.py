import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isocost.costs.flops import flops_per_token
from isocost.errors import BudgetError, StudyError
from isocost.policies import POLICIES, load_policy
from isocost.policies.base import Observation, Policy, Terms
from isocost.policies.uniform import affordable, affordable_draws, build
from isocost.records import Allocation, Basis, Outcome, Verdict
from tests.policies.buying import make_terms

VERDICT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
Draw = tuple[str, int]


def terms(
    n: int = 3,
    *,
    amount: float | None = 10.0,
    cost: float = 1.0,
    basis: Basis = "planned",
    count: int | None = None,
    seed: int = 0,
    piloted: Mapping[str, int] | None = None,
    prompt: float = 0.0,
) -> Terms:
    return Terms(
        problem_ids=tuple(f"p{i}" for i in range(n)),
        models=("m",),
        amount=amount,
        unit=None if amount is None else "flops",
        basis=basis,
        expected={"m": cost},
        worst={"m": cost},
        samples_per_problem=count,
        seed=seed,
        piloted={(problem, "m"): k for problem, k in (piloted or {}).items()},
        prompt={"m": prompt} if prompt else {},
    )


def draws(allocations: list[Allocation]) -> list[Draw]:
    return [(a.problem_id, i) for a in allocations for i in range(a.first_index, a.first_index + a.count)]


def counts(given: Terms) -> Counter[str]:
    """Draws a problem of a planned policy, those of the pilot included."""
    policy = build(given)
    proposed = policy.propose()
    assert policy.propose() == []
    for a in proposed:
        assert a.first_index == given.piloted.get((a.problem_id, "m"), 0)
    return Counter({p: k for (p, _), k in given.piloted.items()}) + Counter({a.problem_id: a.count for a in proposed})


def run(policy: Policy, cost_of: Callable[[Draw], float]) -> tuple[list[Draw], list[int]]:
    """All draws of a policy in the order it takes them, and the sizes of its rounds."""
    taken: list[Draw] = []
    rounds: list[int] = []
    while proposed := policy.propose():
        new = draws(proposed)
        taken += new
        rounds.append(len(new))
        policy.observe([Observation(problem_id=p, model="m", sample_index=i, verdict=VERDICT, cost=cost_of((p, i))) for p, i in new])
        assert len(rounds) < 10_000
    return taken, rounds


sizes = st.integers(1, 40)
costs = st.floats(min_value=1e-6, max_value=1e12, allow_nan=False)


@given(sizes, costs, st.floats(min_value=1, max_value=500), st.integers(0, 5))
def test_planned_spending_misses_the_budget_by_less_than_one_draw(n: int, cost: float, draws_paid: float, seed: int) -> None:
    amount = cost * draws_paid
    found = counts(terms(n, amount=amount, cost=cost, seed=seed))
    spent = found.total() * cost
    assert spent <= amount * (1 + 1e-8)
    assert amount - spent < cost * (1 + 1e-8)


@given(sizes, st.integers(1, 500), st.integers(0, 5))
def test_everybody_gets_floor_k_and_some_one_more(n: int, total: int, seed: int) -> None:
    found = counts(terms(n, amount=float(total), seed=seed))
    each = [found[f"p{i}"] for i in range(n)]
    assert sum(each) == total
    assert set(each) <= {total // n, total // n + 1}


def test_who_gets_one_more_is_drawn_by_seed() -> None:
    lucky = [frozenset(p for p, k in counts(terms(40, amount=60, seed=seed)).items() if k == 2) for seed in range(20)]
    assert lucky[0] == frozenset(p for p, k in counts(terms(40, amount=60, seed=0)).items() if k == 2)
    assert len(set(lucky)) == 20
    assert all(len(chosen) == 20 for chosen in lucky)
    assert len(frozenset().union(*lucky)) == 40


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40), st.integers(1, 20))
def test_matched_budgets_buy_what_equation_1_says(strong: int, weak: int, samples: int, n: int) -> None:
    """A budget of S strong draws a problem buys floor(n * S * P_SE / P_WC) weak ones: no draw is lost to rounding."""
    amount = n * samples * (2.0 * strong * 1e9 * 512)
    expected = n * strong * samples // weak
    if expected:
        assert counts(terms(n, amount=amount, cost=2.0 * weak * 1e9 * 512)).total() == expected


def test_published_counts_of_gemma_and_gemini() -> None:
    """arXiv 2408.16737: Gemma2 9B against 27B, 3 to 1 and 30 to 10; Gemini 1.5 Pro at $10.5 against Flash at $0.3, 35 to 1."""
    strong, weak = flops_per_token(27_000_000_000), flops_per_token(9_000_000_000)
    assert (affordable(strong, weak), affordable(10 * strong, weak)) == (3, 30)
    assert affordable(10.5, 0.3) == 35


@given(st.floats(1e-9, 1e15, allow_nan=False), st.integers(1, 10**6))
def test_a_whole_multiple_of_the_cost_pays_for_all_of_it(cost: float, k: int) -> None:
    assert affordable(cost * k, cost) == k
    assert affordable(cost * k - cost / 2, cost) == k - 1


@given(sizes, st.integers(1, 9))
def test_number_matched_is_the_same_for_all(n: int, count: int) -> None:
    assert counts(terms(n, amount=None, count=count)) == Counter({f"p{i}": count for i in range(n)})


pilots = st.dictionaries(st.sampled_from([f"p{i}" for i in range(8)]), st.integers(1, 6))


@given(pilots, st.integers(0, 60))
def test_piloted_draws_count_and_the_rest_is_as_level_as_they_allow(piloted: dict[str, int], more: int) -> None:
    total = max(1, sum(piloted.values()) + more)
    found = counts(terms(8, amount=float(total), piloted=piloted))
    assert found.total() == total
    level = Counter(piloted)
    for _ in range(total - level.total()):  # by hand: always one to whoever has least
        level[min((f"p{i}" for i in range(8)), key=lambda p: level[p])] += 1
    assert sorted(found[f"p{i}"] for i in range(8)) == sorted(level[f"p{i}"] for i in range(8))


def shared_cost(count: Mapping[str, int], prompt: float, each: float) -> Fraction:
    """The planned cost of these counts, a problem after the other."""
    return sum((Fraction(prompt) + k * Fraction(each) for k in count.values() if k), start=Fraction(0))


@given(
    st.integers(1, 12),
    st.floats(1e-3, 1e3),
    st.floats(1e-3, 1e3),
    st.floats(1e-2, 100),
    st.dictionaries(st.sampled_from(["p0", "p1", "p2"]), st.integers(1, 4)),
    st.integers(0, 3),
)
def test_plans_with_shared_prompts(n: int, prompt: float, each: float, draws_paid: float, pilot: dict[str, int], seed: int) -> None:
    """By brute force: one draw more at a time to a problem that has fewest, as long as it fits."""
    alone = prompt + each
    amount = draws_paid * alone * n
    pilot = {p: k for p, k in pilot.items() if int(p[1:]) < n}
    assume((amount - prompt) / each < 500)  # what is tried by hand is bought one by one
    given = terms(n, amount=amount, cost=alone, piloted=pilot, prompt=prompt, seed=seed)
    each = float(Fraction(alone) - Fraction(prompt))  # as the policy has it
    money = Fraction(amount) * (1 + Fraction(1, 10**9))
    level = Counter({f"p{i}": 0 for i in range(n)} | pilot)
    if shared_cost(level, prompt, each) > money or (not pilot and Fraction(alone) > money):
        with pytest.raises(BudgetError):
            counts(given)
        return
    while True:
        lowest = min(level, key=lambda p: level[p])
        if shared_cost(level | {lowest: level[lowest] + 1}, prompt, each) > money:
            break
        level[lowest] += 1
    found = counts(given)
    assert sorted(found[f"p{i}"] for i in range(n)) == sorted(level.values())
    assert affordable_draws(given, "m") == (level.total(), sum(k > 0 for k in level.values()))
    spent = shared_cost(found, prompt, each)
    assert spent <= money
    assert money - spent < Fraction(alone if 0 in level.values() else each) * (1 + Fraction(1, 10**6))


def test_a_shared_prompt_is_paid_once_a_problem() -> None:
    """Ten problems, a prompt at 3 and a draw at 1: 3 * 10 + 25 buys 25 draws, and without sharing 55 / 4 of them."""
    assert counts(terms(10, amount=55, cost=4, prompt=3)).total() == 25
    assert counts(terms(10, amount=55, cost=4)).total() == 13
    assert counts(terms(10, amount=30, cost=4, prompt=3)) == counts(terms(10, amount=30, cost=4)), "7 draws, of a problem each"


def test_draws_that_cost_their_prompt_alone_are_refused() -> None:
    with pytest.raises(BudgetError, match="costs nothing beside its prompt"):
        counts(terms(2, amount=10, cost=4, prompt=4))


def test_a_given_count_is_filled_up_from_the_pilot() -> None:
    assert counts(terms(3, amount=None, count=2, piloted={"p0": 1, "p1": 4})) == Counter({"p0": 2, "p1": 4, "p2": 2})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (terms(amount=0.5), "a budget of 0.50 FLOPs does not pay for one draw of model m at 1.0 FLOPs each"),
        (terms(amount=2.0, piloted={"p0": 3}), "a budget of 2.0 FLOPs does not pay for 3 draws of model m at 1.0 FLOPs each"),
        (terms(amount=0.5, basis="realised"), "0.50 FLOPs does not pay for one draw of model m at its worst case of 1.0 FLOPs"),
    ],
)
def test_a_budget_that_buys_nothing_is_refused(given: Terms, message: str) -> None:
    with pytest.raises(BudgetError) as caught:
        build(given).propose()
    first, advice = str(caught.value).split("\n")
    assert first == message
    assert advice.startswith("  raise the budget, or ")


def one_at_a_time(given: Terms, cost_of: Callable[[Draw], float]) -> list[Draw]:
    """Buy a single draw whenever its worst case fits, in turns over the problems in the policy's order."""
    order = list(given.problem_ids)
    random.Random(f"uniform/{given.seed}").shuffle(order)
    left = given.amount or 0.0
    taken: list[Draw] = []
    index = 0
    while True:
        for problem in order:
            if index < given.piloted.get((problem, "m"), 0):
                continue
            if left < given.worst["m"]:
                return taken
            taken.append((problem, index))
            left -= cost_of((problem, index))
        index += 1


whole_costs = st.lists(st.integers(1, 8), min_size=1, max_size=50)


@given(
    st.integers(1, 7),
    st.integers(8, 200),
    whole_costs,
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(["p0", "p2"]), st.integers(1, 3)),
)
def test_realised_buys_what_one_at_a_time_would(n: int, amount: int, made: list[int], seed: int, piloted: dict[str, int]) -> None:
    given = terms(n, amount=float(amount), cost=8.0, basis="realised", seed=seed, piloted=piloted)

    def cost_of(draw: Draw) -> float:
        return float(made[(int(draw[0][1:]) * 13 + draw[1] * 7) % len(made)])

    taken, _ = run(build(given), cost_of)
    expected = one_at_a_time(given, cost_of)
    assert Counter(taken) == Counter(expected)
    spent = sum(cost_of(draw) for draw in expected)
    assert spent <= amount
    assert amount - spent < 8  # it stopped only because the next draw might not have fitted


def test_realised_never_risks_more_than_it_has() -> None:
    policy = build(terms(5, amount=100.0, cost=8.0, basis="realised"))
    left = 100.0
    while proposed := policy.propose():
        new = draws(proposed)
        assert len(new) * 8 <= left
        policy.observe([Observation(problem_id=p, model="m", sample_index=i, verdict=VERDICT, cost=3.0) for p, i in new])
        left -= 3.0 * len(new)
    assert 0 <= left < 8


def test_realised_ends_when_draws_cost_nothing() -> None:
    taken, rounds = run(build(terms(4, amount=20.0, basis="realised")), lambda draw: 0.0)
    assert rounds == [20]
    assert len(taken) == 20


def test_realised_goes_on_after_a_round_without_an_answer() -> None:
    """Its eleven draws are charged at what was expected, 1 each, and not at all that was left."""
    policy = build(replace(terms(5, amount=22.0, cost=2.0, basis="realised"), expected={"m": 1.0}))
    sizes = []
    for cost in (0.0, 0.5, 0.5, 0.5):
        new = draws(policy.propose())
        sizes.append(len(new))
        policy.observe([Observation(problem_id=p, model="m", sample_index=i, verdict=VERDICT, cost=cost) for p, i in new])
    assert sizes == [11, 5, 4, 3]


def test_realised_pays_for_its_pilot() -> None:
    policy = build(terms(2, amount=10.0, basis="realised", piloted={"p0": 2, "p1": 2}))
    seen = [Observation(problem_id=p, model="m", sample_index=i, verdict=VERDICT, cost=1.0) for p in ("p0", "p1") for i in (0, 1)]
    policy.observe(seen)
    taken, _ = run(policy, lambda draw: 1.0)
    assert Counter(taken) == Counter({(p, i): 1 for p in ("p0", "p1") for i in (2, 3, 4)})


def test_realised_ends_when_a_draw_cost_more_than_its_worst_case() -> None:
    """Recorded draws may be longer than max_tokens; what is overspent is never spent again."""
    taken, _ = run(build(terms(2, amount=2.0, basis="realised")), lambda draw: 5.0)
    assert len(taken) == 2


def test_a_pilot_dearer_than_the_budget_is_refused() -> None:
    policy = build(terms(2, amount=3.0, basis="realised", piloted={"p0": 4}))
    policy.observe([Observation(problem_id="p0", model="m", sample_index=i, verdict=VERDICT, cost=1.0) for i in range(4)])
    with pytest.raises(BudgetError, match="the pilot"):
        policy.propose()


def test_two_models_are_refused() -> None:
    given = terms()
    with pytest.raises(BudgetError, match="the policy uniform takes one model, got 2: m, n"):
        build(Terms(**{name: getattr(given, name) for name in Terms.__slots__} | {"models": ("m", "n")}))


def test_policies_are_found_by_name() -> None:
    two = make_terms(3, {"a": 1.0, "b": 2.0}, 30.0)
    for name in POLICIES:
        given = two if name in ("mixed", "cascade") else terms()
        assert load_policy(name, given).propose()
    assert type(load_policy("uniform", terms())) is type(build(terms()))
    assert load_policy("isocost.policies.uniform:build", terms()).propose()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("unifrom", "unknown policy 'unifrom'; did you mean \"uniform\""),
        ("zzz", "unknown policy 'zzz'; known: uniform, "),
        ("no.such:policy", "no.such:policy cannot be imported: ModuleNotFoundError: "),
        ("tests.broken_part:policy", "tests.broken_part:policy cannot be imported: SystemExit: 3"),
        ("isocost.policies.uniform:nothing", "isocost.policies.uniform:nothing cannot be imported: AttributeError: "),
    ],
)
def test_an_unknown_policy_is_refused(name: str, told: str) -> None:
    with pytest.raises(StudyError, match=f"^policy: {re.escape(told)}"):
        load_policy(name, terms())


def test_a_policy_without_all_members_is_refused() -> None:
    with pytest.raises(StudyError, match=r"^policy: builtins:repr has no propose, observe; "):
        load_policy("builtins:repr", terms())

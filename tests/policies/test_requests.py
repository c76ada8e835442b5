"""Equal draws per problem where a request's draws share its prompt, against buying one draw at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.errors import BudgetError
from isocost.policies.requests import Levels
from isocost.policies.uniform import affordable_draws, build
from tests.policies.buying import make_terms


def bill(counts: Mapping[str, int], pilot: Mapping[str, int], size: int, prompt: float, each: float) -> Fraction:
    """The cost of these counts, request by request: those of the pilot first."""
    readings = sum(math.ceil(pilot.get(p, 0) / size) + math.ceil((k - pilot.get(p, 0)) / size) for p, k in counts.items())
    return readings * Fraction(prompt) + sum(counts.values()) * Fraction(each)


@pytest.mark.parametrize("size", [2, 3, 4, 16])
@given(
    n=st.integers(1, 9),
    prompt=st.integers(1, 40),
    each=st.integers(1, 9),
    amount=st.integers(1, 2000),
    pilot=st.dictionaries(st.sampled_from(["p0", "p1", "p2"]), st.integers(1, 5)),
    seed=st.integers(0, 3),
)
def test_counts_are_those_of_one_draw_more_at_a_time(
    size: int, n: int, prompt: int, each: int, amount: int, pilot: dict[str, int], seed: int
) -> None:
    pilot = {p: k for p, k in pilot.items() if int(p[1:]) < n}
    money = Fraction(amount) * (1 + Fraction(1, 10**9))
    own = {
        "prompt": {"m": float(prompt)},
        "per_request": {"m": size},
        "seed": seed,
        "piloted": {(p, "m"): k for p, k in pilot.items()},
    }
    terms = make_terms(n, {"m": float(prompt + each)}, float(amount), **own)
    counts = {f"p{i}": pilot.get(f"p{i}", 0) for i in range(n)}
    if bill(counts, pilot, size, prompt, each) > money or (not pilot and prompt + each > money):
        with pytest.raises(BudgetError):
            build(terms).propose()
        return
    # By hand: whole levels while they fit; then the problems at the level, one by one.
    while bill(above := {p: max(k, 1 + min(counts.values())) for p, k in counts.items()}, pilot, size, prompt, each) <= money:
        counts = above
    level = min(counts.values())
    found = counts | {a.problem_id: a.first_index + a.count for a in build(terms).propose()}
    assert all(k == counts[p] or k == counts[p] + 1 == level + 1 for p, k in found.items())
    spent = bill(found, pilot, size, prompt, each)
    assert money - (prompt + each) < spent <= money
    draws, readings = affordable_draws(terms, "m")
    if not pilot:
        assert (draws, readings) == (sum(found.values()), sum(math.ceil(k / size) for k in found.values()))
    assert bill(counts, pilot, size, prompt, each) <= draws * each + readings * prompt <= money + prompt


def test_requests_of_two_pay_a_prompt_for_two_draws() -> None:
    """Ten problems, a prompt at 3 and a draw at 1: 55 pays for 20 draws in ten requests, and for one draw more in a request of its own."""
    terms = make_terms(10, {"m": 4.0}, 55.0, prompt={"m": 3.0}, per_request={"m": 2})
    assert affordable_draws(terms, "m") == (21, 11)
    assert sum(a.count for a in build(terms).propose()) == 21


def test_no_problem_gets_more_than_there_is() -> None:
    terms = make_terms(
        3, {"m": 4.0}, 100.0, prompt={"m": 3.0}, per_request={"m": 2}, available={("p0", "m"): 1, ("p1", "m"): 2, ("p2", "m"): 5}
    )
    levels = Levels(terms, "m", Fraction(3), Fraction(1), Fraction(100))
    assert levels.counts(0) == {"p0": 1, "p1": 2, "p2": 5}
    assert levels.mean_total() == (8, 5)


def test_a_pilot_that_is_not_paid_leaves_no_draws() -> None:
    terms = make_terms(1, {"m": 4.0}, 4.0, prompt={"m": 3.0}, per_request={"m": 2}, piloted={("p0", "m"): 3})
    assert affordable_draws(terms, "m") == (0, 2)


def test_large_budgets_are_counted_at_once() -> None:
    terms = make_terms(1000, {"m": 1.5}, 1e9, prompt={"m": 1.0}, per_request={"m": 4})
    draws, readings = affordable_draws(terms, "m")
    assert draws * 0.5 + readings <= 1e9 * (1 + 1e-9)
    assert draws > 1e9

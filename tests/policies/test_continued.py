"""A policy that goes on after a pilot of more models."""

import pytest

from isocost.policies.base import Observation
from isocost.policies.continued import Continued
from isocost.records import Outcome, Verdict
from tests.policies.buying import make_terms

WRONG = Verdict(outcome=Outcome.INCORRECT, predicted_answer=None, reason="different")
PILOTED = {(f"p{i}", model): 2 for i in range(2) for model in ("a", "b")}


def pilot(cost: dict[str, float]) -> list[Observation]:
    return [
        Observation(problem_id=problem, model=model, sample_index=index, verdict=WRONG, cost=cost[model])
        for (problem, model), count in PILOTED.items()
        for index in range(count)
    ]


@pytest.mark.parametrize(("basis", "left"), [("planned", 40 - 4 * 3 - 4), ("realised", 40 - 4 * 5 - 4)])
def test_the_other_models_pilot_is_paid_first(basis: str, left: int) -> None:
    terms = make_terms(4, {"a": 1.0, "b": 3.0}, 40.0, basis=basis, piloted=PILOTED)
    policy = Continued(terms, "uniform", ("a",))
    policy.observe(pilot({"a": 1.0, "b": 5.0}))
    bought = policy.propose()
    assert sum(a.count for a in bought) == left
    assert {a.model for a in bought} == {"a"}
    assert {a.problem_id: a.first_index for a in bought} == {"p0": 2, "p1": 2, "p2": 0, "p3": 0}


def test_the_policy_observes_its_own_models_and_goes_on_from_the_rounds() -> None:
    policy = Continued(make_terms(2, {"a": 1.0, "b": 3.0}, 40.0, piloted=PILOTED), "first-hit", ("a",))
    policy.observe(pilot({"a": 1.0, "b": 3.0}))
    first = policy.propose()
    assert [(a.problem_id, a.model, a.first_index, a.count) for a in sorted(first, key=lambda a: a.problem_id)] == [
        ("p0", "a", 2, 1),
        ("p1", "a", 2, 1),
    ]
    right = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
    policy.observe(
        [
            Observation(problem_id=a.problem_id, model="a", sample_index=2, verdict=right if a.problem_id == "p0" else WRONG, cost=1.0)
            for a in first
        ]
    )
    assert {a.problem_id for a in policy.propose()} == {"p1"}

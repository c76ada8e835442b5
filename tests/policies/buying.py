"""Terms for tests of policies, and purchases of what they propose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from isocost.policies.base import Observation, Policy, Terms
from isocost.records import Allocation, Outcome, Verdict

CORRECT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
INCORRECT = Verdict(outcome=Outcome.INCORRECT, predicted_answer="2", reason="different")
Draw = tuple[str, str, int]


def make_terms(problems: int, costs: Mapping[str, float], amount: float | None, **others: object) -> Terms:
    """Return planned terms for the problems p0, p1, ... and the models of `costs`; `others` replaces fields."""
    terms = Terms(
        problem_ids=tuple(f"p{i}" for i in range(problems)),
        models=tuple(costs),
        amount=amount,
        unit="flops",
        basis="planned",
        expected=dict(costs),
        worst=dict(costs),
        samples_per_problem=None,
        seed=0,
        piloted={},
    )
    return replace(terms, **others)  # type: ignore[arg-type]


def seen(problem: str, model: str, index: int, correct: bool, cost: float = 1.0, new: bool = True) -> Observation:
    return Observation(problem_id=problem, model=model, sample_index=index, verdict=CORRECT if correct else INCORRECT, cost=cost, new=new)


def draws(allocations: Iterable[Allocation]) -> list[Draw]:
    return [(a.problem_id, a.model, i) for a in allocations for i in range(a.first_index, a.first_index + a.count)]


@dataclass
class Bought:
    """The draws of the pilot and of each round, and their observations."""

    pilot: list[Draw]
    rounds: list[list[Draw]] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)

    @property
    def draws(self) -> list[Draw]:
        return [draw for draws in self.rounds for draw in draws]

    def solved(self) -> set[str]:
        return {o.problem_id for o in self.observations if o.verdict.correct}


def buy(
    policy: Policy,
    terms: Terms,
    correct: Callable[[str, str, int], bool],
    cost: Callable[[str, str, int], float] = lambda problem, model, index: 1.0,
    most_rounds: int = 2_000,
    of: Mapping[str, Verdict] | None = None,
) -> Bought:
    """Let a policy observe its pilot and buy until it proposes nothing; `of` has the verdict on all draws of some problems."""
    pilot = [(p, m, i) for (p, m), count in terms.piloted.items() for i in range(count)]
    bought = Bought(pilot=pilot)

    def observe(taken: Sequence[Draw]) -> None:
        observations = [seen(*draw, correct(*draw), cost(*draw)) for draw in taken]
        observations = [replace(o, verdict=(of or {}).get(o.problem_id, o.verdict)) for o in observations]
        bought.observations += observations
        policy.observe(observations)

    if pilot:
        observe(pilot)
    while proposed := policy.propose():
        bought.rounds.append(draws(proposed))
        observe(bought.rounds[-1])
        assert len(bought.rounds) < most_rounds
    return bought

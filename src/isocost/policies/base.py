"""The interface of a policy: it proposes rounds of draws and observes their outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from isocost.records import ADDED_LATER, Allocation, Basis, Unit, Verdict, prompt_readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The outcome of one draw, as a policy sees it.

    Attributes:
        problem_id: Id of the problem.
        model: Name of the model.
        sample_index: Index of the draw in its pool.
        verdict: The grader's verdict; its `correct` is None where the draw could not be graded.
        cost: The cost in the budget's unit.
        new: False if the draw is correct and adds nothing to a training set, because it repeats an earlier solution of the problem or
            is cut off; True for others. Only the objective `KeptPerProblem` has it looked up.
    """

    problem_id: str
    model: str
    sample_index: int
    verdict: Verdict
    cost: float
    new: bool = True


@dataclass(frozen=True, slots=True)
class Coverage:
    """Count problems with at least one correct sample."""


@dataclass(frozen=True, slots=True)
class KeptPerProblem:
    """Count distinct correct solutions, at most `most` per problem."""

    most: int


@dataclass(frozen=True, slots=True)
class MixedGroups:
    """Count problems with a group of `size` draws of one model that are neither all correct nor all incorrect."""

    size: int


Objective = Coverage | KeptPerProblem | MixedGroups


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The budget and the costs that a policy knows beforehand.

    Attributes:
        problem_ids: Training problems in the study's order.
        models: The arm's models.
        amount: The budget, in its unit; None if `samples_per_problem` is given.
        unit: Unit of the budget.
        basis: `planned`: draws are paid at `expected`; `realised`: at their realised cost.
        expected: Planned cost of a draw of each model alone, with its prompt. Empty if `samples_per_problem` is given.
        worst: Cost of a draw of each model alone at max_tokens. Empty if `samples_per_problem` is given.
        samples_per_problem: A given count (number-matched); None if `amount` is given.
        seed: Seed of the choice of problems that get one draw more.
        piloted: (problem, model) -> draws that a pilot took. They are observed before the first proposal and count as spent.
        prompt: The part of `expected` that all draws of a problem share: k of them cost `expected + (k - 1) * (expected - prompt)`, as
            planned. 0 if every draw pays its own prompt, and for a model without an entry.
        per_request: The most draws of a problem that one request asks for, by model. `prompt` is paid once per request then: `count` draws
            that are proposed together cost ceil(count / per_request) of it. A model without an entry pays it once per problem.
        available: (problem, model) -> draws that there are, where a table of recorded samples is replayed; no entry: as many as wanted.
        objective: What the policy is to make the most of.
        false_positive_rates: Share of a model's answer-correct samples whose reasoning is wrong, by model, to discount them by.
        labels: A number per problem that goes with its difficulty, known beforehand; problems without an entry have none.
        shares: Share of the money for each model (mixed, cascade); empty for equal shares.
        target: Correct samples that are wanted of each problem (dart).
        by_difficulty: Want `target` of the hardest problems only, and fewer of easier ones (dart).
        large_rounds: Propose few, large rounds, because each of them may take a day in the batch API of an endpoint.
    """

    problem_ids: tuple[str, ...]
    models: tuple[str, ...]
    amount: float | None
    unit: Unit | None
    basis: Basis
    expected: Mapping[str, float]
    worst: Mapping[str, float]
    samples_per_problem: int | None
    seed: int
    piloted: Mapping[tuple[str, str], int]
    prompt: Mapping[str, float] = field(default_factory=dict)
    available: Mapping[tuple[str, str], int] = field(default_factory=dict)
    objective: Objective = field(default_factory=Coverage, metadata=ADDED_LATER)
    false_positive_rates: Mapping[str, float] = field(default_factory=dict, metadata=ADDED_LATER)
    labels: Mapping[str, float] = field(default_factory=dict, metadata=ADDED_LATER)
    shares: Mapping[str, float] = field(default_factory=dict, metadata=ADDED_LATER)
    target: int = field(default=4, metadata=ADDED_LATER)
    by_difficulty: bool = field(default=False, metadata=ADDED_LATER)
    per_request: Mapping[str, int] = field(default_factory=dict, metadata=ADDED_LATER)
    large_rounds: bool = field(default=False, metadata=ADDED_LATER)

    def readings(self, model: str, count: int) -> int:
        """Return how often `prompt` is paid for the first `count` draws of a problem, if they are proposed together."""
        return prompt_readings(count, self.per_request.get(model))

    def pilot_cost(self, model: str) -> float:
        """Return the expected cost of a model's draws in the pilot."""
        taken = [count for (_, drawn), count in self.piloted.items() if drawn == model and count]
        prompt = self.prompt.get(model, 0.0)
        return sum(self.readings(model, count) for count in taken) * prompt + sum(taken) * (self.expected[model] - prompt)


class Policy(Protocol):
    """Decides what to draw next. It depends only on its terms and observations, so that recorded rounds can be replayed."""

    def propose(self) -> list[Allocation]:
        """Return the next round, or nothing when done."""

    def observe(self, observations: Iterable[Observation]) -> None:
        """Receive the outcomes of the last round, in the order of its allocations."""

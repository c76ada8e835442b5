"""The interface of a policy: it proposes rounds of draws and observes their outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from isocost.records import Allocation, Basis, Unit, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The outcome of one draw, as a policy sees it, with its cost in the budget's unit."""

    problem_id: str
    model: str
    sample_index: int
    verdict: Verdict
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The budget and the costs that a policy knows beforehand.

    Attributes:
        problem_ids: Training problems in the study's order.
        models: The arm's models.
        amount: The budget, in its unit; None if `samples_per_problem` is given.
        unit: Unit of the budget.
        basis: `planned`: draws are paid at `expected`; `realised`: at their realised cost.
        expected: Planned cost of a draw of each model alone, with its prompt.
        worst: Cost of a draw of each model alone at max_tokens.
        samples_per_problem: A given count (number-matched).
        seed: Seed of the choice of problems that get one draw more.
        piloted: (problem, model) -> draws that a pilot took. They are observed before the first proposal and count as spent.
        prompt: The part of `expected` that all draws of a problem share: k of them cost `expected + (k - 1) * (expected - prompt)`, as
            planned. 0 if every draw pays its own prompt, and for a model without an entry.
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


class Policy(Protocol):
    """Decides what to draw next. It depends only on its terms and observations, so that recorded rounds can be replayed."""

    def propose(self) -> list[Allocation]:
        """Return the next round, or nothing when done."""

    def observe(self, observations: Iterable[Observation]) -> None:
        """Receive the outcomes of the last round, in the order of its allocations."""

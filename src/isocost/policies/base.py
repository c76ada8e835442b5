"""What every policy offers: it proposes rounds of draws and observes what they brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from isocost.records import Allocation, Basis, Unit, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One draw as a policy sees it: what came of it and what it cost in the budget's unit."""

    problem_id: str
    model: str
    sample_index: int
    verdict: Verdict
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a policy may spend and what it is told beforehand.

    Attributes:
        problem_ids: Training problems in the study's order.
        models: The arm's models.
        amount: The budget, in its unit; None where `samples_per_problem` is given.
        unit: Of the budget.
        basis: `planned`: draws are paid at `expected`; `realised`: at what they really cost.
        expected: Cost of a draw of each model alone, with its prompt, as planned.
        worst: Cost of a draw of each model alone at max_tokens.
        samples_per_problem: A given count (number-matched).
        seed: For the choice of who gets one draw more.
        piloted: (problem, model) -> draws that a pilot took already. They are observed before the first proposal and count as spent.
        prompt: Of `expected`, the part that all draws of a problem share: k of them cost `expected + (k - 1) * (expected - prompt)`, as
            planned. 0 where every draw bears its own prompt, and of a model that is not named.
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
    """Decides what to draw next. A pure function of its terms and of what it observed, so that recorded rounds can be replayed."""

    def propose(self) -> list[Allocation]:
        """The next round, or nothing when done."""

    def observe(self, observations: Iterable[Observation]) -> None:
        """What the last round brought, in the order of its allocations."""

"""Budgets, the limit, the pilot, and the arms that spend a budget."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from isocost.config.sections import PositiveFloat, PositiveInt, Section, distinct
from isocost.records import Basis, Unit


class Match(Section):
    """The cost of a number of samples per problem from one model, as a budget.

    Attributes:
        model: A model of the study.
        samples_per_problem: Samples per problem from that model.
    """

    model: str
    samples_per_problem: PositiveFloat


class Budget(Section):
    """The amount that each arm may spend; give either `amount` or `match`.

    Attributes:
        unit: `flops` (FLOPs) or `usd` (US dollars).
        amount: The amount, in the unit.
        match: Instead of an amount: the cost of a number of samples from one model.
        basis: `planned` fixes the counts from expected costs (the paper's way); `realised` buys until the next draw, at its worst case, no
            longer fits.
    """

    unit: Unit
    amount: PositiveFloat | None = None
    match: Match | None = None
    basis: Basis = "planned"

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        # Both or neither: an amount that contradicts a match, or no amount at all.
        if (self.amount is None) == (self.match is None):
            raise ValueError("give either amount or match")
        return self


class Limit(Section):
    """A hard cap on the bill for data and for a model that judges them; training and evaluation do not count.

    Attributes:
        unit: `flops` (FLOPs) or `usd` (US dollars).
        amount: The most that may be spent, in the unit.
    """

    unit: Unit
    amount: PositiveFloat


class Pilot(Section):
    """A few samples of some problems, drawn first from every generator to estimate the length of a sample.

    Attributes:
        problems: Number of training problems.
        samples_per_problem: Samples per problem and model. Every cell that uses them pays for them.
    """

    problems: PositiveInt
    samples_per_problem: PositiveInt


class Arm(Section):
    """One way to spend a budget.

    Attributes:
        policy: The policy that allocates draws, by name or as `package.module:attribute`.
        models: The generators that it draws from, by their names in `models`.
        samples_per_problem: A fixed number of samples per problem instead of a budget (number-matched).
    """

    policy: str = "uniform"
    models: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    samples_per_problem: PositiveInt | None = None

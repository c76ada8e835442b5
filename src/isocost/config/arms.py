"""Budgets, limits, pilots and arms."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from isocost.config.sections import PositiveFloat, PositiveInt, Section, distinct
from isocost.records import Basis, Unit


class Match(Section):
    """A budget equal to the cost of a number of samples per problem from one model."""

    model: str
    samples_per_problem: PositiveFloat


class Budget(Section):
    """The amount that each arm may spend: a number, or the cost of a number of samples from one model."""

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
    """A hard cap on the payments of a run for data and for judging them."""

    unit: Unit
    amount: PositiveFloat


class Pilot(Section):
    """A few samples on some problems, drawn first to estimate the length of samples."""

    problems: PositiveInt
    samples_per_problem: PositiveInt


class Arm(Section):
    """One way to spend a budget. `samples_per_problem` makes it number-matched instead."""

    policy: str = "uniform"
    models: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(distinct)]
    samples_per_problem: PositiveInt | None = None

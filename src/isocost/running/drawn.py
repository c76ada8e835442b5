"""Draws as they are stored, and as a run holds them in memory: without their texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from isocost.records import Cost, FinishReason, Sample, Verdict

DrawKey = tuple[str, int]  # problem id, sample index
LIGHT = ("id", "problem_id", "sample_index", "num_prompt_tokens", "num_generated_tokens", "finish_reason", "cost_flops", "cost_usd")


class Ungraded(NamedTuple):
    """A draw that waits for the grader, with its text."""

    problem_id: str
    sample_index: int
    sample_id: str
    generation: str


@dataclass(slots=True)
class Draw:
    """A draw without its text, small because a run may hold millions; the verdict comes when it is graded."""

    num_prompt_tokens: int
    num_generated_tokens: int
    finish_reason: FinishReason
    flops: float | None
    usd: float | None
    verdict: Verdict | None = None

    @property
    def cost(self) -> Cost:
        """What it cost."""
        return Cost(flops=self.flops, usd=self.usd)


def to_draw(row: Mapping[str, Any]) -> Draw:
    """A stored draw, from its `LIGHT` columns."""
    return Draw(row["num_prompt_tokens"], row["num_generated_tokens"], row["finish_reason"], row["cost_flops"], row["cost_usd"])


def to_sample(row: Mapping[str, Any], model: str, pool: str) -> Sample:
    """A stored draw, with its text."""
    return Sample(
        id=row["id"],
        problem_id=row["problem_id"],
        model=model,
        pool=pool,
        sample_index=row["sample_index"],
        generation=row["generation"],
        num_prompt_tokens=row["num_prompt_tokens"],
        num_generated_tokens=row["num_generated_tokens"],
        finish_reason=row["finish_reason"],
        cost=Cost(flops=row["cost_flops"], usd=row["cost_usd"], seconds=row["cost_seconds"]),
        seed=row["seed"],
    )


def cost_of_draws(draws: Sequence[Draw]) -> Cost:
    """The sum of their costs, each unit where all of them know it; for very many draws."""
    flops, usd = [draw.flops for draw in draws], [draw.usd for draw in draws]
    return Cost(flops=None if None in flops else sum(filter(None, flops)), usd=None if None in usd else sum(filter(None, usd)))


def total_cost(costs: Iterable[Cost]) -> Cost:
    """The sum of costs, each unit where all of them know it."""
    return sum(costs, start=Cost(flops=0.0, usd=0.0, seconds=0.0))

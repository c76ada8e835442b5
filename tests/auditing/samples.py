"""Draws of made-up models, for tests of audits."""

from collections.abc import Mapping, Sequence

import polars as pl

from isocost.auditing import ranks
from isocost.records import Cost, Outcome

Draw = dict[str, object]

_SCHEMA = {
    "sample_id": pl.String,
    "model": pl.String,
    "problem_id": pl.String,
    "sample_index": pl.Int64,
    "outcome": pl.String,
    "cost_flops": pl.Float64,
    "cost_usd": pl.Float64,
}


def draw(model: str, problem: str, index: int, outcome: Outcome = Outcome.CORRECT, *, cost: Cost | None = None) -> Draw:
    costs = {"cost_flops": cost.flops if cost else None, "cost_usd": cost.usd if cost else None}
    sample_id = f"{model}/{problem}/{index}"
    return {"sample_id": sample_id, "model": model, "problem_id": problem, "sample_index": index, "outcome": outcome, **costs}


def study(models: int = 2, problems: int = 20, draws: int = 5) -> list[Draw]:
    return [draw(f"m{m}", f"p{p}", i) for m in range(models) for p in range(problems) for i in range(draws)]


def frame(draws: Sequence[Mapping[str, object]], seed: int = 0) -> pl.DataFrame:
    """The draws as audits take them, with lots of this seed."""
    made = pl.DataFrame([list(each.values()) for each in draws], schema=_SCHEMA, orient="row")
    return made.with_columns(lot=pl.Series(ranks(seed, made["sample_id"]), dtype=pl.Int64))

"""Small pools of recorded draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from isocost.arrays import Floats
from isocost.backtesting.pool import Pool, pool_of
from isocost.costs.given import GivenCosts

COSTS = {"weak": 1.0, "strong": 3.0}


def per_draw(costs: Mapping[str, float]) -> GivenCosts:
    return GivenCosts(amounts=costs, per="draw")


def table(draws: Mapping[tuple[str, str], Sequence[bool | None]], **columns: Sequence[object]) -> pl.DataFrame:
    """Return a table with the outcomes of (problem, model) pairs, and further columns by row."""
    rows = [(problem, model, correct) for (problem, model), outcomes in draws.items() for correct in outcomes]
    frame = pl.DataFrame(rows, schema={"problem_id": pl.String, "model": pl.String, "correct": pl.Boolean}, orient="row")
    return frame.with_columns(pl.Series(name, values) for name, values in columns.items())


def simulated(rates: Floats, draws: int, seed: int = 0, costs: Mapping[str, float] = COSTS) -> Pool:
    """Return a pool with draws of given pass rates, float[problems, models]."""
    correct = np.random.default_rng(seed).random((*rates.shape, draws)) < rates[:, :, None]
    outcomes = {
        (f"p{i}", model): correct[i, m].tolist() for i in range(len(rates)) for m, model in enumerate(list(costs)[: rates.shape[1]])
    }
    return pool_of(table(outcomes), given=per_draw({model: costs[model] for model in list(costs)[: rates.shape[1]]}))

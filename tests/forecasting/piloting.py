"""Pilots of simulated models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocost.arrays import Floats
from isocost.forecasting import CurveForecast, Pilot, Piloted
from isocost.passrates import Law
from isocost.records import Estimate

NONE = np.zeros(0, np.int64)


def pilot_of(successes: Sequence[int], draws: int | Sequence[int] = 4, model: str = "m", *, distinct: bool = False) -> Pilot:
    """Return a pilot; every correct solution is a distinct one, or none is known."""
    s = np.array(successes, np.int64)
    n = np.broadcast_to(np.array(draws, np.int64), s.shape).copy()
    ids = tuple(f"p{i}" for i in range(len(s)))
    problem = np.repeat(np.arange(len(s)), s) if distinct else NONE
    return Pilot(model=model, problem_ids=ids, successes=s, draws=n, solution_problem=problem, solution_count=np.ones_like(problem))


def two_models(law: Law, problems: int, seed: int, draws: int = 4) -> tuple[list[CurveForecast], Floats]:
    """Return the forecasts of two models from a simulated pilot, and the true rates, float[problems, 2]."""
    generator = np.random.default_rng(seed)
    rates = law.rates(problems, generator)
    successes = generator.binomial(draws, rates)
    forecasts = [CurveForecast(pilot_of(successes[:, m].tolist(), draws, name, distinct=True)) for m, name in enumerate(("weak", "strong"))]
    return forecasts, rates


def piloted(forecasts: Sequence[CurveForecast], costs: Sequence[float]) -> list[Piloted]:
    """Return pilots with known costs and nothing else recorded."""
    return [
        Piloted(pilot=f.pilot, recorded=None, is_fixed=True, cost=Estimate(value=c, low=c, high=c, n=f.n), tokens=None)
        for f, c in zip(forecasts, costs, strict=True)
    ]

"""Curves as a run would hand them to the report: two models, or as many as are named, over two budgets."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from isocost.records import Cost, Estimate, ModelCrossover, ModelCurve, ModelPair, Results
from tests.reporting.builder import TERA, N, estimate, results

KS = (1, 2, 3, 5, 10, 20, 30)
CROSSOVER = ModelCrossover(
    measure="coverage", models=("weak", "strong"), unit="flops", ahead="strong", cost=4e12, low=2e12, high=7e12, reach=9e12, absent=0.0, n=N
)


def curve(model: str, rate: float, flops: float | None, usd: float | None = None, ks: tuple[int, ...] = KS) -> ModelCurve:
    return ModelCurve(
        model=model,
        cost=Cost(flops=flops, usd=usd),
        ks=ks,
        measures={
            "coverage": tuple(estimate(1 - (1 - rate) ** k) for k in ks),
            "diversity": tuple(Estimate(value=rate * k, low=0.8 * rate * k, high=1.2 * rate * k, n=N) for k in ks),
        },
    )


def pair(left: str, right: str, gap: float, half: float = 0.04, budget: str | None = "low", tera: float = 2.6) -> ModelPair:
    difference = Estimate(value=gap, low=gap - half, high=gap + half, n=N)
    return ModelPair(
        models=(left, right),
        budget=budget,
        unit="flops" if budget else None,
        cost=tera * TERA if budget else None,
        draws=(3.25, 1.0) if budget else (10.0, 10.0),
        measures={"coverage": (estimate(0.6 + gap), estimate(0.6)), "diversity": (estimate(0.9, 0.1), estimate(0.8, 0.1))},
        differences={"coverage": difference, "diversity": difference},
        only=(estimate(0.2), estimate(0.1)),
        both=estimate(0.4),
        neither=estimate(0.3),
    )


def curved(*names: str, cost: float = 0.8 * TERA) -> Results:
    """The builder's study with curves of these models, weak and strong if none are named."""
    models = names or ("weak", "strong")
    return replace(
        results(),
        curves=tuple(curve(model, 0.1 + 0.1 * i, cost * (1 + 1.5 * i)) for i, model in enumerate(models)),
        crossovers=tuple(
            replace(CROSSOVER, models=two, ahead=two[1], measure=measure)
            for measure in ("coverage", "diversity")
            for two in combinations(models, 2)
        ),
        model_pairs=tuple(pair(*two, 0.08, budget=budget) for two in combinations(models, 2) for budget in ("low", None)),
    )

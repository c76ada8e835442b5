"""The choice recommended from a pilot, against the best one: loss, and how often intervals hold.

    python benchmarks/choices.py                                  # the table of docs/forecasting.md, some minutes on one core
    python benchmarks/choices.py --replications 5 --processes 2

Two models with the paper's laws, 5% impossible problems, costs 1 and 3 per draw, 4 draws of each for 100 problems. The choices at 12, 24,
48 and 96 per problem are each model alone and equal money for both. The truth is the expected coverage given the pass rates. The loss is
that of the recommended choice against the best one, relative to its coverage.

With --adaptive the policy is forecast too, for 60 problems of the paper's MATH laws at 48 per problem. Its truth is the mean of eight
simulated runs on the true pass rates, that of intervals one run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from isocost.forecasting import CurveForecast, DistinctLaw, Pilot
from isocost.forecasting.choices import Choice, Market
from isocost.forecasting.joint import replicates
from isocost.forecasting.prices import Price
from isocost.forecasting.simulated import Simulation
from isocost.passrates import PAPER, Law
from isocost.policies.base import Coverage

Floats = NDArray[np.float64]

PROBLEMS, DRAWS, BUDGETS = 100, 4, (12.0, 24.0, 48.0, 96.0)
COSTS = {"weak": 1.0, "strong": 3.0}
PRICES = {model: Price(alone=cost) for model, cost in COSTS.items()}
COPULAS = (0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Results of a law: float[replications, budgets] each; `held` of the mixture and `paired` of weak minus strong are 0 or 1."""

    name: str
    loss: Floats
    error: Floats
    held: Floats
    paired: Floats
    settled: Floats
    wrong: Floats


def main() -> None:
    parser = argparse.ArgumentParser(description="Loss of the choice recommended from a pilot, and coverage of intervals.")
    parser.add_argument("--replications", type=int, default=40)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--adaptive", type=int, default=0, help="pilots after which the policy adaptive is forecast; some seconds each")
    args = parser.parse_args()
    laws = {
        f"{benchmark}, copula {copula:g}": replace(law, correlation=copula, impossible=0.05)
        for benchmark, law in PAPER.items()
        for copula in COPULAS
    }
    with ProcessPoolExecutor(args.processes) as executor:
        if args.replications:
            run = partial(replicated, replications=args.replications, seed=args.seed)
            print("\n".join(table(list(executor.map(run, laws, laws.values())))))
        if args.adaptive:
            seeds = [[args.seed, i] for i in range(args.adaptive)]
            print(policy_line(np.array(list(executor.map(policy_replication, seeds)))))


def replicated(name: str, law: Law, *, replications: int, seed: int) -> Found:
    generator = np.random.default_rng([seed, *name.encode()])
    rows = np.array([replication(law, generator) for _ in range(replications)])  # [replications, measures, budgets]
    loss, error, held, paired, settled, wrong = rows.transpose(1, 0, 2)
    return Found(name=name, loss=loss, error=error, held=held, paired=paired, settled=settled, wrong=wrong)


def replication(law: Law, generator: np.random.Generator) -> Floats:
    """Return the measures of one pilot, float[measures, budgets]."""
    rates = law.rates(PROBLEMS, generator)
    market = piloted_market(rates, generator)
    return np.array([_measures(market, rates, budget) for budget in BUDGETS]).T


def policy_replication(seed: Sequence[int]) -> list[float]:
    """Return the error of the forecast of adaptive and of its gain over weak, and 1 or 0 for each interval that holds."""
    generator = np.random.default_rng(seed)
    rates = replace(PAPER["MATH"], impossible=0.05).rates(60, generator)
    market = piloted_market(rates, generator)
    nothing = DistinctLaw([], [], [], [])
    simulation = Simulation(models=tuple(COSTS), prices=PRICES, pilot=DRAWS, objective=Coverage(), together=nothing)
    results = simulation.run("adaptive", 48.0, market.drawn.rates)
    policy, weak = market.policy("adaptive", 48.0, results), market.model("weak", 48.0)
    gain = market.difference(policy, weak).value
    outcomes = replace(simulation, seed=1).run("adaptive", 48.0, np.repeat(rates[None], 8, axis=0))
    runs = [result.values[Coverage()].mean() for result in outcomes]
    truth = _truth(weak, rates)
    return [
        (policy.value.value or 0.0) - float(np.mean(runs)),
        (gain.value or 0.0) - (float(np.mean(runs)) - truth),
        float((policy.value.low or 0.0) <= runs[0] <= (policy.value.high or 0.0)),
        float((gain.low or 0.0) <= runs[0] - truth <= (gain.high or 0.0)),
    ]


def policy_line(rows: Floats) -> str:
    """Return the results of adaptive as a sentence."""
    rmse, bias, held = np.sqrt((rows[:, :2] ** 2).mean(axis=0)), rows[:, :2].mean(axis=0), rows[:, 2:].mean(axis=0)
    return (
        f"adaptive after {len(rows)} pilots: RMSE {rmse[0]:.3f} (bias {bias[0]:+.3f}), interval holds {held[0]:.0%}; "
        f"gain over weak: RMSE {rmse[1]:.3f} (bias {bias[1]:+.3f}), interval holds {held[1]:.0%}"
    )


def piloted_market(rates: Floats, generator: np.random.Generator) -> Market:
    """Return the forecasts from a pilot of both models."""
    successes = generator.binomial(DRAWS, rates)
    none = np.zeros(0, np.int64)
    forecasts = [
        CurveForecast(
            Pilot(
                model=model,
                problem_ids=tuple(map(str, range(len(rates)))),
                successes=successes[:, m],
                draws=np.full(len(rates), DRAWS),
                solution_problem=none,
                solution_count=none,
            )
        )
        for m, model in enumerate(COSTS)
    ]
    return Market(forecasts, replicates(forecasts, generator), PRICES, Coverage(), DistinctLaw([], [], [], []))


def _measures(market: Market, rates: Floats, budget: float) -> list[float]:
    weak, strong, both = market.model("weak", budget), market.model("strong", budget), market.pair("weak", "strong", budget)
    truth = {choice.name: _truth(choice, rates) for choice in (weak, strong, both)}
    recommended = max((weak, strong, both), key=lambda choice: choice.value.value or 0.0)
    difference = market.difference(weak, strong)
    true_difference = truth["weak"] - truth["strong"]
    low, high = difference.value.low or 0.0, difference.value.high or 0.0
    return [
        1.0 - truth[recommended.name] / max(truth.values()),
        (both.value.value or 0.0) - truth[both.name],
        float((both.value.low or 0.0) <= truth[both.name] <= (both.value.high or 0.0)),
        float(low <= true_difference <= high),
        float(difference.is_settled),
        float(difference.is_settled and (difference.value.value or 0.0) * true_difference < 0.0),
    ]


def _truth(choice: Choice, rates: Floats) -> float:
    missed = np.ones(len(rates))
    for m, model in enumerate(COSTS):
        missed *= (1.0 - rates[:, m]) ** choice.draws.get(model, 0.0)
    return 1.0 - float(missed.mean())


def table(found: Sequence[Found]) -> list[str]:
    lines = [
        "| laws | loss of the recommended choice | RMSE of the mixture | its interval holds | weak minus strong: interval holds | settled "
        "| wrongly |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in found:
        lines.append(_row(one.name, [one]))
    return [*lines, _row("all", found)]


def _row(name: str, found: Sequence[Found]) -> str:
    loss = np.concatenate([one.loss.ravel() for one in found])
    rmse = np.sqrt(np.mean(np.concatenate([one.error.ravel() for one in found]) ** 2))
    shares = [np.mean([getattr(one, each) for one in found]) for each in ("held", "paired", "settled", "wrong")]
    return f"| {name} | {loss.mean():.1%} | {rmse:.3f} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"


if __name__ == "__main__":
    main()

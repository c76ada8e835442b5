"""How often the interval of a crossover holds the true one: simulated pairs of models that cross early, midway, late, barely or never.

    python benchmarks/crossovers.py               # the table of docs/intervals.md, some minutes on one core
    python benchmarks/crossovers.py --sets 100

A strong model's draw costs three of a weak one's; 30 weak draws and 10 strong ones of each problem, and another cost for every problem.
Pass rates of a problem follow a Gaussian copula of two beta laws, correlated .7, with shares of problems that either never solves. The
truth is the crossover of the curves of 200,000 problems whose pass rates are known. Where the data has the other model ahead at the end,
that model's crossover lies in truth beyond the reach: the interval holds it if it has no upper end.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocost.metrics.coverage import coverage_curve
from isocost.metrics.curves import Crossover, Curve, crossover

Floats = NDArray[np.float64]
POPULATION = 200_000
DRAWS = (30, 10)
COSTS = (1.0, 3.0)
NS = (50, 200, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Shares of problems never solved, and beta laws of the others, of the weak and the strong model."""

    never: tuple[float, float]
    laws: tuple[tuple[float, float], tuple[float, float]]


PAIRS = {
    "early": Pair(never=(0.30, 0.02), laws=((1.0, 1.5), (2.2, 1.8))),
    "midway": Pair(never=(0.20, 0.03), laws=((1.0, 1.5), (1.6, 1.8))),
    "late": Pair(never=(0.14, 0.03), laws=((1.0, 1.5), (1.4, 1.8))),
    "barely": Pair(never=(0.10, 0.02), laws=((1.0, 1.5), (1.2, 1.8))),
    "flat": Pair(never=(0.10, 0.06), laws=((0.4, 0.8), (0.9, 0.9))),
    "the weak one ahead from the first draw": Pair(never=(0.05, 0.05), laws=((1.0, 1.5), (1.4, 1.8))),
    "the strong one ahead from the first draw": Pair(never=(0.30, 0.02), laws=((0.5, 4.0), (3.0, 1.5))),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=400, help="data sets for each setting")
    parser.add_argument("--draws", type=int, default=400, help="resamples for each interval")
    args = parser.parse_args()
    head = ["pair", "truth, ahead", "n", "right leader", "held", "upper end", "median width"]
    print(f"| {' | '.join(head)} |\n|---|---|" + "--:|" * (len(head) - 2))
    for i, (name, pair) in enumerate(PAIRS.items()):
        rng = np.random.default_rng([11, i])
        rates = pass_rates(pair, rng)
        costs = cost_of_draws(POPULATION, rng)
        truth = crossing_of(rates, costs)
        for n in NS:
            print(name, n, file=sys.stderr)
            found = [simulated(rates, costs, n, rng, args.draws) for _ in range(args.sets)]
            print(row(name, truth, n, found))


def row(name: str, truth: Crossover, n: int, found: list[Crossover]) -> str:
    led = [each.ahead == truth.ahead for each in found]
    held = [holds(each, truth) if right else each.high is None for right, each in zip(led, found, strict=True)]
    ended = [each.high is not None for each in found]
    width = np.median([(each.reach if each.high is None else each.high) - (each.low or 0.0) for each in found])
    where = f"{truth.value:.1f} of {truth.reach:.0f}, {'weak' if truth.ahead == 'left' else 'strong'}"
    cells = [name, where, f"{n:,}", *(f"{100 * np.mean(each):.1f}" for each in (led, held, ended))]
    return "| " + " | ".join([*cells, f"{width:.1f}"]) + " |"


def holds(found: Crossover, truth: Crossover) -> bool:
    """An end that is not given lies beyond the reach."""
    low = found.reach if found.low is None else found.low
    return truth.value is not None and low <= truth.value + 1e-9 and (found.high is None or truth.value <= found.high + 1e-9)


def pass_rates(pair: Pair, rng: np.random.Generator) -> list[Floats]:
    shared = rng.standard_normal(POPULATION)
    found = []
    for never, (a, b) in zip(pair.never, pair.laws, strict=True):
        own = np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.standard_normal(POPULATION)
        in_order = np.sort(rng.beta(a, b, POPULATION))[np.argsort(np.argsort(own))]
        found.append(np.where(rng.random(POPULATION) < never, 0.0, in_order))
    return found


def cost_of_draws(n: int, rng: np.random.Generator) -> list[Floats]:
    long = rng.gamma(10.0, 0.1, n)  # a long solution is long for both
    return [cost * long for cost in COSTS]


def crossing_of(rates: list[Floats], costs: list[Floats]) -> Crossover:
    ks = [np.arange(1, m + 1) for m in DRAWS]
    means = [np.array([np.mean(1 - (1 - p) ** k) for k in each]) for p, each in zip(rates, ks, strict=True)]
    left, right = (Curve(ks=k, values=m[None], cost=np.array([c.mean()])) for k, m, c in zip(ks, means, costs, strict=True))
    return crossover(left, right, draws=1)


def simulated(rates: list[Floats], costs: list[Floats], n: int, rng: np.random.Generator, draws: int) -> Crossover:
    at = rng.integers(0, POPULATION, n)
    curves = []
    for p, cost, m in zip(rates, costs, DRAWS, strict=True):
        ks = np.arange(1, m + 1)
        curves.append(Curve(ks=ks, values=coverage_curve(np.full(n, m), rng.binomial(m, p[at]), ks), cost=cost[at]))
    return crossover(curves[0], curves[1], draws=draws, seed=int(rng.integers(2**31)))


if __name__ == "__main__":
    main()

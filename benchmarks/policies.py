"""Cost of the adaptive policy on simulated laws, against the bound of a buyer who knows the law and against the best uniform.

    python benchmarks/policies.py                              # the table of docs/backtest.md; hours on one core
    python benchmarks/policies.py --seeds 20 --processes 2     # a first look
    python benchmarks/policies.py --one-by-one                 # one draw at a time, without rounds

Laws of the pass rates of a weak and a strong model: those fitted to the paper's curves of MATH and GSM8K, and .02 and .5 for every problem.
5% of problems are impossible. A strong draw costs 3 or 30 weak ones; abilities correlate at .5, .8 or .95 (a Gaussian copula). A seed is
200 new problems with 400 draws of each model. Targets are the coverage of 2, 4 and 8 draws per problem of the best uniform on these
problems, counted on draws apart, so that each can be reached. The best uniform is the model that reaches the expected coverage at the lower
cost. Each policy gets the same problems and draws. Ratios are of means over seeds; standard errors by the delta method, paired.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from isocost.backtesting.bounds import Learned, greedy
from isocost.backtesting.pool import Floats, Pool
from isocost.backtesting.replay import replay, replay_fixed
from isocost.passrates import HIERARCHICAL, PAPER, Law, Posterior, Prior, fixed_prior, law_prior
from isocost.policies.adaptive import Adaptive
from isocost.policies.base import Coverage, Policy, Terms

PROBLEMS, DRAWS, POPULATION = 200, 400, 200_000
UNIFORM_DRAWS = (2, 4, 8)
SIZE = 1e4  # alpha + beta of a law that is nearly one rate
LAWS = {name: replace(law, impossible=0.05) for name, law in PAPER.items()} | {
    ".02/.5": Law(marginals=((0.02 * SIZE, 0.98 * SIZE), (0.5 * SIZE, 0.5 * SIZE)), impossible=0.05)
}
PRIORS: dict[str, Prior] = {"hierarchical": HIERARCHICAL, "Beta(.3,2)": fixed_prior(0.3, 2.0), "Beta(1,1)": fixed_prior(1.0, 1.0)}
BOUND, UNIFORM = "law known", ("uniform weak", "uniform strong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    law: str
    price: float
    correlation: float

    @property
    def joint(self) -> Law:
        return replace(LAWS[self.law], correlation=self.correlation)

    def __str__(self) -> str:
        return f"{self.law}, 1:{self.price:g}, {self.correlation:g}"


SETTINGS = [Setting(law=law, price=price, correlation=r) for law, price, r in itertools.product(LAWS, (3.0, 30.0), (0.5, 0.8, 0.95))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2000, help="sets of problems for each setting")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--one-by-one", action="store_true", help="buy one draw at a time")
    args = parser.parse_args()
    print("| setting | draws per problem | " + " | ".join(f"{name} / bound | / best uniform" for name in PRIORS) + " |")
    print("|---|--:|" + "--:|--:|" * len(PRIORS))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in PRIORS}
    with ProcessPoolExecutor(args.processes) as executor:
        for setting in SETTINGS:
            print(setting, file=sys.stderr)
            runs = list(executor.map(partial(costs_of, setting, args.one_by_one), range(args.seeds), chunksize=1))
            for t, draws in enumerate(UNIFORM_DRAWS):
                cells = []
                costs = {name: np.array([run[name][t] for run in runs]) for name in runs[0]}
                best = min((costs[name] for name in UNIFORM), key=lambda each: float(each.mean()))
                for name in PRIORS:
                    to_bound, to_uniform = (ratio(costs[name], other) for other in (costs[BOUND], best))
                    found[name].append((to_bound[0], to_uniform[0]))
                    cells += [f"{value:.3f} ±{error:.3f}" for value, error in (to_bound, to_uniform)]
                print(f"| {setting} | {draws} | {' | '.join(cells)} |", flush=True)
    for what, of in (("average", np.mean), ("worst", np.max)):
        print(f"| {what} | | " + " | ".join(f"{value:.3f}" for name in PRIORS for value in of(found[name], axis=0)) + " |")


def ratio(above: Floats, below: Floats) -> tuple[float, float]:
    """Return the ratio of two means over the same seeds, and its standard error."""
    value = above.mean() / below.mean()
    return float(value), float((above - value * below).std(ddof=1) / below.mean() / np.sqrt(len(above)))


def costs_of(setting: Setting, one_by_one: bool, seed: int) -> dict[str, Floats]:
    """Return the cost of each buyer for each target on one set of problems; the whole pool's where it is not reached."""
    generator = np.random.default_rng([seed, 17])
    pool = simulated(setting, generator)
    apart = pool.correct[:, :, -max(UNIFORM_DRAWS) :]
    needs = [int(apart[:, model, :draws].any(axis=1).sum()) for model, draws in zip(best_models(setting), UNIFORM_DRAWS, strict=True)]
    needs = np.maximum.accumulate(needs).tolist()  # targets ascend, also where the best model changes
    found = {BOUND: greedy(known(setting), pool, Coverage(), needs, np.random.default_rng([seed, 18]))}
    for model, name in enumerate(UNIFORM):
        found[name] = replay_fixed(pool.of_models([model]), Coverage(), needs, np.random.default_rng([seed, 19]))
    for name, prior in PRIORS.items():
        found[name] = replay(adaptive(prior, one_by_one), pool, Coverage(), needs, seed)
    return {name: np.where(np.isnan(costs), pool.total, costs) for name, costs in found.items()}


def adaptive(prior: Prior, one_by_one: bool) -> Callable[[Terms], Policy]:
    rounds = {"growth": 0.0, "smallest": 0.0} if one_by_one else {}
    return lambda terms: Adaptive(terms, prior, **rounds)


def simulated(setting: Setting, generator: np.random.Generator) -> Pool:
    rates = setting.joint.rates(PROBLEMS, generator)
    shape = (PROBLEMS, 2, DRAWS)
    return Pool(
        problems=tuple(map(str, range(PROBLEMS))),
        models=("weak", "strong"),
        drawn=np.full(shape[:2], DRAWS),
        graded=np.ones(shape, np.bool_),
        correct=generator.random(shape) < rates[:, :, None],
        solution=np.broadcast_to(np.arange(DRAWS), shape),
        cost=np.broadcast_to(np.array([1.0, setting.price])[:, None], shape),
        unit="cost",
        labels=(None,) * PROBLEMS,
    )


@cache
def known(setting: Setting) -> Learned:
    return Learned(Posterior(law_prior(setting.joint), 2))


@cache
def best_models(setting: Setting) -> tuple[int, ...]:
    """Return the model of the best uniform for each number of draws per problem."""
    rates = setting.joint.rates(POPULATION, np.random.default_rng(1))

    def coverage(model: int, draws: float) -> float:
        return float(np.mean(1 - (1 - rates[:, model]) ** draws))

    # The strong model's, unless the weak one covers more for the same money.
    return tuple(int(coverage(1, draws) > coverage(0, draws * setting.price)) for draws in UNIFORM_DRAWS)


if __name__ == "__main__":
    main()

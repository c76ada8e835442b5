"""Cost of the adaptive policy on simulated laws or recorded pools, against the bound of a buyer who knows the law and the best uniform.

    python benchmarks/policies.py --save costs.jsonl           # the table of docs/backtest.md; days on one core, may be stopped
    python benchmarks/policies.py --seeds 20 --processes 2     # a first look
    python benchmarks/policies.py --objective kept:4           # distinct correct solutions; or mixed:8
    python benchmarks/policies.py --rounds 0,0                 # one draw at a time, without rounds
    python benchmarks/policies.py --known --problems 600 --only "MATH, 1:3, 0.8" --rounds 0.1,0.25   # what such rounds alone cost
    python benchmarks/policies.py --only embedded --seeds 200  # pools of the embedded models, recorded by embedded_pools.yaml

Laws of the pass rates of a weak and a strong model: those fitted to the paper's curves of MATH and GSM8K, and .02 and .5 for every problem.
5% of problems are impossible. A strong draw costs 3 or 30 weak ones; abilities correlate at .5, .8 or .95 (a Gaussian copula). A seed is
200 new problems with 400 draws of each model. Targets are what the best uniform reaches with 2, 4 and 8 draws per problem (groups of draws
for mixed groups) on these problems, counted on draws apart, so that each can be reached. The best uniform is the model that reaches the
expected value at the lower cost. All correct solutions are distinct. Each policy gets the same problems and draws. Ratios are of means
over seeds; standard errors by the delta method, paired.

--only embedded takes the recorded draws of runs/embedded-pools (or --pools) in place of simulated ones: each pair of models, at the FLOPs
that each draw cost. A seed is an order of the draws. The law that is known is that of the problems' own pass rates.

--known puts a buyer who knows the law, in rounds, in the place of those who learn it: its ratio to the bound is what rounds cost. --rounds
has the arguments `growth` and `smallest` of the policy. With --save, the costs of each set of problems are appended to a file, and those
that it has are not computed again.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from isocost.arrays import Floats
from isocost.backtesting.bounds import KnownLaw, Learned, Rates, greedy
from isocost.backtesting.files import load
from isocost.backtesting.objectives import progress_of
from isocost.backtesting.pool import Pool
from isocost.backtesting.replay import replay, replay_fixed
from isocost.forecasting.distinct import DistinctLaw
from isocost.forecasting.values import draw_values
from isocost.passrates import HIERARCHICAL, PAPER, Law, Posterior, Prior, fixed_prior, law_prior
from isocost.passrates.grid import beta_masses
from isocost.policies.adaptive import SMALLEST, Adaptive
from isocost.policies.base import Coverage, MixedGroups, Objective, Policy, Terms
from isocost.policies.rounds import GROWTH
from isocost.predicting.asking import name_of, objective_of

DRAWS = 400
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

    @property
    def group(self) -> str:
        """The settings over which the second table takes means."""
        return f"{self.law}, 1:{self.price:g}"

    def __str__(self) -> str:
        return f"{self.group}, {self.correlation:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A pair of models of a recorded table, the cheaper one first."""

    table: Path
    models: tuple[str, str]

    @property
    def group(self) -> str:
        return f"embedded {'+'.join(self.models)}"

    def __str__(self) -> str:
        return self.group


PAIRS = (("weak", "strong"), ("tiny", "weak"), ("tiny", "strong"))
SETTINGS = [Setting(law=law, price=price, correlation=r) for law, price, r in itertools.product(LAWS, (3.0, 30.0), (0.5, 0.8, 0.95))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One set of problems, and what is to be reached on it."""

    setting: Setting | Recorded
    objective: Objective
    problems: int
    growth: float
    smallest: float
    known: bool
    seed: int

    @property
    def key(self) -> str:
        known = "; known" if self.known else ""
        return f"{self.setting}; {name_of(self.objective)}; {self.problems}; {self.growth:g},{self.smallest:g}{known}; {self.seed}"

    @property
    def draws(self) -> tuple[int, ...]:
        """Draws per problem of the best uniform whose value is the target."""
        size = self.objective.size if isinstance(self.objective, MixedGroups) else 1
        return tuple(size * draws for draws in UNIFORM_DRAWS)

    @property
    def priors(self) -> dict[str, Prior]:
        """The learned prior, and for coverage fixed ones beside it; or the law itself."""
        if self.known and isinstance(self.setting, Setting):
            return {"law known, rounds": law_prior(self.setting.joint)}
        return PRIORS if isinstance(self.objective, Coverage) else {"hierarchical": HIERARCHICAL}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2000, help="sets of problems for each setting")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--objective", type=objective_of, default=Coverage(), help="coverage, kept:4 or mixed:8")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--rounds", type=floats, default=(GROWTH, SMALLEST), help="growth and smallest round of the policy")
    parser.add_argument("--known", action="store_true", help="tell the policy the law")
    parser.add_argument("--only", help="one setting, as in the table, or embedded")
    parser.add_argument("--pools", type=Path, default=Path("runs/embedded-pools"), help="run directory of embedded_pools.yaml")
    parser.add_argument("--save", type=Path, help="file to which the costs of each set of problems are appended")
    args = parser.parse_args()
    # Seed by seed over all settings: if it is stopped, each setting has as many.
    embedded = [Recorded(table=args.pools / "samples.parquet", models=pair) for pair in PAIRS]
    settings = embedded if args.only == "embedded" else [setting for setting in SETTINGS if args.only in {None, str(setting)}]
    growth, smallest = args.rounds
    what = {"objective": args.objective, "problems": args.problems, "growth": growth, "smallest": smallest, "known": args.known}
    jobs = [Job(setting=setting, seed=seed, **what) for seed in range(args.seeds) for setting in settings]
    runs = computed(jobs, args.save, args.processes)
    costs = {
        setting: {name: np.array([runs[job.key][name] for job in jobs if job.setting == setting]) for name in runs[jobs[0].key]}
        for setting in settings
    }
    report(costs, jobs[0])


def floats(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(","))


def computed(jobs: list[Job], save: Path | None, processes: int) -> dict[str, dict[str, list[float]]]:
    """Return the costs of each job by its key: those that are saved, and the others, which are computed and saved."""
    found = {}
    if save is not None and save.exists():
        found = dict(json.loads(line) for line in save.read_text("utf-8").splitlines())
    missing = [job for job in jobs if job.key not in found]
    with ProcessPoolExecutor(processes) as executor:
        for job, costs in zip(missing, executor.map(costs_of, missing), strict=True):
            found[job.key] = {name: each.tolist() for name, each in costs.items()}
            if save is not None:
                with save.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([job.key, found[job.key]]) + "\n")
    return found


def report(costs: Mapping[Setting | Recorded, dict[str, Floats]], job: Job) -> None:
    """Print the ratios of each setting and number of draws, their means and the worst of them, and those to the other priors.

    Args:
        costs: Of each buyer, float[seeds, targets].
        job: Any of the jobs.
    """
    header = " | ".join(f"{name} / bound | / best uniform" for name in job.priors)
    print(f"| setting | draws per problem | {header} |\n|---|--:|" + "--:|--:|" * len(job.priors))
    found: dict[str, list[Floats]] = {}
    for setting, by_buyer in costs.items():
        for t, draws in enumerate(job.draws):
            of = {name: each[:, t] for name, each in by_buyer.items()}
            best = min((of[name] for name in UNIFORM), key=lambda each: float(each.mean()))
            pairs = [ratio(of[name], other) for name in job.priors for other in (of[BOUND], best)]
            print(f"| {setting} | {draws} | " + " | ".join(f"{value:.3f} ±{error:.3f}" for value, error in pairs) + " |")
            found.setdefault(setting.group, []).append(np.array(pairs))
    print(f"\n| law, prices | {header} |\n|---|" + "--:|--:|" * len(job.priors))
    found["all"] = [pairs for each in found.values() for pairs in each]
    for name, each in found.items():
        values = np.array(each)[:, :, 0]
        cells = [f"{mean:.3f} ({worst:.3f})" for mean, worst in zip(values.mean(axis=0), values.max(axis=0), strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")
    own, *others = job.priors
    print(f"\n| setting | draws per problem | {' | '.join(f'{own} / {other}' for other in others)} |\n|---|--:|" + "--:|" * len(others))
    for setting, by_buyer in costs.items():
        for t, draws in enumerate(job.draws):
            pairs = [ratio(by_buyer[own][:, t], by_buyer[other][:, t]) for other in others]
            print(f"| {setting} | {draws} | " + " | ".join(f"{value:.3f} ±{error:.3f}" for value, error in pairs) + " |")
    errors = np.array(found["all"])[:, 0::2, 1]
    print(f"\nStandard error of a ratio to the bound: {errors.mean():.3f} on average, {errors.max():.3f} at most.")


def ratio(above: Floats, below: Floats) -> tuple[float, float]:
    """Return the ratio of two means over the same seeds, and its standard error."""
    value = above.mean() / below.mean()
    return float(value), float((above - value * below).std(ddof=1) / below.mean() / np.sqrt(len(above)))


def costs_of(job: Job) -> dict[str, Floats]:
    """Return the cost of each buyer for each target on one set of problems; the whole pool's where it is not reached."""
    setting, objective, seed = job.setting, job.objective, job.seed
    generator = np.random.default_rng([seed, 17])
    if isinstance(setting, Recorded):
        pool = recorded(setting, objective).shuffled(generator)
        models = best_recorded(pool, objective, job.draws)
        law: Rates = law_of(setting, objective)
    else:
        pool = simulated(setting, job.problems, generator)
        models = best_models(setting, objective, job.draws)
        law = known(setting)
    needs = [reached(pool, objective, model, draws) for model, draws in zip(models, job.draws, strict=True)]
    needs = np.maximum.accumulate(needs).tolist()  # targets ascend, also where the best model changes
    found = {BOUND: greedy(law, pool, objective, needs, np.random.default_rng([seed, 18]))}
    for model, name in enumerate(UNIFORM):
        found[name] = replay_fixed(pool.of_models([model]), objective, needs, np.random.default_rng([seed, 19]))
    for name, prior in job.priors.items():
        found[name] = replay(adaptive(prior, job), pool, objective, needs, seed)
    return {name: np.where(np.isnan(costs), pool.total, costs) for name, costs in found.items()}


def reached(pool: Pool, objective: Objective, model: int, draws: int) -> int:
    """Return what the last draws of a model for each problem reach, summed over problems."""
    last = slice(pool.cost.shape[2] - draws, None)
    apart = replace(pool, **{name: getattr(pool, name)[:, :, last] for name in ("graded", "correct", "solution", "cost")})
    progress = progress_of(objective, apart)
    return sum(progress.add(problem, model, draw) for problem in range(len(pool.problems)) for draw in range(draws))


def adaptive(prior: Prior, job: Job) -> Callable[[Terms], Policy]:
    return lambda terms: Adaptive(terms, prior, growth=job.growth, smallest=job.smallest)


def simulated(setting: Setting, problems: int, generator: np.random.Generator) -> Pool:
    rates = setting.joint.rates(problems, generator)
    shape = (problems, 2, DRAWS)
    return Pool(
        problems=tuple(map(str, range(problems))),
        models=("weak", "strong"),
        drawn=np.full(shape[:2], DRAWS),
        graded=np.ones(shape, np.bool_),
        correct=generator.random(shape) < rates[:, :, None],
        solution=np.broadcast_to(np.arange(DRAWS), shape),
        cost=np.broadcast_to(np.array([1.0, setting.price])[:, None], shape),
        unit="cost",
        labels=(None,) * problems,
        distinct=None,
    )


@cache
def recorded(setting: Recorded, objective: Objective) -> Pool:
    """Return the recorded draws of a pair of models."""
    pool = load(setting.table, objective).pool
    return pool.of_models([pool.models.index(model) for model in setting.models])


@cache
def law_of(setting: Recorded, objective: Objective) -> KnownLaw:
    return KnownLaw(recorded(setting, objective).rates)


def best_recorded(pool: Pool, objective: Objective, draws: Sequence[int]) -> tuple[int, ...]:
    """Return the model of the best uniform for each number of draws per problem: the second, unless the first reaches more for its money.

    Where the first would need more draws than are recorded, all of its draws count.
    """
    price = float(pool.mean_costs[1] / pool.mean_costs[0])
    most = pool.cost.shape[2]
    return tuple(int(reached(pool, objective, 1, n) > reached(pool, objective, 0, min(most, round(n * price)))) for n in draws)


@cache
def known(setting: Setting) -> Learned:
    return Learned(Posterior(law_prior(setting.joint), 2))


@cache
def best_models(setting: Setting, objective: Objective, draws: tuple[int, ...]) -> tuple[int, ...]:
    """Return the model of the best uniform for each number of draws per problem."""
    nothing = DistinctLaw([], [], [], [])
    masses = [beta_masses(*marginal) for marginal in LAWS[setting.law].marginals]

    def value(model: int, count: float) -> float:
        return float(draw_values(objective, [count], nothing)[0] @ masses[model])

    # The strong model's, unless the weak one reaches more for the same money.
    return tuple(int(value(1, count) > value(0, count * setting.price)) for count in draws)


if __name__ == "__main__":
    main()

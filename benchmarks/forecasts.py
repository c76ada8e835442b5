"""Errors and interval coverage of forecasts from 4 draws per problem, against the power law, on simulated and recorded pools.

    python benchmarks/forecasts.py                                # the table of docs/forecasting.md, a minute on one core
    python benchmarks/forecasts.py --replications 20 --processes 2
    python benchmarks/forecasts.py --table verdicts.parquet       # more pools: every model of a table with 100 draws per problem

A replication of a law draws the pass rates of 100 problems and the outcomes of 4 draws for each. The truth is the expected coverage of
these problems given their rates. A replication of a recorded pool takes 4 of each problem's draws at random. The truth is the unbiased
coverage from all of them. Errors are those of replications in which the power law is defined; intervals count in all of them.

Distinct correct solutions, equal texts, are forecast for recorded pools, from pilots of the same kind.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.forecasting import CurveForecast, Pilot
from isocost.metrics.coverage import coverage_curve
from isocost.passrates import PAPER, Law, power_law

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROBLEMS, DRAWS, KS = 100, 4, (16, 64, 100)
GAME24 = Path(__file__).parents[2] / "shared/data/pool_game24.parquet"
# The first points of the paper's curve of the weak model on MATH, coverage@1 .. @4, and coverage@30.
PAPER_CURVE, PAPER_K, PAPER_VALUE = (0.27, 0.373, 0.431, 0.472), 30, 0.706


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A law of pass rates, or recorded draws: correct of each problem's `recorded` draws, int[problems]."""

    name: str
    law: Law | None = None
    correct: Ints | None = None
    recorded: int = 0

    def replication(self, generator: np.random.Generator) -> tuple[Ints, Floats]:
        """Return the successes of a pilot, int[problems], and the true coverage at KS."""
        if self.law is not None:
            rates = self.law.rates(PROBLEMS, generator)[:, 0]
            return generator.binomial(DRAWS, rates), 1.0 - ((1.0 - rates)[:, None] ** np.array(KS)).mean(axis=0)
        assert self.correct is not None
        successes = generator.hypergeometric(self.correct, self.recorded - self.correct, DRAWS)
        return successes, coverage_curve(np.full(len(self.correct), self.recorded), self.correct, KS).mean(axis=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Results of a pool.

    Attributes:
        errors: Of forecast and power law, float[replications, 2, ks]; nan where the power law is undefined.
        held: True if the interval holds the truth, bool[replications, ks].
        widths: Of the intervals, float[replications, ks].
    """

    name: str
    errors: Floats
    held: NDArray[np.bool_]
    widths: Floats

    @property
    def rmse(self) -> Floats:
        """Root mean square error of forecast and power law, float[2, ks]."""
        return np.asarray(np.sqrt(np.nanmean(self.errors**2, axis=0)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Errors and interval coverage of forecasts from 4 draws per problem.")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", type=Path, action="append", default=[], help="a table of samples whose models are pools too; repeatable")
    args = parser.parse_args()
    with ProcessPoolExecutor(args.processes) as executor:
        run = partial(replicated, replications=args.replications, seed=args.seed)
        found = list(executor.map(run, pools([path for path in (GAME24, *args.table) if path.exists()])))
    print("\n".join(table(found)))
    print()
    print("\n".join(f"- {line}" for line in criteria(found)))
    print()
    print("\n".join(distinct_table(args.replications, args.seed, [path for path in (GAME24, *args.table) if path.exists()])))


def pools(tables: Sequence[Path]) -> list[Pool]:
    found = []
    for benchmark, law in PAPER.items():
        for model, marginal in zip(("weak", "strong"), law.marginals, strict=True):
            for impossible in (0.05, 0.15):
                name = f"{benchmark} {model}, {impossible:.0%} impossible"
                found.append(Pool(name=name, law=Law(marginals=(marginal,), correlation=0.0, impossible=impossible)))
    for alpha, beta in ((0.2, 5.0), (0.05, 1.0), (0.5, 10.0)):
        found.append(Pool(name=f"rare: Beta({alpha:g}, {beta:g})", law=Law(marginals=((alpha, beta),), correlation=0.0)))
    for path in tables:
        counts = pl.read_parquet(path).group_by("model", "problem_id").agg(pl.col("correct").sum(), pl.len()).sort("model", "problem_id")
        for (model,), rows in counts.group_by("model", maintain_order=True):
            recorded = int(rows["len"].min())  # type: ignore[arg-type]
            if recorded >= max(KS):
                found.append(Pool(name=f"{path.stem}: {model}", correct=rows["correct"].cast(pl.Int64).to_numpy(), recorded=recorded))
    return found


def replicated(pool: Pool, *, replications: int, seed: int) -> Found:
    generator = np.random.default_rng([seed, *pool.name.encode()])
    errors = np.full((replications, 2, len(KS)), np.nan)
    held, widths = np.zeros((replications, len(KS)), np.bool_), np.zeros((replications, len(KS)))
    for i in range(replications):
        successes, truth = pool.replication(generator)
        estimates = forecast_of(successes).coverage(KS)
        value, low, high = (np.array([getattr(e, end) for e in estimates]) for end in ("value", "low", "high"))
        held[i], widths[i] = (low <= truth) & (truth <= high), high - low
        draws = np.full(len(successes), DRAWS)
        anchor = power_law(coverage_curve(draws, successes, np.arange(1, DRAWS + 1)).mean(axis=0), KS)
        if anchor is not None:
            errors[i] = value - truth, anchor - truth
    return Found(name=pool.name, errors=errors, held=held, widths=widths)


def forecast_of(successes: Ints) -> CurveForecast:
    n, none = len(successes), np.zeros(0, np.int64)
    ids = tuple(map(str, range(n)))
    pilot = Pilot(model="m", problem_ids=ids, successes=successes, draws=np.full(n, DRAWS), solution_problem=none, solution_count=none)
    return CurveForecast(pilot)


def distinct_table(replications: int, seed: int, tables: Sequence[Path]) -> list[str]:
    """Return a table of forecasts of distinct correct solutions: relative error and its root mean square, and how often intervals hold."""
    lines = [
        "| pool | distinct at " + " | ".join(f"{k}: true, error (rms), held, width" for k in KS) + " |",
        "| --- |" + " --- |" * len(KS),
    ]
    for path in tables:
        draws = pl.read_parquet(path)
        for (model,), rows in draws.group_by("model", maintain_order=True):
            if int(rows.group_by("problem_id").len()["len"].min()) < max(KS):  # type: ignore[arg-type]
                continue
            generator = np.random.default_rng([seed, *f"{path.stem}: {model}".encode()])
            scores = np.array(_distinct_scores(rows, replications, generator))  # [replications, (value, low, high, truth), ks]
            value, low, high, truth = scores.swapaxes(0, 1)
            errors, held = value / truth - 1.0, (low <= truth) & (truth <= high)
            cells = [
                f"{truth[0, k]:.2f}, {errors[:, k].mean():+.0%} ({np.sqrt((errors[:, k] ** 2).mean()):.0%}), "
                f"{held[:, k].mean():.1%}, {(high - low)[:, k].mean():.2f}"
                for k in range(len(KS))
            ]
            lines.append(f"| {path.stem}: {model}, n = {rows['problem_id'].n_unique()} | {' | '.join(cells)} |")
    return lines


def _distinct_scores(rows: pl.DataFrame, replications: int, generator: np.random.Generator) -> list[list[list[float]]]:
    problems = rows["problem_id"].unique(maintain_order=True).to_list()
    drawn = dict(rows.group_by("problem_id").len().iter_rows())
    counts: dict[str, list[int]] = {problem: [] for problem in problems}
    for problem, _, count in rows.filter("correct").group_by("problem_id", "generation", maintain_order=True).len().iter_rows():
        counts[problem].append(count)
    truth = sum(coverage_curve(np.full(len(c), drawn[p]), np.array(c), KS).sum(axis=0) for p, c in counts.items() if c) / len(problems)
    found = []
    for _ in range(replications):
        seen = [generator.multivariate_hypergeometric([*counts[p], drawn[p] - sum(counts[p])], DRAWS)[:-1] for p in problems]
        pilot = Pilot(
            model="m",
            problem_ids=tuple(problems),
            successes=np.array([c.sum() for c in seen]),
            draws=np.full(len(problems), DRAWS),
            solution_problem=np.repeat(np.arange(len(problems)), [np.count_nonzero(c) for c in seen]),
            solution_count=np.concatenate([c[c > 0] for c in seen]),
        )
        estimates = CurveForecast(pilot).kept(KS, None)
        found.append([[getattr(e, end) for e in estimates] for end in ("value", "low", "high")] + [list(truth)])
    return found


def table(found: Sequence[Found]) -> list[str]:
    ks = [f"@{k}" for k in KS]
    lines = [f"| pool | RMSE {' '.join(ks)} | power law | interval holds | width |", "| --- | --- | --- | --- | --- |"]
    for pool in found:
        cells = [pool.rmse[0], pool.rmse[1], pool.held.mean(axis=0), pool.widths.mean(axis=0)]
        lines.append("| " + " | ".join([pool.name, *(_cells(cell) for cell in cells)]) + " |")
    means = [np.mean([p.rmse[i] for p in found], axis=0) for i in (0, 1)]
    means += [np.concatenate([p.held for p in found]).mean(axis=0), np.mean([p.widths.mean(axis=0) for p in found], axis=0)]
    lines.append("| " + " | ".join([f"all {len(found)} pools", *(_cells(cell) for cell in means)]) + " |")
    return lines


def _cells(values: Floats) -> str:
    return " ".join(f"{value:.3f}".removeprefix("0") for value in values)


def criteria(found: Sequence[Found]) -> list[str]:
    """Return the goals, each with what was measured, and met or not."""
    ours, power = (np.array([p.rmse[i] for p in found]) for i in (0, 1))
    held = np.array([p.held.mean(axis=0) for p in found])
    ratio, above = ours.mean() / power.mean(), (ours - power).max()
    paper = paper_point()
    checks = [
        (f"average RMSE at most 1.03 of the power law's: {ratio:.3f}", ratio <= 1.03),
        (f"on no pool more than .015 above it: {above:+.3f}", above <= 0.015),
        (f"90% intervals hold 87 to 97% pooled: {held.mean():.1%}", 0.87 <= held.mean() <= 0.97),
        (f"and at least 75% on each pool, at each k: {held.min():.1%}", held.min() >= 0.75),
        (f"from the first four points of the paper's weak MATH curve, {PAPER_VALUE} at 30 within .05: {paper:.3f}",
         abs(paper - PAPER_VALUE) <= 0.05),
    ]  # fmt: skip
    return [f"{text}: {'met' if met else 'NOT met'}" for text, met in checks]


def paper_point(problems: int = 1000) -> float:
    """Return the forecast of coverage@30 from a pilot of 4 draws whose coverage@1 .. @4 are the paper's points."""
    failures = [1.0, *(1.0 - c for c in PAPER_CURVE)]  # E[(1 - p)^j]
    shares = [
        failures[4],
        4 * (failures[3] - failures[4]),
        6 * (failures[2] - 2 * failures[3] + failures[4]),
        4 * (failures[1] - 3 * failures[2] + 3 * failures[3] - failures[4]),
    ]
    counts = np.round(problems * np.array([*shares, 1.0 - sum(shares)])).astype(np.int64)
    value = forecast_of(np.repeat(np.arange(DRAWS + 1), counts)).coverage([PAPER_K])[0].value
    assert value is not None
    return value


if __name__ == "__main__":
    main()

"""What a difficulty label saves the adaptive policy on a recorded pool, by the label's rank correlation with the pass rates.

    python benchmarks/labels.py TABLE --cost gpt4-answer-only=20/draw --cost gpt4-steps=75/draw --targets 0.3,0.35,0.4 --processes 2

A label is the rank of a problem's pass rate, averaged over models, plus normal noise; the size of the noise gives the rank correlation.
The policy learns from outcomes alone how much the label tells, and in which direction. Each label, and no label, meets the same shuffles of
the draws. The ratio is the mean cost of the best uniform over that of the policy, to the end of the round that reaches the target; its
standard error is over labels, given the shuffles.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from isocost.arrays import Floats
from isocost.backtesting.files import load
from isocost.backtesting.objectives import needed
from isocost.backtesting.pool import Pool
from isocost.backtesting.replay import replay, replay_fixed
from isocost.costs.given import given_costs
from isocost.policies.adaptive import Adaptive
from isocost.policies.base import Coverage

# Standard deviation of the noise, in ranks over the number of problems; a negative one reverses the label.
NOISE = {"no label": None, "noise": np.inf, "weaker": 0.53, "stronger": 0.32, "stronger, reversed": -0.32}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--cost", action="append", default=[])
    parser.add_argument("--targets", default="0.3,0.35,0.4")
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=60, help="shuffles of the draws for each label")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    pool = load(args.table, Coverage(), given=given_costs(args.cost)).pool
    targets = [float(t) for t in args.targets.split(",")]
    needs = tuple(needed(t, len(pool.problems)) for t in targets)
    with ProcessPoolExecutor(args.processes) as executor:
        uniform = np.array(list(executor.map(partial(uniform_costs, pool, needs), range(args.seeds)))).mean(axis=0).min(axis=0)
        print("| label | rank correlation | " + " | ".join(f"{t:g}" for t in targets) + " |\n|---|--:|" + "--:|" * len(targets))
        for name, noise in NOISE.items():
            labels = range(1 if noise is None else args.labels)
            jobs = [(label, seed) for label in labels for seed in range(args.seeds)]
            costs = np.array(list(executor.map(partial(adaptive_costs, pool, needs, noise), jobs))).reshape(len(labels), args.seeds, -1)
            each = costs.mean(axis=1)
            ratio = uniform / each.mean(axis=0)
            error = ratio * each.std(axis=0, ddof=1) / each.mean(axis=0) / np.sqrt(len(labels)) if len(labels) > 1 else None
            found = np.mean([correlation(pool, noise, label) for label in labels]) if noise is not None else None
            cells = [f"{r:.2f}" + (f" ±{error[t]:.2f}" if error is not None else "") for t, r in enumerate(ratio)]
            print(f"| {name} | {'–' if found is None else f'{found:.2f}'} | " + " | ".join(cells) + " |", flush=True)


def uniform_costs(pool: Pool, needs: tuple[int, ...], seed: int) -> Floats:
    """Return the cost of each model's uniform, float[models, targets]; infinite where the model never reaches the target."""
    shuffled = pool.shuffled(np.random.default_rng(seed))
    found = [replay_fixed(shuffled.of_models([m]), Coverage(), needs, np.random.default_rng([seed, 1])) for m in range(len(pool.models))]
    return np.nan_to_num(np.array(found), nan=np.inf)


def adaptive_costs(pool: Pool, needs: tuple[int, ...], noise: float | None, job: tuple[int, int]) -> Floats:
    """Return the cost of the adaptive policy with one label on one shuffle, float[targets]; the whole table's where it is not reached."""
    label, seed = job
    shuffled = pool.shuffled(np.random.default_rng(seed))
    if noise is not None:
        shuffled = replace(shuffled, labels=tuple(labels_of(pool, noise, label).tolist()))
    costs = replay(Adaptive, shuffled, Coverage(), needs, seed)
    return np.where(np.isnan(costs), pool.total, costs)


def labels_of(pool: Pool, noise: float, label: int) -> Floats:
    generator = np.random.default_rng([label, 2])
    if np.isinf(noise):
        return generator.random(len(pool.problems))
    ranks = ranks_of(pool.rates.mean(axis=1) + 1e-9 * generator.random(len(pool.problems)))
    return np.sign(noise) * (ranks / len(ranks) + abs(noise) * generator.standard_normal(len(ranks)))


def ranks_of(values: Floats) -> Floats:
    return np.argsort(np.argsort(values)).astype(np.float64)


def correlation(pool: Pool, noise: float, label: int) -> float:
    """Return Spearman's rank correlation of the label with the mean pass rate."""
    return float(np.corrcoef(ranks_of(labels_of(pool, noise, label)), ranks_of(pool.rates.mean(axis=1)))[0, 1])


if __name__ == "__main__":
    main()

"""How often isocost's 95% intervals hold the truth: 2,000 simulated data sets for each setting, one core, a few minutes.

    python benchmarks/intervals.py            # the summary, and every setting: the tables of docs/intervals.md
    python benchmarks/intervals.py --sets 400 --summary
    python benchmarks/intervals.py --unseen   # laws, rates and sizes that were not looked at when the intervals were made

Populations are 200,000 problems, whose pass rates follow a law of the grid and whose draws are made once; a data set is n of them with
replacement, and the truth is the population's mean. Laws are named by their beta distribution, with the share of problems that no draw
solves. Solutions of a problem fall into 12 classes, the i-th with chance proportional to 1 / i.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocost.metrics.coverage import coverage_at_k
from isocost.metrics.intervals import (
    count_intervals,
    mean_intervals,
    paired_count_difference,
    paired_differences,
    proportions,
    weighted_proportion,
)
from isocost.metrics.ppi import power_tuned_rate
from isocost.records import Estimate

Floats = NDArray[np.float64]
NS = (30, 100, 1000)
KS = (1, 4, 16)
POPULATION = 200_000
M = 16
LAWS = {  # share of problems never solved, and the beta law of the rest's pass rates
    "Beta(.005, 1)": (0.0, 0.005, 1.0),
    "Beta(1, 200)": (0.0, 1.0, 200.0),
    "Beta(.1, 5)": (0.0, 0.1, 5.0),
    "Beta(1, 30)": (0.0, 1.0, 30.0),
    "Beta(.3, 2)": (0.0, 0.3, 2.0),
    "Beta(.5, .75)": (0.0, 0.5, 0.75),
    "Beta(.05, .05)": (0.0, 0.05, 0.05),
    "Beta(5, 5)": (0.0, 5.0, 5.0),
    "Beta(50, 50)": (0.0, 50.0, 50.0),
    "Beta(2, .5)": (0.0, 2.0, 0.5),
    "Beta(20, 1)": (0.0, 20.0, 1.0),
    "Beta(200, 1)": (0.0, 200.0, 1.0),
    "50% + Beta(2, 2)": (0.5, 2.0, 2.0),
    "90% + Beta(5, 1)": (0.9, 5.0, 1.0),
    "97% + Beta(50, 1)": (0.97, 50.0, 1.0),
    "2% + Beta(50, 1)": (0.02, 50.0, 1.0),
}
UNSEEN_NS = (50, 250, 2000)
UNSEEN_LAWS = {
    "Beta(.02, 3)": (0.0, 0.02, 3.0),
    "Beta(1, 80)": (0.0, 1.0, 80.0),
    "Beta(.2, .2)": (0.0, 0.2, 0.2),
    "Beta(1, 1)": (0.0, 1.0, 1.0),
    "Beta(.7, 4)": (0.0, 0.7, 4.0),
    "Beta(15, 6)": (0.0, 15.0, 6.0),
    "Beta(4, .3)": (0.0, 4.0, 0.3),
    "Beta(60, 1)": (0.0, 60.0, 1.0),
    "30% + Beta(.6, .6)": (0.3, 0.6, 0.6),
    "80% + Beta(1, 4)": (0.8, 1.0, 4.0),
    "95% + Beta(8, 8)": (0.95, 8.0, 8.0),
    "5% + Beta(20, 1)": (0.05, 20.0, 1.0),
}
CLASSES = 1 / np.arange(1, 13) / (1 / np.arange(1, 13)).sum()
RATES = (0.001, 0.005, 0.02, 0.05, 0.17, 0.24, 0.5, 0.8, 0.98)
UNSEEN_RATES = (0.003, 0.01, 0.035, 0.1, 0.3, 0.65, 0.92, 0.99)
STRATA = ((0.6, 0.3, 0.1), (0.5, 1.0, 4.0))  # shares, and how many times the rate is each one's
UNSEEN_STRATA = ((0.45, 0.35, 0.2), (1.6, 0.9, 0.2))
HUMANS = (30, 50, 100, 1000)
REST = 2000
JUDGES = {"80%": (0.8, 0.8), "95%": (0.95, 0.95), "misses half": (0.5, 0.95), "cries wolf": (1.0, 0.0), "worse": (0.2, 0.2)}
HUMAN_RATES = (0.05, 0.17, 0.24, 0.5)
UNSEEN_HUMANS = (40, 75, 400)
UNSEEN_JUDGES = {"70%": (0.7, 0.7), "finds 90%, flags 30%": (0.9, 0.7), "finds 30%, flags 1%": (0.3, 0.99), "mild": (0.0, 1.0)}
UNSEEN_HUMAN_RATES = (0.03, 0.1, 0.35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is simulated."""

    laws: Sequence[str]
    ns: Sequence[int]
    rates: Sequence[float]
    strata: tuple[Sequence[float], Sequence[float]]
    judges: Mapping[str, tuple[float, float]]
    humans: Sequence[int]
    human_rates: Sequence[float]


SEEN = Grid(laws=tuple(LAWS), ns=NS, rates=RATES, strata=STRATA, judges=JUDGES, humans=HUMANS, human_rates=HUMAN_RATES)
UNSEEN = Grid(
    laws=tuple(UNSEEN_LAWS),
    ns=UNSEEN_NS,
    rates=UNSEEN_RATES,
    strata=UNSEEN_STRATA,
    judges=UNSEEN_JUDGES,
    humans=UNSEEN_HUMANS,
    human_rates=UNSEEN_HUMAN_RATES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One law, measure and number of problems: how often the interval held the truth, and how wide it was on average."""

    measure: str
    law: str
    n: int
    truth: float
    fewest: float  # expected successes or failures, whichever are fewer
    held: float
    width: float
    plain: float  # held by mean +- 1.96 standard errors
    ratio: float = 1.0  # error over that of the human labels alone


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=2000, help="data sets for each setting")
    parser.add_argument("--summary", action="store_true", help="leave out the table of all settings")
    parser.add_argument("--unseen", action="store_true", help="the grid that was not looked at when the intervals were made")
    args = parser.parse_args()
    settings = list(simulate(args.sets, UNSEEN if args.unseen else SEEN))
    print(summary(settings))
    print("\n" + judges(settings))
    if not args.summary:
        print("\n" + everything(settings))


def simulate(sets: int, grid: Grid) -> Iterator[Setting]:
    for i, law in enumerate(grid.laws):
        print(law, file=sys.stderr)
        rng = np.random.default_rng([7, i])
        yield from means(law, rng, sets, grid.ns)
        yield from differences(law, rng, sets, grid.ns)
    yield from rates(np.random.default_rng(8), sets, grid)
    yield from judged(sets, grid)


def means(law: str, rng: np.random.Generator, sets: int, ns: Sequence[int]) -> Iterator[Setting]:
    p = pass_rates(law, rng)
    equal, unequal = np.full(POPULATION, M), rng.integers(4, 33, POPULATION)
    for name, drawn in (("coverage", equal), ("coverage, unequal M", unequal)):
        correct = rng.binomial(drawn, p)
        for k in KS:
            yield from over_problems(f"{name}@{k}", law, coverage_at_k(drawn, correct, k), rng, sets, ns, mean_intervals)
    classes = multiplicities(p, M, rng)
    for k in KS:
        values = diversity(classes, k)
        count: Callable[[Floats], list[Estimate]] = lambda x, k=k: count_intervals(x, [k] * x.shape[1])  # type: ignore[misc]  # noqa: E731
        yield from over_problems(f"diversity@{k}", law, values, rng, sets, ns, count)


def differences(law: str, rng: np.random.Generator, sets: int, ns: Sequence[int]) -> Iterator[Setting]:
    """A weak model with three draws for each of the strong one's, somewhat worse, and unrelated on a tenth of the problems."""
    strong = pass_rates(law, rng)
    weak = np.where(rng.random(POPULATION) < 0.1, rng.permutation(strong), 1 - (1 - strong) ** 0.6)
    many, few = multiplicities(weak, M, rng), multiplicities(strong, M, rng)
    gap = diversity(many, 12) - diversity(few, 4)
    yield from over_problems("difference in diversity@12, @4", law, gap, rng, sets, ns, count_differences)
    for k, (a, b) in {"1": (1, 1), "12, @4": (12, 4)}.items():
        gap = coverage_at_k(np.full(POPULATION, M), many.sum(axis=1), a) - coverage_at_k(np.full(POPULATION, M), few.sum(axis=1), b)
        yield from over_problems(f"difference in coverage@{k}", law, gap, rng, sets, ns, lambda d: paired_differences(d, np.zeros_like(d)))
    gap = (rng.binomial(12, weak) > 0).astype(float) - (rng.binomial(4, strong) > 0)
    yield from over_problems("difference in covered", law, gap, rng, sets, ns, lambda d: paired_differences(d, np.zeros_like(d)))


def over_problems(
    measure: str,
    law: str,
    population: Floats,
    rng: np.random.Generator,
    sets: int,
    ns: Sequence[int],
    interval: Callable[[Floats], list[Estimate]],
) -> Iterator[Setting]:
    truth = float(np.nanmean(population))
    up, down = (float(np.nanmean(np.clip(sign * population, 0, 1))) for sign in (1, -1))
    fewest = min(up, down) if measure.startswith("difference") else min(up, 1 - up)
    for n in ns:
        x = population[rng.integers(0, POPULATION, (n, sets))]
        known = (~np.isnan(x)).sum(axis=0)
        mean, error = np.nanmean(x, axis=0), np.nanstd(x, axis=0, ddof=1) / np.sqrt(known)
        plain = float(np.mean(np.abs(mean - truth) <= 1.96 * error))
        held, width = scored(interval(x), truth)
        yield Setting(measure=measure, law=law, n=n, truth=truth, fewest=n * fewest, held=held, width=width, plain=plain)


def rates(rng: np.random.Generator, sets: int, grid: Grid) -> Iterator[Setting]:
    """Independent audits; and of three strata that have a third of the audits each, whatever their share of the solutions."""
    share, lift = (np.array(each) for each in grid.strata)
    for rate in grid.rates:
        for n in grid.ns:
            found = rng.binomial(n, rate, sets)
            plain = float(np.mean(np.abs(found / n - rate) <= 1.96 * np.sqrt(found / n * (1 - found / n) / n)))
            held, width = scored(proportions(found, np.full(sets, n)), rate)
            fewest = n * min(rate, 1 - rate)
            yield Setting(measure="rate", law=f"{rate:.1%}", n=n, truth=rate, fewest=fewest, held=held, width=width, plain=plain)
            each = np.minimum(rate * lift, (rate + 1) / 2)
            truth = float(share @ each)
            audits = rng.binomial(n // 3, each, (sets, 3))
            q = audits / (n // 3)
            error = np.sqrt((share**2 * q * (1 - q) / (n // 3)).sum(axis=1))
            plain = float(np.mean(np.abs(q @ share - truth) <= 1.96 * error))
            held, width = scored([weighted_proportion(row, [n // 3] * 3, share) for row in audits], truth)
            fewest = n // 3 * min(each.sum(), (1 - each).sum())
            yield Setting(measure="rate, strata", law=f"{rate:.1%}", n=n, truth=truth, fewest=fewest, held=held, width=width, plain=plain)


def judged(sets: int, grid: Grid) -> Iterator[Setting]:
    """Human labels with 2,000 of a judge besides; plain is the paper's interval, lambda tuned the same way.

    Every judge sees the same human labels. Where it is used, its mistakes among the human labels are counted as successes are.
    """
    for name, (sensitivity, specificity) in grid.judges.items():
        for rate in grid.human_rates:
            for n in grid.humans:
                rng = np.random.default_rng([9, round(100 * rate), n])
                wrong = rate * (1 - sensitivity) + (1 - rate) * (1 - specificity) if sensitivity + specificity > 1 else 0.5
                found, plain, squares = [], 0, np.zeros(2)
                human, luck = rng.random((sets, n)) < rate, rng.random((sets, n))
                flags = rng.binomial(REST, rate * sensitivity + (1 - rate) * (1 - specificity), sets)
                for y, u, flagged in zip(human, luck, flags, strict=True):
                    f = u < np.where(y, sensitivity, 1 - specificity)
                    rest = np.repeat([1.0, 0.0], [flagged, REST - flagged])
                    result = power_tuned_rate(y, f, rest)
                    centre = float(result.estimate.value or 0.0)
                    left = np.var(y - result.tuning * f, ddof=1) / n + result.tuning**2 * np.var(rest) / REST
                    plain += abs(centre - rate) <= 1.96 * np.sqrt(left)
                    squares += np.square([centre - rate, y.mean() - rate])
                    found.append(result.estimate)
                held, width = scored(found, rate)
                yield Setting(
                    measure=f"rate, judge {name}",
                    law=f"{rate:.0%}",
                    n=n,
                    truth=rate,
                    fewest=n * min(rate, 1 - rate, wrong),
                    held=held,
                    width=width,
                    plain=plain / sets,
                    ratio=float(np.sqrt(squares[0] / squares[1])),
                )


def pass_rates(law: str, rng: np.random.Generator) -> Floats:
    never, a, b = (LAWS | UNSEEN_LAWS)[law]
    return np.where(rng.random(POPULATION) < never, 0.0, rng.beta(a, b, POPULATION))


def multiplicities(p: Floats, drawn: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.multinomial(rng.binomial(drawn, p), np.broadcast_to(CLASSES, (p.size, CLASSES.size)))


def diversity(classes: NDArray[np.int64], k: int) -> Floats:
    seen = coverage_at_k(np.full(M + 1, M), np.arange(M + 1), k)
    return seen[classes].sum(axis=1)


def count_differences(d: Floats) -> list[Estimate]:
    return [paired_count_difference(column, np.zeros_like(column), most=12.0) for column in d.T]


def scored(found: Sequence[Estimate], truth: float) -> tuple[float, float]:
    ends = [(e.low, e.high) for e in found if e.low is not None and e.high is not None]
    low, high = np.array(ends).T
    return float(np.mean((low <= truth + 1e-12) & (truth <= high + 1e-12))), float(np.mean(high - low))


def summary(settings: Sequence[Setting]) -> str:
    head = ["measure", "n", "settings", "lowest", "with 10 or more", "elsewhere", "mean width", "plain, lowest"]
    rows = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    for measure, n in dict.fromkeys((s.measure, s.n) for s in settings):
        of = [s for s in settings if (s.measure, s.n) == (measure, n)]
        middle, rest = [s.held for s in of if s.fewest >= 10], [s.held for s in of if s.fewest < 10]
        width, plain = np.mean([s.width for s in of]), min(s.plain for s in of)
        cells = [measure, f"{n:,}", len(of), percent(min(s.held for s in of)), span(middle), span(rest), f"{width:.3f}", percent(plain)]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


def judges(settings: Sequence[Setting]) -> str:
    """Error of the tuned rate over that of the human labels alone, theory in brackets."""
    of = [s for s in settings if s.measure.startswith("rate, judge")]
    rates_ = list(dict.fromkeys(s.law for s in of))
    rows = [f"| judge | human labels | {' | '.join(rates_)} |", "|---|--:|" + "--:|" * len(rates_)]
    for measure, n in dict.fromkeys((s.measure, s.n) for s in of):
        cells = [f"{s.ratio:.3f} ({theory(measure, s):.3f})" for s in of if (s.measure, s.n) == (measure, n)]
        rows.append(f"| {measure.removeprefix('rate, judge ')} | {n} | {' | '.join(cells)} |")
    return "\n".join(rows)


def theory(measure: str, s: Setting) -> float:
    sensitivity, specificity = (JUDGES | UNSEEN_JUDGES)[measure.removeprefix("rate, judge ")]
    flagged = s.truth * sensitivity + (1 - s.truth) * (1 - specificity)
    lift, spread = max(0.0, sensitivity + specificity - 1), flagged * (1 - flagged)
    explained = s.truth * (1 - s.truth) * lift**2 / spread if spread > 0 else 0.0
    return float(np.sqrt(1 - explained * REST / (REST + s.n)))


def everything(settings: Sequence[Setting]) -> str:
    ns = sorted({s.n for s in settings})
    rows = [f"| measure | law | truth | {' | '.join(f'n = {n:,}' for n in ns)} |", "|---|---|--:|" + "--:|" * len(ns)]
    for measure, law in sorted(dict.fromkeys((s.measure, s.law) for s in settings), key=lambda pair: pair[0]):
        of = {s.n: s for s in settings if (s.measure, s.law) == (measure, law)}
        cells = [f"{percent(of[n].held)}, {of[n].width:.3f}, {of[n].fewest:.1f}" if n in of else "" for n in ns]
        rows.append(f"| {measure} | {law} | {next(iter(of.values())).truth:.4f} | {' | '.join(cells)} |")
    return "\n".join(rows)


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def span(shares: Sequence[float]) -> str:
    return f"{percent(min(shares))} to {percent(max(shares))}" if shares else ""


if __name__ == "__main__":
    main()

"""How many labels are worth giving, and what those given have shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

from isocost.auditing.rates import ModelRates
from isocost.metrics.intervals import independent_difference
from isocost.metrics.labels import Judge, Known, Predictor, labels_needed, smallest_difference
from isocost.records import Estimate

MOST = 100_000  # labels a model above which the number is not worth saying
SUPPOSED = 0.9  # how often a judge that nobody has checked yet is supposed to be right, of sound solutions and of unsound ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two models' false positive rates beside each other.

    Attributes:
        models: The two.
        difference: The first's rate less the second's.
    """

    models: tuple[str, str]
    difference: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What it takes to tell two models' rates apart, if they are as they seem.

    Attributes:
        models: The two.
        guesses: Their rates to believe.
        labels: Human labels of each, by people alone; None where the guesses are alike, or more than `MOST` are needed.
        with_judge: The same with what judge or steps add: as far as labels have shown, before that as a judge does that is right
            `SUPPOSED` of the time. None without either, and where `labels` is.
        in_order: Labels to give in the order of `place`, which goes over all models, until there are about `labels` of each; None where
            there are not so many of one, or `labels` is None.
        with_judge_in_order: The same of `with_judge`.
        apart: How far apart rates must lie for labels of all that was chosen of each to tell them; None where nothing would.
    """

    models: tuple[str, str]
    guesses: tuple[float, float]
    labels: int | None
    with_judge: int | None
    in_order: int | None
    with_judge_in_order: int | None
    apart: float | None


def differences(rates: Sequence[ModelRates]) -> list[Difference]:
    """The differences of each two models' rates to believe, where both have one.

    As if no problem were in both choices (`independent_difference`): too wide, if anything, where both err on the same problems.
    """
    known = [each for each in rates if each.rate.value is not None]
    return [
        Difference(models=(left.model, right.model), difference=independent_difference(left.rate, right.rate))
        for left, right in combinations(known, 2)
    ]


def needed(rates: Sequence[ModelRates]) -> list[Needed]:
    """Labels needed for each two models with a rate, four times in five."""
    known = [(each, each.rate.value) for each in rates if each.rate.value is not None]
    chosen = sum(each.chosen for each in rates)
    found = []
    for (left, a), (right, b) in combinations(known, 2):
        labels = _labels(a, b, None)
        predictor = _predictor(left, right)
        fewer = _labels(a, b, predictor) if predictor and labels else None
        rarest = min(left.chosen, right.chosen)
        found.append(
            Needed(
                models=(left.model, right.model),
                guesses=(a, b),
                labels=labels,
                with_judge=fewer,
                in_order=_in_order(labels, rarest, chosen),
                with_judge_in_order=_in_order(fewer, rarest, chosen),
                apart=smallest_difference(min(a, b), min(left.chosen, right.chosen)) if min(a, b) < 1 else None,
            )
        )
    return found


def _in_order(labels: int | None, rarest: int, chosen: int) -> int | None:
    """In a random order of all, n labels hold about n * rarest / chosen of the model with the fewest."""
    return None if labels is None or labels > rarest else ceil(labels * chosen / rarest)


def _predictor(left: ModelRates, right: ModelRates) -> Predictor | None:
    """What both models' rates can count on beside labels."""
    judged = min(left.chosen, right.chosen)
    if left.predictor and right.predictor:
        known = [Known.of(each.error_ratio, each.rate.n, each.chosen) for each in (left, right)]
        return Known(share=min(each.share for each in known), judged=judged)
    if left.best == right.best == "judge":
        return Judge(sensitivity=SUPPOSED, specificity=SUPPOSED, judged=judged)
    return None


def _labels(a: float, b: float, predictor: Predictor | None) -> int | None:
    if abs(a - b) < 1e-3:  # tenths of a point
        return None
    labels = labels_needed(a, b, judge=predictor)
    return labels if labels <= MOST else None

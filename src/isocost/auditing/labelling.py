"""The number of labels that are worth giving, and the differences between models that the labels show so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

from isocost.auditing.rates import FEWEST_LABELS, ModelRates
from isocost.metrics.intervals import independent_difference
from isocost.metrics.labels import Judge, Known, Predictor, labels_needed, smallest_difference
from isocost.records import Estimate

MOST = 100_000  # labels per model; nobody gives more, so a larger number is not reported
SUPPOSED = 0.9  # the assumed sensitivity and specificity of a judge before any of its verdicts has been labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The difference of two models' false positive rates.

    Attributes:
        models: The two.
        difference: The first model's rate minus the second's; None where the two are of different methods.
    """

    models: tuple[str, str]
    difference: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """The labels needed to distinguish two models' rates, if the true rates equal the estimates.

    Attributes:
        models: The two.
        guesses: Their best estimates of the rate.
        labels: Human labels per model, by people alone, at least the number from which on a combined rate is used; None where the
            estimates are equal, or more than `MOST` are needed.
        with_judge: The same with the judge or steps as predictor, at the accuracy that labels have shown, or before that with a judge that
            is right `SUPPOSED` of the time. None without either, and where `labels` is.
        in_order: Labels in the order of `place`, which covers all models, until each has about `labels`; None where a model has fewer
            chosen solutions, or `labels` is None.
        with_judge_in_order: The same for `with_judge`.
        apart: The smallest difference of rates that labels of all chosen solutions could show; None where none could.
    """

    models: tuple[str, str]
    guesses: tuple[float, float]
    labels: int | None
    with_judge: int | None
    in_order: int | None
    with_judge_in_order: int | None
    apart: float | None


def differences(rates: Sequence[ModelRates]) -> list[Difference]:
    """Return the differences of every two models' best estimates, where both have one.

    Estimates of different methods are not compared: the difference would be that of the methods. The others count as independent
    (`independent_difference`). Where both models err on the same problems, the interval is too wide.
    """
    known = [each for each in rates if each.rate.value is not None]
    return [
        Difference(
            models=(left.model, right.model),
            difference=independent_difference(left.rate, right.rate) if left.best == right.best else None,
        )
        for left, right in combinations(known, 2)
    ]


def needed(rates: Sequence[ModelRates]) -> list[Needed]:
    """Return the labels needed for every two models with a rate, at a power of 80%."""
    known = [(each, each.rate.value) for each in rates if each.rate.value is not None]
    chosen = sum(each.chosen for each in rates)
    found = []
    for (left, a), (right, b) in combinations(known, 2):
        rarest = min(left.chosen, right.chosen)  # the model that runs out of solutions to label first
        fewest = min(FEWEST_LABELS, rarest)
        labels = _labels(a, b, None, fewest)
        predictor = _predictor(left, right)
        fewer = _labels(a, b, predictor, fewest) if predictor and labels else None
        found.append(
            Needed(
                models=(left.model, right.model),
                guesses=(a, b),
                labels=labels,
                with_judge=fewer,
                in_order=_in_order(labels, rarest, chosen),
                with_judge_in_order=_in_order(fewer, rarest, chosen),
                apart=smallest_difference(min(a, b), rarest) if min(a, b) < 1 else None,
            )
        )
    return found


def _in_order(labels: int | None, rarest: int, chosen: int) -> int | None:
    """Return the labels to give in a random order of all: n of them contain about n * rarest / chosen of the model with the fewest."""
    return None if labels is None or labels > rarest else ceil(labels * chosen / rarest)


def _predictor(left: ModelRates, right: ModelRates) -> Predictor | None:
    """Return the predictor that both models' rates can use beside labels, or None."""
    judged = min(left.chosen, right.chosen)
    if left.predictor and right.predictor:  # labels have shown how much the predictor helps, so nothing is assumed
        known = [Known.of(each.error_ratio, each.rate.n, each.chosen) for each in (left, right)]
        return Known(share=min(each.share for each in known), judged=judged)
    if left.best == right.best == "judge":  # steps miss most kinds of error, so no accuracy is assumed for them
        return Judge(sensitivity=SUPPOSED, specificity=SUPPOSED, judged=judged)
    return None


def _labels(a: float, b: float, predictor: Predictor | None, fewest: int) -> int | None:
    if abs(a - b) < 1e-3:  # a tenth of a percentage point: no number of labels that people give would show it
        return None
    labels = max(fewest, labels_needed(a, b, judge=predictor))
    return labels if labels <= MOST else None

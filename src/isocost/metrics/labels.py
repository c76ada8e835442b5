"""The number of labels needed to distinguish two rates, and the smallest difference that a number of labels can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Protocol

from isocost.metrics.intervals.score import Z_POWER, Z

_MOST = 10**9  # beyond this nobody labels, and the search would only run on towards infinity


class Predictor(Protocol):
    """A predictor that labels many items, of which people label a random subset."""

    @property
    def judged(self) -> int:
        """The number of items of each model that it labels."""

    def explained(self, rate: float) -> float:
        """Return rho^2, the share of the human label's variance that its labels explain, at this rate of unsound solutions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A judge of known quality that labels many items, of which people label a random subset.

    Attributes:
        sensitivity: Chance that it finds an unsound solution unsound.
        specificity: Chance that it finds a sound solution sound.
        judged: The number of items of each model that it labels.
    """

    sensitivity: float
    specificity: float
    judged: int

    def explained(self, rate: float) -> float:
        """Return rho^2 as in `Predictor`; 0 for a judge no better than chance, because tuning does not use it."""
        flagged = rate * self.sensitivity + (1 - rate) * (1 - self.specificity)
        lift = self.sensitivity + self.specificity - 1
        spread = flagged * (1 - flagged)
        return 0.0 if lift <= 0 or spread <= 0 else rate * (1 - rate) * lift**2 / spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A predictor whose value follows from existing labels.

    Attributes:
        share: rho^2, within [0, 1].
        judged: The number of items of each model that it labels.
    """

    share: float
    judged: int

    @classmethod
    def of(cls, error_ratio: float, labelled: int, judged: int) -> Known:
        """Return the predictor with `Rate.error_ratio` r and n of N items labelled: rho^2 = (1 - r^2) N / (N - n)."""
        rest = judged - labelled
        return cls(share=min(1.0, (1 - error_ratio**2) * judged / rest) if rest > 0 else 0.0, judged=judged)

    def explained(self, rate: float) -> float:
        """Return rho^2; it is the same at any rate."""
        return self.share


def labels_needed(rate_a: float, rate_b: float, *, judge: Predictor | None = None) -> int:
    """Return the human labels needed of each of two models, on different problems, to distinguish their rates four times in five.

        z_0.975 sqrt(2 V(p)) + z_0.8 sqrt(V(a) + V(b)) <= |a - b|          p = (a + b) / 2,  V(r) = r (1 - r) / n

    This is the two-proportion formula (Fleiss, Levin and Paik 2003, "Statistical methods for rates and proportions", without their
    continuity correction, as `independent_difference` has none). With a judge that labels N items of each model, V(r) = r (1 - r) [(1 -
    rho^2) / n + rho^2 / max(N, n)], the variance of `power_tuned_rate`.

    Args:
        rate_a: The first expected rate.
        rate_b: The second expected rate.
        judge: The judge, or None for people alone.

    Returns:
        Labels per model.

    Raises:
        ValueError: The rates are equal, a number is not a valid chance, or more than 10^9 labels are needed.
    """
    _check(rate_a, rate_b)
    _check_judge(judge)
    return _least(lambda n: _apart(rate_a, rate_b, n, judge))


def smallest_difference(rate: float, labels: int) -> float | None:
    """Return the distance above this rate that a number of human labels per model can show: the inverse of `labels_needed`.

    Args:
        rate: The lower of the two rates.
        labels: Human labels of each model, at least 1.

    Returns:
        The difference, to 1e-6; None if not even a rate of 1 could be distinguished.

    Raises:
        ValueError: A number is not a valid chance, the rate is 1, or labels are below 1.
    """
    if not 0 <= rate < 1 or labels < 1:
        raise ValueError(f"the rate must lie in [0, 1) and labels be at least 1, got {rate} and {labels}")
    if not _apart(rate, 1.0, labels, None):
        return None
    low, high = 0.0, 1 - rate
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (low, middle) if _apart(rate, rate + middle, labels, None) else (middle, high)
    return high


def _apart(a: float, b: float, n: int, judge: Predictor | None) -> bool:
    null = sqrt(2 * _variance((a + b) / 2, n, judge))
    return Z * null + Z_POWER * sqrt(_variance(a, n, judge) + _variance(b, n, judge)) <= abs(a - b)


def _variance(rate: float, n: int, judge: Predictor | None) -> float:
    explained = 0.0 if judge is None else judge.explained(rate)
    # People label a subset of the judged items, so these are at least as many.
    judged = inf if judge is None else max(judge.judged, n)
    return rate * (1 - rate) * ((1 - explained) / n + explained / judged)


def _least(enough: Callable[[int], bool]) -> int:
    """Return the smallest n for which `enough` is true. It must stay true for all larger n."""
    high = 1
    while not enough(high):
        # Doubling first, because no upper bound is known.
        high *= 2
        if high > _MOST:
            raise ValueError("more than 10^9 labels are needed to distinguish these rates")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(rate_a: float, rate_b: float) -> None:
    if not (0 <= rate_a <= 1 and 0 <= rate_b <= 1):
        raise ValueError(f"rates must lie within [0, 1], got {rate_a} and {rate_b}")
    if rate_a == rate_b:
        raise ValueError(f"equal rates ({rate_a}) cannot be distinguished")


def _check_judge(judge: Predictor | None) -> None:
    if judge is None:
        return
    chances = (judge.sensitivity, judge.specificity) if isinstance(judge, Judge) else (judge.explained(0.5),)
    if not all(0 <= chance <= 1 for chance in chances) or judge.judged < 0:
        raise ValueError(f"sensitivity, specificity and share must lie within [0, 1] and judged be at least 0, got {judge}")

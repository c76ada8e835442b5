"""The axis that the dots of a table's column share: its ends, at round numbers, and the place of a value on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear axis from `low` to `high`."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return the position of a value: 0 at the lower end, 1 at the upper."""
        return (value - self.low) / (self.high - self.low)


def linear(values: Iterable[float]) -> Axis:
    """Return an axis over the values. Its ends are multiples of a step: 1, 2, 2.5 or 5 times a power of ten, about a fifth of it."""
    values = list(values)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low < 1e-9:  # equal values still need an axis with a length
        low, high = low - 0.05, high + 0.05
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    # The tolerances keep rounding errors of floats from adding a step at either end.
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return Axis(low=round(math.floor(low / step + 1e-9) * step, 12), high=round(math.ceil(high / step - 1e-9) * step, 12))


def shares(estimates: Iterable[Estimate]) -> Axis:
    """Return an axis that covers these shares and their intervals, within 0 and 1."""
    return linear(min(max(end, 0.0), 1.0) for end in ends(estimates))


def differences(estimates: Iterable[Estimate]) -> Axis:
    """Return an axis that covers these differences, their intervals, and 0."""
    return linear([0.0, *ends(estimates)])


def ends(estimates: Iterable[Estimate]) -> list[float]:
    """Return values and ends of intervals, those that are known."""
    return [end for estimate in estimates for end in (estimate.value, estimate.low, estimate.high) if end is not None]

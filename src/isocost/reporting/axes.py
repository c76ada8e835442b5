"""Axes: the position of a value, and ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from isocost.records import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis from `low` to `high` with its ticks, linear or logarithmic."""

    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return the position of a value: 0 at the lower end, 1 at the upper."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(values: Iterable[float], *, ticks: int = 5) -> Axis:
    """Return a linear axis over the values. Both ends are ticks, and steps are 1, 2, 2.5 or 5 times a power of ten."""
    values = list(values)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high - low < 1e-9:  # equal values still need an axis with a length
        low, high = low - 0.05, high + 0.05
    rough = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    # The tolerances keep rounding errors of floats from adding a tick at either end.
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    places = tuple(round(i * step, 12) for i in range(first, last + 1))
    return Axis(low=places[0], high=places[-1], ticks=places)


def logarithmic(values: Iterable[float]) -> Axis:
    """Return a logarithmic axis over positive values, slightly wider than their range, with ticks at round numbers."""
    values = list(values)
    low, high = min(values) / 1.15, max(values) * 1.15
    # Fewer ticks per power of ten on a long axis, more on a short one, so that labels neither collide nor run out.
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors: tuple[float, ...] = (1,) if high / low > 2000 else (1, 3) if high / low > 300 else (1, 2, 5)
    if high / low < 6:
        factors = (1, 1.5, 2, 3, 4, 5, 7)
    ticks = tuple(factor * 10.0**power for power in powers for factor in factors if low <= factor * 10.0**power <= high)
    return Axis(low=low, high=high, ticks=ticks, logarithmic=True)


def shares(estimates: Iterable[Estimate]) -> Axis:
    """Return an axis that covers these shares and their intervals, within 0 and 1."""
    return linear((min(max(end, 0.0), 1.0) for end in _ends(estimates)), ticks=6)


def differences(estimates: Iterable[Estimate]) -> Axis:
    """Return an axis that covers these differences, their intervals, and 0."""
    return linear([0.0, *_ends(estimates)], ticks=8)


def _ends(estimates: Iterable[Estimate]) -> list[float]:
    return [end for estimate in estimates for end in (estimate.value, estimate.low, estimate.high) if end is not None]

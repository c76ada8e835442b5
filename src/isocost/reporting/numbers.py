"""How numbers are printed: estimates with their interval, money, FLOPs, counts, durations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from isocost.records import Cost, Estimate, Unit

MINUS = "−"
MISSING = "–"
FEW_PROBLEMS = 30
_PREFIXES = ("", "K", "M", "G", "T", "P", "E", "Z", "Y")


def fixed(value: float, decimals: int = 1, *, sign: bool = False) -> str:
    """Fixed decimals, thousands separated, a true minus, never a negative zero; `sign` prints the plus too."""
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def count(number: int) -> str:
    """A count, thousands separated."""
    return fixed(number, 0)


def interval(estimate: Estimate, *, factor: float, decimals: int, unit: str = "", sign: bool = False) -> str:
    """`value [low, high]`, each times `factor`; what is undefined is a dash, what has no interval says so."""
    if estimate.value is None:
        return MISSING
    value = fixed(estimate.value * factor, decimals, sign=sign) + unit
    if estimate.low is None or estimate.high is None:
        return f"{value} (no interval)"
    low, high = (fixed(end * factor, decimals, sign=sign) for end in (estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def percent(estimate: Estimate) -> str:
    """A share as `44.7% [42.1, 47.3]`."""
    return interval(estimate, factor=100, decimals=1, unit="%")


def points(estimate: Estimate) -> str:
    """A difference of shares in points: `+3.2 [+1.1, +5.3]`."""
    return interval(estimate, factor=100, decimals=1, sign=True)


def mean(estimate: Estimate) -> str:
    """A mean count: `2.41 [2.30, 2.52]`."""
    return interval(estimate, factor=1, decimals=2)


def reservations(estimate: Estimate, of: str) -> str:
    """What a reader must know about n: too few problems or audits, solutions that could not be graded."""
    few = [f"few {of}"] if 0 < estimate.n < FEW_PROBLEMS else []
    ungraded = [f"{count(estimate.n_ungraded)} not graded"] if estimate.n_ungraded else []
    return ", ".join(few + ungraded)


def usd(amount: float) -> str:
    """Dollars without the sign: two decimals from 1, below it two significant figures, so that no cost is rounded to zero."""
    if amount == 0 or abs(amount) >= 1:
        return fixed(amount, 2)
    return fixed(amount, _decimals(abs(amount)))


def dollars(amount: float) -> str:
    """Dollars in running text: `$12.40`, `$0.0042`."""
    return f"${usd(amount)}"


def flops(amount: float) -> str:
    """FLOPs in running text: `3.1 TFLOPs`."""
    scale = flops_scale([amount])
    return f"{scale.text(amount)} {scale.unit}"


def budget(unit: Unit, amount: float) -> str:
    """An amount in a budget's unit."""
    return flops(amount) if unit == "flops" else dollars(amount)


def cost(amounts: Cost) -> str:
    """A cost in every unit that is known."""
    known = []
    if amounts.flops is not None:
        known.append(flops(amounts.flops))
    if amounts.usd is not None:
        known.append(dollars(amounts.usd))
    if amounts.seconds is not None:
        known.append(f"{duration(amounts.seconds)} of engine time")
    return ", ".join(known) or "not known"


def duration(seconds: float) -> str:
    """`h:mm:ss`; below ten seconds, seconds with one decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One unit for a column of FLOPs, so that its figures line up and its header names the unit."""

    divisor: float
    unit: str
    decimals: int

    def text(self, amount: float | None) -> str:
        """The amount in this unit, with more decimals where it would be a rounded zero; what is not known is a dash."""
        if amount is None:
            return MISSING
        size = abs(amount / self.divisor)
        hidden = 0 < size < 0.5 * 10**-self.decimals
        return fixed(amount / self.divisor, _decimals(size) if hidden else self.decimals)


def flops_scale(amounts: Iterable[float | None]) -> Scale:
    """The prefix of the largest amount, with the decimals that the smallest one needs to keep two figures."""
    sizes = [abs(amount) for amount in amounts if amount]
    if not sizes:
        return Scale(divisor=1, unit="FLOPs", decimals=0)
    power = min(max(int(math.log10(max(sizes)) // 3), 0), len(_PREFIXES) - 1)
    divisor = 1000.0**power
    return Scale(divisor=divisor, unit=f"{_PREFIXES[power]}FLOPs", decimals=max(1, min(_decimals(min(sizes) / divisor), 6)))


def _decimals(size: float) -> int:
    """Decimals that show two significant figures of a positive number."""
    return max(0, 1 - math.floor(math.log10(size)))

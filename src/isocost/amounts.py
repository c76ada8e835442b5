"""How amounts are said, by whoever says them: dollars, FLOPs, seconds. No amount is a rounded zero."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from isocost.records import Unit

MINUS = "−"
MISSING = "–"
_PREFIXES = ("", "K", "M", "G", "T", "P", "E", "Z", "Y")


def fixed(value: float, decimals: int = 1, *, sign: bool = False) -> str:
    """Fixed decimals, thousands separated, a true minus, never a negative zero; `sign` prints the plus too."""
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def usd(amount: float) -> str:
    """Dollars without the sign: two decimals from 1, below it two significant figures, so that no cost is rounded to zero."""
    if amount == 0 or abs(amount) >= 1:
        return fixed(amount, 2)
    return fixed(amount, _decimals(abs(amount)))


def dollars(amount: float) -> str:
    """Dollars in running text: `$12.40`, `$0.0042`; what is owed beyond them `−$0.50`."""
    text = usd(amount)
    return f"{MINUS}${text.removeprefix(MINUS)}" if text.startswith(MINUS) else f"${text}"


def price(amount: float) -> str:
    """A price in dollars as it was given, not rounded, without the sign: `0.125`; two decimals at least."""
    whole, _, decimals = f"{amount:,.12f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def flops(amount: float) -> str:
    """FLOPs in running text: `3.1 TFLOPs`."""
    scale = flops_scale([amount])
    return f"{scale.text(amount)} {scale.unit}"


def format_amount(unit: Unit, amount: float) -> str:
    """An amount in the unit of a budget or a limit."""
    return flops(amount) if unit == "flops" else dollars(amount)


def format_distinct(unit: Unit, first: float, second: float) -> tuple[str, str]:
    """Two amounts that are compared: with more figures where they would read the same and are not."""
    left, right = format_amount(unit, first), format_amount(unit, second)
    if left != right or first == second:
        return left, right
    for figures in range(3, 18):
        left, right = (f"{'$' * (unit == 'usd')}{amount:.{figures}g}{' FLOPs' * (unit == 'flops')}" for amount in (first, second))
        if left != right:
            break
    return left, right


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

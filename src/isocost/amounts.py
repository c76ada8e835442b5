"""Text for amounts: dollars, FLOPs, seconds. No amount is shown as a rounded zero."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isocost.records import Unit

MINUS = "−"
MISSING = "–"
# From here on, an amount is written with an exponent: no reader counts the zeros.
_HUGE = 1e18
_MOST_DECIMALS = 18
_TINY = 1e-12  # dollars
PREFIXES = ("", "K", "M", "G", "T", "P", "E", "Z", "Y")  # powers of 1000


def fixed(value: float, decimals: int = 1, *, sign: bool = False) -> str:
    """Format with fixed decimals, thousands separators and a true minus sign, never as a negative zero. `sign` adds a plus too.

    A value of so many digits that no reader counts them has an exponent, and as many significant figures as its decimals are worth.
    """
    size = abs(value)
    if size >= _HUGE:
        text = f"{size:.{min(2 + decimals, 17)}g}"
    elif decimals > _MOST_DECIMALS and size:
        text = f"{size:.{min(max(decimals - _decimals(size) + 2, 1), 17)}g}"
    else:
        text = f"{size:,.{decimals}f}"
    # Rounded to zero: a minus sign before it would read as a negative cost.
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def usd(amount: float) -> str:
    """Format dollars without the currency sign: two decimals from 1, below it two significant figures, so that no cost shows as zero."""
    if amount == 0 or abs(amount) >= 1:
        return fixed(amount, 2)
    if abs(amount) < _TINY:
        return ("" if amount > 0 else MINUS) + f"{abs(amount):.2g}"
    return fixed(amount, _decimals(abs(amount)))


def dollars(amount: float) -> str:
    """Format dollars for running text: `$12.40`, `$0.0042`, negative `−$0.50`."""
    return _signed(usd(amount))


def _signed(text: str) -> str:
    """Put the currency sign behind the minus sign of a formatted number."""
    return f"{MINUS}${text.removeprefix(MINUS)}" if text.startswith(MINUS) else f"${text}"


def price(amount: float) -> str:
    """Format a price in dollars as it was given, without the currency sign and unrounded: `0.125`; at least two decimals."""
    if abs(amount) >= _HUGE or 0 < abs(amount) < _TINY:
        return str(amount)
    whole, _, decimals = f"{amount:,.12f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def flops(amount: float) -> str:
    """Format FLOPs for running text: `3.1 TFLOPs`."""
    scale = flops_scale([amount])
    return f"{scale.text(amount)} {scale.unit}"


def format_amount(unit: Unit, amount: float) -> str:
    """Format an amount in the unit of a budget or a limit."""
    return flops(amount) if unit == "flops" else dollars(amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """The number of problems that an amount is given for, so that a person can read it: an amount below a cent is no price to remember.

    Attributes:
        problems: The number.
        words: How the text says it.
    """

    problems: int
    words: str


_EACH = (
    Each(problems=1, words="per problem"),
    Each(problems=1000, words="per 1,000 problems"),
    Each(problems=10**6, words="per million problems"),
    Each(problems=10**9, words="per billion problems"),
)


def readable(unit: Unit, amounts: Iterable[float | None]) -> Each:
    """Return the smallest number of problems for which the largest of these amounts per problem can be read; for FLOPs it is 1.

    That is a cent for one problem, and a tenth of a cent for 1,000 and more.
    """
    largest = max((abs(amount) for amount in amounts if amount), default=1.0)
    return next(
        (each for each in _EACH if unit == "flops" or largest * each.problems >= (0.01 if each.problems == 1 else 0.001)), _EACH[-1]
    )


def per_problem(unit: Unit, amount: float) -> str:
    """Format an amount per problem: `3.1 TFLOPs per problem`, `$0.12 per problem`, `$8.90 per 1,000 problems`."""
    each = readable(unit, [amount])
    return f"{format_amount(unit, amount * each.problems)} {each.words}"


def format_distinct(unit: Unit, first: float, second: float) -> tuple[str, str]:
    """Format two amounts for comparison, with more figures if they differ but would read the same."""
    left, right = format_amount(unit, first), format_amount(unit, second)
    if left != right or first == second:
        return left, right
    scale = flops_scale([first, second]) if unit == "flops" else Scale(divisor=1, unit="", decimals=2)
    size = max(abs(first), abs(second)) / scale.divisor
    # Without an exponent, which few people read as an amount. 17 significant figures distinguish any two floats.
    for decimals in range(_decimals(size) + 1, _decimals(size) + 17):
        left, right = (fixed(amount / scale.divisor, decimals) for amount in (first, second))
        if left != right:
            break
    if unit == "usd":
        return _signed(left), _signed(right)
    return f"{left} {scale.unit}", f"{right} {scale.unit}"


def duration(seconds: float) -> str:
    """Format seconds as `h:mm:ss`; below ten seconds as seconds with one decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def quantity(number: int, noun: str) -> str:
    """Format a number of things: `1 problem`, `1,000 problems`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Format names as a list in a sentence: `a`, `a and b`, `a, b and c`; "" without one."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def settling(settled_by: int | None, problems: int, what: str) -> str:
    """Format how many more problems would settle a difference, to follow it: `; 412 more problems would tell them apart ...`.

    Args:
        settled_by: The number that detects the difference four times in five; None if it is over 100,000.
        problems: Their number so far.
        what: Name of one of them.
    """
    if settled_by is None:
        return f"; 100,000 {what}s would not tell them apart"
    more = max(1, settled_by - problems)
    return f"; {quantity(more, f'more {what}')} would tell them apart four times in five"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One unit for a column of FLOPs. Its figures line up, and its header names the unit."""

    divisor: float
    unit: str
    decimals: int

    def text(self, amount: float | None) -> str:
        """Format an amount in this unit, with more decimals if it would round to zero. An unknown amount is a dash."""
        if amount is None:
            return MISSING
        size = abs(amount / self.divisor)
        hidden = 0 < size < 0.5 * 10**-self.decimals
        return fixed(amount / self.divisor, _decimals(size) if hidden else self.decimals)


def flops_scale(amounts: Iterable[float | None]) -> Scale:
    """Return the scale with the prefix of the largest amount, and decimals that keep two figures of the smallest one."""
    sizes = [abs(amount) for amount in amounts if amount]
    if not sizes:
        return Scale(divisor=1, unit="FLOPs", decimals=0)
    # Bounded, because amounts below 1 and above 10^27 have no prefix here.
    power = min(max(int(math.log10(max(sizes)) // 3), 0), len(PREFIXES) - 1)
    divisor = 1000.0**power
    return Scale(divisor=divisor, unit=f"{PREFIXES[power]}FLOPs", decimals=max(1, min(_decimals(min(sizes) / divisor), 6)))


def _decimals(size: float) -> int:
    """Return the decimals that show two significant figures of a positive number."""
    return max(0, 1 - math.floor(math.log10(size)))

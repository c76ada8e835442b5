"""Format numbers of the report: estimates with their interval, costs, counts. Amounts are formatted by `isocost.amounts`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from isocost.amounts import MISSING, dollars, duration, fixed, flops
from isocost.records import Cost, Estimate, Unit

FEW_PROBLEMS = 30


def count(number: int) -> str:
    """Format a count with thousands separators."""
    return fixed(number, 0)


def interval(estimate: Estimate, *, factor: float, decimals: int, unit: str = "", sign: bool = False) -> str:
    """Format `value [low, high]`, each times `factor`. An undefined value is a dash; a missing interval is mentioned."""
    if estimate.value is None:
        return MISSING
    value = fixed(estimate.value * factor, decimals, sign=sign) + unit
    if estimate.low is None or estimate.high is None:
        return f"{value} (no interval)"
    low, high = (fixed(end * factor, decimals, sign=sign) for end in (estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def decided(difference: Estimate, *, factor: float, decimals: int) -> int | None:
    """Return 1 if left has more, -1 if right has, 0 if the interval contains 0; None without an interval.

    The interval is rounded as printed, so that a claim never contradicts the numbers beside it.
    """
    if difference.low is None or difference.high is None:
        return None
    return (round(difference.low * factor, decimals) > 0) - (round(difference.high * factor, decimals) < 0)


def detects(*sizes: float) -> str:
    """Say which differences of shares a run could detect: `this run could detect 2.9 points`, or a range for several sizes.

    Args:
        sizes: The smallest true difference that is detected, of each comparison; at least one. Of 1 or more, it is none.
    """
    low, high = (fixed(100 * end(sizes)) for end in (min, max))
    if min(sizes) >= 1:
        return "this run is too small to detect any difference"
    return f"this run could detect {low}" + (f" to {high}" if high != low else "") + " points"


def percent(estimate: Estimate) -> str:
    """Format a share as `44.7% [42.1, 47.3]`."""
    return interval(estimate, factor=100, decimals=1, unit="%")


def points(estimate: Estimate) -> str:
    """Format a difference of shares in points: `+3.2 [+1.1, +5.3]`."""
    return interval(estimate, factor=100, decimals=1, sign=True)


def mean(estimate: Estimate) -> str:
    """Format a mean count: `2.41 [2.30, 2.52]`."""
    return interval(estimate, factor=1, decimals=2)


def signed_mean(estimate: Estimate) -> str:
    """Format a difference of mean counts: `+0.75 [+0.65, +0.84]`."""
    return interval(estimate, factor=1, decimals=2, sign=True)


def open_interval(estimate: Estimate, text: Callable[[float], str]) -> str:
    """Format `0.0042 [0.0038, 0.0047]`, with words for an unknown end: a cost divided by a rate may have none. The value is known."""
    value, low, high = (None if amount is None else text(amount) for amount in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low or '?'}, {high or 'no upper end'}]"


def raw(unit: Unit, amount: float) -> str:
    """Format an amount for a file of raw numbers: all digits, in FLOPs or USD."""
    return f"{amount!r} {'FLOPs' if unit == 'flops' else 'USD'}"


def raw_per_problem(unit: Unit, amount: float) -> str:
    """Format an amount per problem for a file of raw numbers."""
    return f"{raw(unit, amount)} per problem"


def clock(amounts: Iterable[float | None]) -> Callable[[float], str]:
    """Return a formatter for a column of seconds: `h:mm:ss`, with one to three decimals if its smallest amount is below ten seconds."""
    smallest = min((amount for amount in amounts if amount), default=10.0)
    decimals = 0 if smallest >= 10 else min(max(1, -math.floor(math.log10(smallest))), 3)

    def text(seconds: float) -> str:
        whole, rest = divmod(round(seconds * 10**decimals), 10**decimals)
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}" + (f".{rest:0{decimals}d}" if decimals else "")

    return text


def reservations(estimate: Estimate, of: str, left_out: str = "not graded") -> str:
    """Return a remark on n: too few problems or audits, and what was left out, such as solutions that could not be graded."""
    few = [f"few {of}"] if 0 < estimate.n < FEW_PROBLEMS else []
    ungraded = [f"{count(estimate.n_ungraded)} {left_out}"] if estimate.n_ungraded else []
    return ", ".join(few + ungraded)


def cost(amounts: Cost) -> str:
    """Format a cost in every known unit."""
    known = []
    if amounts.flops is not None:
        known.append(flops(amounts.flops))
    if amounts.usd is not None:
        known.append(dollars(amounts.usd))
    if amounts.seconds is not None:
        known.append(f"{duration(amounts.seconds)} of engine time")
    return ", ".join(known) or "not known"

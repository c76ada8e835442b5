"""Words on uniform draws that reach what a policy reached."""

from __future__ import annotations

from collections.abc import Callable

from isocost import amounts
from isocost.records import Estimate, UniformMatch

_BEYOND = "beyond reach"


def uniform_words(match: UniformMatch) -> str:
    """Return what uniform draws from a model would have cost for the same, without a full stop."""
    if match.times.value is None:
        estimated = " (estimated)" if match.estimator == "posterior" else ""
        return f"Uniform from {match.model} does not reach this within {draws_words(match.reach)} per problem{estimated}"
    return f"Uniform from {match.model} would have cost {times(match)} times as much for the same"


def times(match: UniformMatch) -> str:
    """Format how many times a cell's cost uniform draws would have cost, with the interval."""
    return open_amount(match.times, lambda value: amounts.fixed(value, 2))


def open_amount(estimate: Estimate, text_of: Callable[[float], str]) -> str:
    """Format an amount whose interval may end beyond the reach; one that is beyond it itself is named as not reached."""
    value, low, high = (None if end is None else text_of(end) for end in (estimate.value, estimate.low, estimate.high))
    if value is None:
        return "not reached" if low is None else f"not reached [{low}, {high or _BEYOND}]"
    return f"{value} [{low or _BEYOND}, {high or _BEYOND}]"


def draws_words(count: int) -> str:
    """Format a number of draws: `1 draw`, `12 draws`."""
    return amounts.quantity(count, "draw")

"""Parsing of what is asked of a pilot, and its defaults."""

from __future__ import annotations

import re
from collections.abc import Sequence

from isocost.errors import InputError, Option
from isocost.metrics.diversity import SAME, Level
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective

_MULTIPLES = (4, 16, 25)  # of the pilot's draws
CHECKED = 25  # times the pilot: the range in which simulation has checked the intervals
MOST_DRAWS = 1e9  # that a budget per problem may buy: more is a typing error, or another unit
MOST_KEPT_DRAWS = 10_000  # the same where kept solutions are predicted, which takes time for each draw
_LARGEST = 10_000  # draws per problem: larger numbers are typing errors


def objective_of(text: str) -> Objective:
    """Parse an objective: coverage, kept:4, mixed:8.

    Raises:
        InputError: The text is none.
    """
    found = re.fullmatch(r"(kept|mixed):(\d{1,4})", text.strip())
    number = int(found[2]) if found else 0
    if text.strip() == "coverage":
        return Coverage()
    if found and found[1] == "kept" and number >= 1:
        return KeptPerProblem(number)
    if found and found[1] == "mixed" and number >= 2:
        return MixedGroups(number)
    raise InputError(
        f'"{text[:60]}" is no objective',
        advice="write coverage, kept:4 (at least 1) or mixed:8 (at least 2)",
        option=Option(name="objective"),
    )


def level_of(text: str) -> Level | None:
    """Parse a level at which solutions count as the same: string, normalised, equations; none for None.

    Raises:
        InputError: The text is none of them.
    """
    known = {str(level or "none"): level for level in SAME}
    if text.strip() not in known:
        raise InputError(f'--distinct: "{text[:60]}" is no level', advice=f"write one of {', '.join(known)}")
    return known[text.strip()]


def rates_of(texts: Sequence[str]) -> dict[str, float]:
    """Parse the values of --false-positives, MODEL=RATE with a rate of at least 0 and below 1. The last = separates.

    Raises:
        InputError: A text has another form, or a model has two rates.
    """
    found: dict[str, float] = {}
    for text in texts:
        model, _, value = text.rpartition("=")
        try:
            rate = float(value)
        except ValueError:
            rate = -1.0
        if not model or not 0.0 <= rate < 1.0:
            why = "is not MODEL=RATE with a rate of at least 0 and below 1"
        elif model in found:
            why = "is a second rate of its model"
        else:
            found[model] = rate
            continue
        example = Option(name="false-positives", value="weak=0.07", argument_value='{"weak": 0.07}')
        raise InputError(
            f'"{text[:80]}" {why}', advice=("write one rate per model, such as ", example), option=Option(name="false-positives")
        )
    return found


def name_of(objective: Objective) -> str:
    """Return an objective as `objective_of` reads it."""
    match objective:
        case Coverage():
            return "coverage"
        case KeptPerProblem(most=most):
            return f"kept:{most}"
        case MixedGroups(size=size):
            return f"mixed:{size}"


def default_ks(pilot: int) -> tuple[int, ...]:
    """Return the draws per problem that are predicted if nothing else is asked."""
    return tuple(min(_LARGEST, pilot * times) for times in _MULTIPLES)


def default_budget(pilot: int, costs: Sequence[float]) -> float:
    """Return the money per problem at which choices are compared if nothing else is asked.

    It is four pilots of the most expensive model, but at least twice the pilot of all models together.
    """
    return pilot * max(4 * max(costs), 2 * sum(costs))

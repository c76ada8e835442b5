"""Observations of scores while files are read: values other than 0 and 1, and verdicts that were passed over."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from isocost.errors import TableError
from isocost.tables.formats.verdicts import number_of

_MOST = 10_000  # distinct values that are kept: enough for an example of a threshold
_SHOWN = 80  # characters of a name in a message
Result = TypeVar("Result")


class UnsettledScoreError(Exception):
    """Raised at the first value of a score that is neither 0 nor 1, while earlier samples were graded by it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def settled(attempt: Callable[[frozenset[str]], Result]) -> Result:
    """Return the result of an attempt that leaves samples ungraded where a score has other values than 0 and 1.

    Such a score is known only once such a value is met. Then the attempt is made again.

    Args:
        attempt: Called with the names of the scores that grade nothing. Raises UnsettledScoreError at another one.
    """
    unsettled: set[str] = set()
    while True:
        try:
            return attempt(frozenset(unsettled))
        except UnsettledScoreError as error:
            unsettled.add(error.name)


@dataclass(slots=True, kw_only=True)
class Values:
    """Values of a score.

    Attributes:
        samples: The number of samples with a value.
        distinct: The values, up to a bound.
        other: Place and value of the first that is neither 0 nor 1; "" if there is none.
    """

    samples: int = 0
    distinct: set[float] = field(default_factory=set)
    other: str = ""

    def add(self, value: float, at: str) -> None:
        """Add the value of a sample."""
        self.samples += 1
        if len(self.distinct) < _MOST:
            self.distinct.add(value)
        if value not in (0, 1) and not self.other:
            self.other = f"{at}: has the value {value:g}"


@dataclass(slots=True, kw_only=True)
class Passed:
    """A score beside the one that decided.

    Attributes:
        values: Its values, up to a bound.
        are_booleans: True if all of them are booleans.
        samples: Samples that both scores call correct or incorrect.
        differ: Those of which they differ.
    """

    values: set[float] = field(default_factory=set)
    are_booleans: bool = True
    samples: int = 0
    differ: int = 0

    def add(self, score: object, correct: bool) -> None:
        """Add a sample's score, beside the verdict."""
        value = number_of(score)
        if value is None:
            return
        self.are_booleans = self.are_booleans and isinstance(score, bool)
        if len(self.values) < _MOST:
            self.values.add(value)
        self.samples += 1
        self.differ += value != correct

    @property
    def is_verdict(self) -> bool:
        """True if it reads as a verdict: a constant number such as one turn per rollout does not."""
        return self.are_booleans or self.values == {0, 1}


def pass_over(passed: dict[tuple[str, str], Passed], scores: Mapping[str, Any], chosen: str, correct: bool) -> None:
    """Add a sample's scores beside the chosen one to `passed`, which is keyed by the chosen and the other score."""
    for name, score in scores.items():
        if name != chosen:
            passed.setdefault((chosen, name), Passed()).add(score, correct)


def rule_for(name: str, values: Iterable[float]) -> str:
    """Return an option `--correct` that fits the values: its threshold lies in the widest gap between two of them, the upper of equals."""
    ordered = sorted(values)
    gaps = [(upper - lower, lower, upper) for lower, upper in pairwise(ordered)]
    threshold = _between(*max(gaps)[1:]) if gaps else f"{ordered[0]:g}"
    return f"--correct {shlex.quote(f'{name[:_SHOWN]}>={threshold}')}"


def _between(lower: float, upper: float) -> str:
    """Return the shortest number about the middle of two others."""
    texts = (f"{lower + (upper - lower) / 2:.{digits}g}" for digits in range(1, 17))
    return next((text for text in texts if lower < float(text) <= upper), repr(upper))


def refuse_unsettled(values: Mapping[str, Values]) -> None:
    """Refuse scores with other values than 0 and 1, because nothing says which of them are correct.

    Raises:
        TableError: There is such a score. The message names the first value and a rule that fits all.
    """
    for name, seen in values.items():
        if seen.other:
            rule = rule_for(name, seen.distinct)
            place, _, value = seen.other.rpartition(": ")
            raise TableError(
                f'{place}: score "{name[:_SHOWN]}" {value}, neither 0 nor 1',
                advice=f"say what counts as correct, for example: isocost import FILE -o TABLE {rule}",
            )

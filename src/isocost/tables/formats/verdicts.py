"""One verdict out of a response's scores."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from isocost.errors import TableError
from isocost.tables.formats.base import Choice, Sample
from isocost.tables.formats.rules import Rule, dig

_TEXTS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
NEITHER = "a score with values other than 0 and 1"
NO_SCORE = "no score"
NO_NUMBER = "a score that is no number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, or the reason for none.

    Attributes:
        correct: Whether the response is correct; None if that is not known.
        reason: Why it is not known; "" if it is.
        score: The score that decides, "" without one.
        value: Its value; None if it is no number.
    """

    correct: bool | None = None
    reason: str = ""
    score: str = ""
    value: float | None = None


def verdict_of(sample: Sample, choice: Choice, rule: Rule | None, at: str, unsettled: Container[str] = ()) -> Judged:
    """Return whether a response is correct.

    Args:
        sample: The response.
        choice: The user's choices.
        rule: What counts as correct; None takes scores of 0 and 1.
        at: The sample's place, for messages.
        unsettled: Scores that have other values than 0 and 1 in other samples. Without a rule, they say nothing of any sample.

    Raises:
        TableError: There are several scores and none of them is chosen, or the chosen one is missing.
    """
    name = rule.name if rule else _chosen(sample, choice, at)
    if name is None:
        return Judged(reason=NO_SCORE)
    score = _score(sample, name)
    value = number_of(score)
    if value is None:
        return Judged(reason=NO_SCORE if score is None else NO_NUMBER, score=name)
    if rule:
        return Judged(correct=rule.holds(value), score=name, value=value)
    if name in unsettled or value not in (0, 1):
        return Judged(reason=NEITHER, score=name, value=value)
    return Judged(correct=value == 1, score=name, value=value)


def _chosen(sample: Sample, choice: Choice, at: str) -> str | None:
    names = list(sample.scores)
    if choice.scorer is not None:
        if names and choice.scorer not in names:
            raise TableError(f'{at}: has no score "{choice.scorer[:80]}"', advice=f"it has {_listed(names)}")
        return choice.scorer
    if len(names) > 1 and not sample.settles:
        raise TableError(f"{at}: has several scores: {_listed(names)}", advice=f"choose one: isocost import FILE --scorer {names[0][:80]}")
    return names[0] if names else None


def _score(sample: Sample, name: str) -> object:
    if name in sample.scores:
        return sample.scores[name]
    # A rule says reward whatever the format calls its one score. A verdict `correct` is no reward: other rows of the file may have one.
    if name == "reward" and sample.scores and "correct" not in sample.scores and (sample.settles or len(sample.scores) == 1):
        return next(iter(sample.scores.values()))
    return dig(sample.source, name)


def number_of(value: object) -> float | None:
    """Return a score as a number; None if it is none, or not a finite one."""
    if not isinstance(value, bool | int | float | str):
        return None
    try:
        number = _TEXTS[value.lower()] if isinstance(value, str) and value.lower() in _TEXTS else float(value)
    except (ValueError, OverflowError):  # a whole number may be too large for a float
        return None
    return number if abs(number) < 1e300 else None


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:8])
    return f"{shown}, and {len(names) - 8} more" if len(names) > 8 else shown

"""One verdict out of a response's scores."""

from __future__ import annotations

from isocost.errors import TableError
from isocost.tables.formats.base import Choice, Sample
from isocost.tables.formats.rules import Rule, dig

_TEXTS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
NEITHER = "a score that is neither 0 nor 1"
NO_SCORE = "no score"
NO_NUMBER = "a score that is no number"


def verdict_of(sample: Sample, choice: Choice, rule: Rule | None, at: str) -> tuple[bool | None, str]:
    """Return whether a response is correct, None if that is not known, and the score that decided, or the reason for None.

    Args:
        sample: The response.
        choice: The user's choices.
        rule: What counts as correct; None takes scores of 0 and 1.
        at: The sample's place, for messages.

    Raises:
        TableError: There are several scores and none of them is chosen, or the chosen one is missing.
    """
    name = rule.name if rule else _chosen(sample, choice, at)
    if name is None:
        return None, NO_SCORE
    score = _score(sample, name)
    value = number_of(score)
    if value is None:
        return None, NO_SCORE if score is None else NO_NUMBER
    if rule:
        return rule.holds(value), name
    return (value == 1, name) if value in (0, 1) else (None, NEITHER)


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
    # A rule says reward whatever the format calls its one score.
    if name == "reward" and sample.scores and (sample.settles or len(sample.scores) == 1):
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

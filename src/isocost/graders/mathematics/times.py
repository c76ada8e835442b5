"""Clock times such as `20:34` and `8:34 pm`, and which of them may be ratios."""

from __future__ import annotations

import re
from math import gcd

_HALF_DAY = r"\s*(?:\\text\s*\{\s*)?([ap]\.?\s?m\b\.?)\s*\}?"
_TIME = re.compile(rf"(?i)(\d{{1,2}})(?::([0-5]\d)(?::([0-5]\d))?|(?={_HALF_DAY}))(?:{_HALF_DAY})?")
_TERMS = re.compile(r"[1-9]\d?(?::[1-9]\d)+")  # 3:05 and 03:20 are written of times only
_QUARTERS = (15, 30, 45)


def read_time(text: str) -> tuple[int, str] | None:
    """Return the seconds since midnight, and `a` or `p` where the half of the day is given; None for a text that is no time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    half = match[5][0].lower() if match[5] else ""
    if half:
        hours = hours % 12 + 12 * (half == "p")
    return (hours * 60 + minutes) * 60 + seconds, half


def may_be_ratio(time: str) -> bool:
    """Return True if what reads as a time may be a ratio: `3:20`, but not `03:20`, `3:05`, `3:00` or `3:20 pm`."""
    return _TERMS.fullmatch(time) is not None


def is_likely_ratio(time: str) -> bool:
    """Return True if a time may be a ratio, is in lowest terms, and is no full quarter of an hour.

    A reference that is a ratio is in lowest terms, and times are mostly not: `6:40` and `7:30` are taken for times.
    """
    terms = [int(term) for term in time.split(":")] if may_be_ratio(time) else []
    return bool(terms) and gcd(*terms) == 1 and terms[1] not in _QUARTERS

"""The gate for reference answers: values that stand for a missing answer, or are none. The same for runs and for `isocost verify`."""

from __future__ import annotations

import math

# What data sets write in the place of an answer, such as NuminaMath for proofs.
PLACEHOLDERS = ("proof", "notfound", "not found", "nan", "null", "n/a")


def reference_flaw(value: object) -> str | None:
    """Return why a value cannot be a reference answer, such as `no_reference: null`; None if it can."""
    found = None
    if value is None:
        found = "null"
    elif isinstance(value, bool):
        found = str(value).lower()
    elif isinstance(value, list | dict):
        found = "a list" if isinstance(value, list) else "an object"
    elif isinstance(value, float) and not math.isfinite(value):
        found = "not finite"
    elif isinstance(value, str) and not value.strip():
        found = "empty"
    elif isinstance(value, str) and value.strip().casefold() in PLACEHOLDERS:
        found = value.strip().casefold()
    return f"no_reference: {found}" if found else None

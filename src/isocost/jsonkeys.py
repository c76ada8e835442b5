"""Keys that occur twice in one JSON object. JSON readers keep the last value without an error, so that the first is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from isocost.digits import json_int

_SHOWN = 80  # characters of a key that a message quotes


class RepeatedKeyError(ValueError):
    """Raised for an object with a key that occurs twice; the message names the key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {json.dumps(key[:_SHOWN])} occurs twice in one object; keep one")


def refuse_repeated_keys(text: str, value: object) -> None:
    """Check that no object in a JSON text has a key twice.

    Args:
        text: The text.
        value: Its value, as any JSON reader returns it.

    Raises:
        RepeatedKeyError: a key occurs twice.
    """
    # A quote before a colon ends a key, or is inside a text. So the text has as many as keys, or more. Counting is much faster than
    # parsing again, which is left to the few texts that have more.
    if text.count('":') + text.count('" :') > _count_keys(value):
        json.loads(text, parse_int=json_int, object_pairs_hook=_unique)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKeyError(key)
        found[key] = value
    return found


def _count_keys(value: object) -> int:
    """Return the number of keys of a value and of all objects in it."""
    count, left = 0, [value]
    while left:  # no recursion, because a text may be nested deeply
        item = left.pop()
        if isinstance(item, dict):
            count += len(item)
            left += [inner for inner in item.values() if isinstance(inner, dict | list)]
        elif isinstance(item, list):
            left += [inner for inner in item if isinstance(inner, dict | list)]
    return count

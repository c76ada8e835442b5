"""The rule of `--correct`, such as `reward>=1`: what value of which field makes a response correct."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from isocost.errors import InputError

_RULE = re.compile(r"\s*(?P<name>[^<>=!\s][^<>=!]*?)\s*(?P<sign>>=|<=|==|>|<|=)\s*(?P<number>[-+.\deE]+)\s*\Z")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A comparison of a field with a number.

    Attributes:
        name: A score, or a field of the file; parts of a nested field are joined by dots.
        sign: How it is compared.
        number: The number.
    """

    name: str
    sign: str
    number: float

    def holds(self, value: float) -> bool:
        """Return True if a value makes a response correct."""
        return _COMPARE[self.sign](value, self.number)


def parse_rule(text: str) -> Rule:
    """Parse a rule.

    Raises:
        InputError: The text is no rule.
    """
    found = _RULE.match(text)
    try:
        number = float(found["number"]) if found else float("nan")
    except ValueError:
        number = float("nan")
    if not found or number != number:
        what = f'--correct: "{text[:80]}" is not a comparison of a field with a number'
        raise InputError(what, advice="write it as --correct 'reward>=1'")
    return Rule(name=found["name"], sign=found["sign"], number=number)


def dig(source: Mapping[str, Any], name: str) -> Any:
    """Return a field; a name with dots that is no field itself goes into nested objects and lists. None if there is none."""
    if name in source:
        return source[name]
    value: Any = source
    for part in name.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 10:  # a longer number is no place in a list
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return None
    return value

"""A record of a file, and what could not be read as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Longest line, member of an archive or whole JSON file. A larger one is damage or an attack, and would fill the memory.
LONGEST = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object of a file.

    Attributes:
        at: Its place, for messages: `FILE:LINE`, `FILE: row 3`, `FILE: MEMBER`.
        fields: Its values by name.
    """

    at: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A part of a file that gives no sample.

    Attributes:
        at: Its place, for messages.
        reason: Why, in words that are the same for all parts of a kind, because they are counted by reason.
        is_repeat: True if nothing is lost by it: the same response is read elsewhere in the file.
    """

    at: str
    reason: str
    is_repeat: bool = False

"""The result files of a batch, read by custom_id and never by order, one line in memory at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

LONGEST_LINE = 64 * 2**20  # bytes, as of a single reply; a longer line counts as missing
_ID = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,64})"')


class ResultFiles:
    """An index of the lines of result files by custom_id.

    Args:
        paths: The files. Where an id occurs twice, its first line counts: replies go before errors.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [path.open("rb") for path in paths]
        self._places: dict[str, tuple[int, int]] = {}
        for number, file in enumerate(self._files):
            self._index(number, file)

    def __len__(self) -> int:
        return len(self._places)

    def line(self, custom_id: str) -> dict[str, Any] | None:
        """Return the line of an id, or None if there is none that can be read."""
        if custom_id not in self._places:
            return None
        number, offset = self._places[custom_id]
        self._files[number].seek(offset)
        found = _parsed(self._files[number].readline(LONGEST_LINE))
        return found if found is not None and found.get("custom_id") == custom_id else None

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def _index(self, number: int, file: BinaryIO) -> None:
        offset = 0
        while line := file.readline(LONGEST_LINE):
            if found := _custom_id(line):
                self._places.setdefault(found, (number, offset))
            offset += len(line)


def _custom_id(line: bytes) -> str | None:
    """Return the id of a line. Only where a quick look finds several is the line parsed: a reply may quote an id."""
    found = _ID.findall(line)
    if len(found) == 1 and found[0].isascii():
        return str(found[0].decode())
    parsed = _parsed(line)
    id = parsed.get("custom_id") if parsed else None
    return id if isinstance(id, str) else None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None

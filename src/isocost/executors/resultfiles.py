"""The result files of a batch, read by custom_id and never by order, one line in memory at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

LONGEST_LINE = 64 * 2**20  # bytes, as of a single reply; a longer line counts as missing
_SHOWN = 80  # characters of a line in a message
_ID = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,64})"')


class ResultFiles:
    """An index of the lines of result files by custom_id.

    Args:
        paths: The files. Where an id occurs twice, its first line with a reply counts, else its first: what was paid is not lost because
            another line says that the request failed or did not run.

    Attributes:
        cut_off: The number of lines that do not end an object, as the last one of a file that is not whole.
        strange: The number of lines that are no results: without a custom_id, or with neither response nor error.
        first_strange: The beginning of the first of them.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [path.open("rb") for path in paths]
        self._places: dict[str, tuple[int, int]] = {}
        self._repeated: dict[str, list[tuple[int, int]]] = {}  # the places of an id's later lines
        self.cut_off = 0
        self.strange, self.first_strange = 0, ""
        for number, file in enumerate(self._files):
            self._index(number, file)

    def __len__(self) -> int:
        return len(self._places)

    def ids(self) -> list[str]:
        """Return the ids of all lines, each once."""
        return list(self._places)

    def line(self, custom_id: str) -> dict[str, Any] | None:
        """Return the line of an id, or None if there is none that can be read."""
        if custom_id not in self._places:
            return None
        places = [self._places[custom_id], *self._repeated.get(custom_id, ())]
        found = [line for place in places if (line := self._read(*place)) is not None and line.get("custom_id") == custom_id]
        return next(filter(_has_reply, found), found[0] if found else None)

    def _read(self, number: int, offset: int) -> dict[str, Any] | None:
        self._files[number].seek(offset)
        return _parsed(self._files[number].readline(LONGEST_LINE))

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def _index(self, number: int, file: BinaryIO) -> None:
        offset = 0
        while line := file.readline(LONGEST_LINE):
            text = line.strip()
            self.cut_off += bool(text) and not text.endswith(b"}")
            found = _custom_id(line)
            if text and (found is None or not (b'"response"' in line or b'"error"' in line)):
                self.strange += 1
                self.first_strange = self.first_strange or text[: 4 * _SHOWN].decode("utf-8", "replace")[:_SHOWN]
            if found:
                if found in self._places:
                    self._repeated.setdefault(found, []).append((number, offset))
                else:
                    self._places[found] = number, offset
            offset += len(line)


def _has_reply(line: dict[str, Any]) -> bool:
    """Return True if a line has solutions, whatever else it has."""
    response = line.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    return isinstance(body, dict) and bool(body.get("choices"))


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

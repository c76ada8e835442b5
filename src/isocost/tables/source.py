"""Where the rows of a table come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, and for JSONL the line of each row."""

    path: str
    lines: NDArray[np.int64] | None = None

    def at(self, row: int) -> str:
        """The place of a row, counted from 0, for people, counted from 1."""
        return f"{self.path}: row {row + 1}" if self.lines is None else f"{self.path}:{self.lines[row]}"


def first_line(error: BaseException) -> str:
    """What a foreign error says, shortly."""
    return (str(error).splitlines() or [type(error).__name__])[0]

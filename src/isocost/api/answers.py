"""Return values of functions: the typed record, the JSON of the command line, and the text that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[Record]):
    """The answer of a function.

    Attributes:
        record: The typed record.
        data: What the command prints with `--json`.
        text: What the command prints without, in Markdown.
    """

    record: Record
    data: Mapping[str, Any]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return what the command of the same name prints with `--json`."""
        return dict(self.data)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self.record).__name__} with {', '.join(self.data)}"

    def _repr_markdown_(self) -> str:
        return self.text

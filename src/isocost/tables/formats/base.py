"""The protocol of formats, and what several formats need."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from isocost.tables.reading.base import Record, Unread

_BOXED = re.compile(r"\\boxed\s*\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Choices of the user about a file.

    Attributes:
        filter: Name of the filter of lm-evaluation-harness whose verdicts count; None for the first in the file.
        scorer: Name of the score that decides; None where the format knows it, or where there is one.
        model: The model, where the file has none.
    """

    filter: str | None = None
    scorer: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A response as a format reads it.

    Attributes:
        values: By column of a table of samples, as the file has them. `correct` is not among them.
        scores: Verdicts and rewards by name, as the file has them, most telling first. None is an unknown one.
        settles: True if the first score decides although there are others.
        source: The object that the sample was read from, for `--map` and `--correct`.
        is_repeat: True for a response that is read already, with scores of another filter: they are compared, and it gives no row.
    """

    values: Mapping[str, Any]
    scores: Mapping[str, Any] = field(default_factory=dict)
    settles: bool = False
    source: Mapping[str, Any] = field(default_factory=dict)
    is_repeat: bool = False


class Format(Protocol):
    """A kind of file. An object of it reads one file, because filters and tasks are a file's.

    Args:
        path: The file.
        choice: The user's choices.
    """

    title: ClassVar[str]

    def __init__(self, path: Path, choice: Choice) -> None: ...

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True if an object with these fields is of this kind."""

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""

    def judged(self, sample: Sample, correct: bool | None) -> None:
        """Take note of the verdict on a response; None if it has none."""

    def unknown(self, record: Record) -> Iterable[str]:
        """Return the fields of a record that are neither read nor known to be of no use."""

    def flaw(self) -> str:
        """Return what is wrong with the file as a whole, once it is read; "" if nothing is."""

    def doubt(self) -> str:
        """Return what a reader of the file's measures should know, once it is read; "" if nothing is."""


class Known:
    """A part of formats whose records have known fields."""

    known: ClassVar[frozenset[str]] = frozenset()

    def judged(self, sample: Sample, correct: bool | None) -> None:
        """Do nothing: no response is read twice."""

    def unknown(self, record: Record) -> Iterable[str]:
        """Return the fields that are not among the known ones."""
        return [name for name in record.fields if name not in self.known]

    def flaw(self) -> str:
        """Return "": nothing is known to be wrong."""
        return ""

    def doubt(self) -> str:
        """Return "": nothing is known that is doubtful."""
        return ""


def question_id(question: str) -> str:
    """Return an id for a problem that has none: a digest of its question, by which several files are joined."""
    return "q-" + hashlib.sha256(question.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]


def message_text(messages: object) -> str | None:
    """Return the assistant's texts of a chat, one after the other; a text as it is; None for anything else.

    Of a content in parts, the parts of text count. Calls of tools and reasoning that is kept apart are left out.
    """
    if isinstance(messages, str):
        return messages
    if not isinstance(messages, Sequence):
        return None
    chat = [message for message in messages if isinstance(message, Mapping)]
    spoken = [message for message in chat if message.get("role") == "assistant"]
    texts = [content_text(message.get("content")) for message in spoken]
    return "\n\n".join(text for text in texts if text) if spoken else None


def content_text(content: object) -> str:
    """Return the text of a message's content, which is a text or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    parts = [part for part in content if isinstance(part, Mapping) and part.get("type", "text") == "text"]
    return "".join(text for part in parts if isinstance(text := part.get("text"), str))


def reference_of(answer: object) -> object:
    """Return the final answer of a worked reference: what follows the last ####, or the last box; anything else as it is."""
    if not isinstance(answer, str):
        return answer
    if "####" in answer:
        return answer.rpartition("####")[2].strip()
    boxes = list(_BOXED.finditer(answer))
    return (_until_closed(answer, boxes[-1].end()) or answer) if boxes else answer


def _until_closed(text: str, start: int) -> str | None:
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[start:place].strip()
    return None


def at(values: object, index: int) -> Any:
    """Return an element of a list, or None."""
    return values[index] if isinstance(values, list) and index < len(values) else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def finish_reason(reason: object) -> str | None:
    """Return the finish reason in isocost's words, None if unknown."""
    if not isinstance(reason, str):
        return None
    if reason in {"length", "max_tokens", "model_length", "token_limit"}:
        return "length"
    return {"stop": "stop", "end_turn": "stop", "eos": "stop", "stop_sequence": "stop", "error": "error"}.get(reason)

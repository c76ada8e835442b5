"""Rows of open-r1's data sets (OpenR1-Math): a row per problem, with lists of generations and of their verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import Choice, Known, Sample, at, finish_reason, message_text, question_id, reference_of
from isocost.tables.reading.base import Record, Unread

_FIELDS = (
    "generations problem question answer solution uuid problem_id id messages model problem_type question_type source "
    "is_reasoning_complete finish_reasons correctness_count num_generated_tokens predicted_answers"
)


_VERDICTS = ("correctness_math_verify", "correctness_llama", "correctness")


class Generations(Known):
    """A row per problem, whose generations are its samples."""

    title = "open-r1"
    known = frozenset((*_VERDICTS, *_FIELDS.split()))

    def __init__(self, path: Path, choice: Choice) -> None:
        pass

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        return isinstance(fields.get("generations"), list)

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        question = row.get("problem") or row.get("question")
        key = next((row[name] for name in ("problem_id", "uuid", "id") if row.get(name) is not None), None)
        if key is None and not isinstance(question, str):
            yield Unread(at=record.at, reason="neither an id nor a question")
            return
        complete, reasons = row.get("is_reasoning_complete"), row.get("finish_reasons")
        for index, generation in enumerate(row["generations"]):
            cut_off = at(complete, index) is False
            yield Sample(
                values={
                    "problem_id": question_id(str(question)) if key is None else key,
                    "model": at(row.get("model"), index) if isinstance(row.get("model"), list) else row.get("model"),
                    "generation": message_text(generation),
                    "expected_answer": reference_of(row.get("answer")),
                    "predicted_answer": at(row.get("predicted_answers"), index),
                    "num_generated_tokens": at(row.get("num_generated_tokens"), index),
                    "finish_reason": finish_reason(at(reasons, index)) or ("length" if cut_off else None),
                },
                scores={name: at(row[name], index) for name in _VERDICTS if isinstance(row.get(name), list)},
                settles=True,
                source=row,
            )
        if not row["generations"]:
            yield Unread(at=record.at, reason="a problem without generations")

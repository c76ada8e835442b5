"""Samples of Large Language Monkeys: a YAML file per problem, with `samples` and, once evaluated, `is_corrects`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import Choice, Known, Sample, at, question_id, reference_of
from isocost.tables.reading.base import Record, Unread

_FIELDS = (
    "prompt question samples gt_answer is_corrects problem_id orig_dset_idx orig_dset_split id model name solutions test_cases "
    "timeout theorem_statement"
)


class Monkeys(Known):
    """An object per problem. Its id is its own, or the name of its YAML file, which is the problem's number there."""

    title = "Large Language Monkeys"
    known = frozenset(_FIELDS.split())

    def __init__(self, path: Path, choice: Choice) -> None:
        self._file = path

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        samples = fields.get("samples")
        return isinstance(samples, list) and "eval" not in fields and all(isinstance(text, str) for text in samples)

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        key = next((row[name] for name in ("problem_id", "orig_dset_idx", "id") if row.get(name) is not None), None)
        if key is None and self._file.suffix.lower() in {".yaml", ".yml"}:
            key = self._file.stem
        question = row.get("question", row.get("prompt"))
        if key is None and not isinstance(question, str):
            yield Unread(at=record.at, reason="neither an id nor a question")
            return
        for index, text in enumerate(row["samples"]):
            values = {"problem_id": question_id(str(question)) if key is None else key, "model": row.get("model"), "generation": text}
            values["expected_answer"] = reference_of(row.get("gt_answer"))
            scores = {"is_correct": at(row["is_corrects"], index)} if "is_corrects" in row else {}
            yield Sample(values=values, scores=scores, settles=True, source=row)
        if not row["samples"]:
            yield Unread(at=record.at, reason="a problem without samples")

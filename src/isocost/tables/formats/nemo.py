"""Output of NeMo-Skills (`output-rs*.jsonl`): a row per problem, a file per seed, with `generation` and NVIDIA's verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import Choice, Known, Sample, finish_reason, question_id, reference_of
from isocost.tables.outcomes import CORRECT as OUTCOMES
from isocost.tables.reading.base import Record, Unread

_FIELDS = (
    "generation expected_answer predicted_answer num_generated_tokens finish_reason model num_input_tokens reference_solution "
    "generation_start_time generation_end_time generation_time _async_position subset_for_metrics reasoning_content "
    "serialized_output tokens logprobs"
)


_VERDICTS = ("symbolic_correct", "is_correct", "judgement")
_IDS = ("id", "problem_id", "unique_id")
_QUESTIONS = ("problem", "question")
# As nemo_skills.evaluation.metrics.utils reads a judge: the word after "Judgement:", in bold or not.
_JUDGEMENT = re.compile(r"\*{0,2}judgement\*{0,2}\s*:\W*(yes|no)\b", re.IGNORECASE)


class NemoOutputs(Known):
    """A row per problem. Seeds are joined by the problem's id, or by its question."""

    title = "NeMo-Skills"
    known = frozenset(("outcome", "reason", *_VERDICTS, *_IDS, *_QUESTIONS, *_FIELDS.split()))

    def __init__(self, path: Path, choice: Choice) -> None:
        pass

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        if "generation" not in fields:
            return False
        # A table of samples may have a question as a column of the user's own.
        is_table = "correct" in fields or {"problem_id", "outcome"} <= fields.keys()
        return (not fields.keys().isdisjoint(_QUESTIONS) and not is_table) or not fields.keys().isdisjoint(_VERDICTS)

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        key = next((row[name] for name in _IDS if row.get(name) is not None), None)
        question = next((row[name] for name in _QUESTIONS if isinstance(row.get(name), str)), None)
        if key is None and question is None:
            yield Unread(at=record.at, reason="neither an id nor a question")
            return
        values = {name: row[name] for name in ("model", "generation", "predicted_answer", "num_generated_tokens") if name in row}
        values["problem_id"] = question_id(str(question)) if key is None else key
        values["expected_answer"] = reference_of(row.get("expected_answer"))
        values["finish_reason"] = finish_reason(row.get("finish_reason"))
        values["num_prompt_tokens"] = row.get("num_input_tokens")
        scores = {name: row[name] for name in _VERDICTS if name in row}
        outcome = row.get("outcome")
        if isinstance(outcome, str) and outcome in OUTCOMES:
            # `isocost verify` has graded the row since: its verdict decides, also where it is none.
            scores = {"outcome": OUTCOMES[outcome], **scores}
        if "judgement" in scores:
            scores["judgement"] = _judged(scores["judgement"])
        yield Sample(values=values, scores=scores, settles=True, source=row)


def _judged(judgement: object) -> object:
    """Return the verdict in a judge's text; None if it has none."""
    if not isinstance(judgement, str):
        return judgement
    found = _JUDGEMENT.search(judgement)
    return found.group(1).lower() == "yes" if found else None

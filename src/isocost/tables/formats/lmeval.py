"""Samples of lm-evaluation-harness (`samples_TASK_DATE.jsonl`): a row per document and filter, k responses in `resps`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import Choice, Known, Sample, at, reference_of
from isocost.tables.reading.base import Record, Unread

_NAME = re.compile(r"samples_(?P<task>.+?)(?:_(?P<date>\d{4}-\d\d-\d\dT[-.\d]+))?\Z")
_FIELDS = "doc_id doc target arguments resps filtered_resps filter metrics doc_hash prompt_hash target_hash"
_KNOWN = frozenset(_FIELDS.split())
_INVALID = "[invalid]"  # what its filters return where they find no answer
# Chosen among several metrics without --scorer: the only one of them that compares the final answer in most tasks.
_USUAL = "exact_match"


class HarnessSamples(Known):
    """A row per document and filter. Rows of further filters are the same responses, graded otherwise."""

    title = "lm-evaluation-harness"

    def __init__(self, path: Path, choice: Choice) -> None:
        self._wanted, self._filter = choice.filter, choice.filter
        self._seen: dict[str, None] = {}
        self._verdicts: dict[tuple[str, int], bool] = {}  # by the chosen filter, of each document and response
        self._others: dict[str, _Other] = {}  # further filters
        name = _NAME.match(path.stem)
        self._task = f"{name['task']}/" if name else ""
        self._model = choice.model or _model_beside(path, name["date"] if name else None)

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        return {"doc_id", "resps"} <= fields.keys()

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        name = row.get("filter")
        if isinstance(name, str):
            self._seen[name] = None
            self._filter = self._filter or name
            if name != self._filter:
                yield from self._repeats(row)
                yield Unread(at=record.at, reason=f'the same response under another filter, "{name[:80]}"', is_repeat=True)
                return
        texts = _texts(row.get("resps"))
        if texts is None:
            yield Unread(at=record.at, reason="log-likelihoods, not a response")
            return
        for index, text in enumerate(texts):
            values: dict[str, Any] = {"problem_id": f"{self._task}{row['doc_id']}", "model": self._model, "generation": text}
            # A file has all responses of a document, so another file of the task is another run of it.
            values["sample_index"] = index
            values["expected_answer"] = reference_of(row.get("target"))
            values["predicted_answer"] = _answer(row.get("filtered_resps"), index, len(texts))
            yield _sample(row, index, len(texts), values)

    def _repeats(self, row: Mapping[str, Any]) -> Iterator[Sample]:
        """Yield the responses of a row of a further filter, for their scores."""
        count = len(_texts(row.get("resps")) or ())
        for index in range(count):
            yield _sample(row, index, count, {"sample_index": index}, is_repeat=True)

    def judged(self, sample: Sample, correct: bool | None) -> None:
        """Keep the verdict on a response, or compare that of a further filter with it."""
        if correct is None:
            return
        key = str(sample.source["doc_id"]), sample.values["sample_index"]  # in a damaged file it may be anything
        if not sample.is_repeat:
            self._verdicts[key] = correct
        elif key in self._verdicts:
            other = self._others.setdefault(sample.source["filter"], _Other())
            other.compared += 1
            other.differ += correct != self._verdicts[key]

    def unknown(self, record: Record) -> Iterable[str]:
        """Return the fields that are not read."""
        metrics = _metrics(record.fields)
        return [name for name in record.fields if name not in _KNOWN and name not in metrics]

    def flaw(self) -> str:
        """Return what is wrong with the file as a whole; "" if nothing is."""
        if self._wanted is None or self._wanted in self._seen:
            return ""
        return f'no row has the filter "{self._wanted[:80]}"; it has {", ".join(self._seen) or "none"}'

    def doubt(self) -> str:
        """Return the filter that gives the most responses another verdict, unless the user has chosen one; "" without one."""
        name, other = max(self._others.items(), key=lambda item: item[1].differ, default=("", _Other()))
        if self._wanted is not None or not other.differ:
            return ""
        return (
            f'its verdicts are those of the filter "{(self._filter or "")[:80]}"; "{name[:80]}" gives {other.differ:,} of '
            f"{other.compared:,} response{'' if other.compared == 1 else 's'} another one: choose with --filter"
        )


@dataclass(slots=True)
class _Other:
    """A filter beside the chosen one: responses that both graded, and those of which they differ."""

    compared: int = 0
    differ: int = 0


def _sample(row: Mapping[str, Any], index: int, count: int, values: Mapping[str, Any], *, is_repeat: bool = False) -> Sample:
    """Return one of a row's `count` responses with its scores."""
    mine = {metric: _share(score, index, count) for metric, score in _metrics(row).items()}
    settles = _USUAL in mine and next(iter(mine)) == _USUAL
    return Sample(values=values, scores=mine, settles=settles, source=row, is_repeat=is_repeat)


def _texts(resps: object) -> list[str] | None:
    """Return the responses of all requests of a document; None if they are no texts."""
    if not isinstance(resps, list):
        return None
    each = [text for request in resps for text in (request if isinstance(request, list) else [request])]
    return each if each and all(isinstance(text, str) for text in each) else None


def _metrics(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row's metrics, the usual one first. Early versions do not list them."""
    named = row.get("metrics")
    if not isinstance(named, list):
        named = [name for name, value in row.items() if name not in _KNOWN and isinstance(value, int | float)]
    names = [name for name in named if isinstance(name, str) and name in row]
    return {name: row[name] for name in sorted(names, key=lambda name: name != _USUAL)}


def _share(score: object, index: int, count: int) -> object:
    """Return the verdict on one of `count` responses. One verdict on several of them together says nothing of each."""
    if isinstance(score, list):
        return at(score, index) if len(score) == count else None
    return score if count == 1 else None


def _answer(filtered: object, index: int, count: int) -> object:
    found = at(filtered, 0)
    if isinstance(found, list):
        found = at(found, index)
    elif count > 1:
        found = None
    return None if found == _INVALID or not isinstance(found, str) else found


def _model_beside(path: Path, date: str | None) -> str | None:
    """Return the model of the results written with the samples, else the folder's name, which is the model's with `__` for `/`."""
    results = path.parent / f"results_{date}.json"
    try:
        name = json.loads(results.read_text(encoding="utf-8")).get("model_name")
    except (OSError, ValueError, AttributeError, RecursionError):
        name = None
    folder = path.resolve().parent.name
    return name if isinstance(name, str) and name else folder.replace("__", "/") if "__" in folder else None

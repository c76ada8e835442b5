"""Code of evalplus and HumanEval: solutions (`task_id` with `solution` or `completion`), and evalplus's results of running them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocost.tables.formats.base import Choice, Known, Sample, at
from isocost.tables.reading.base import Record, Unread

_PASSED = ("pass", "success")  # of today's evalplus, and of its first version


class Solutions(Known):
    """A row per solution. HumanEval's evaluation adds `passed` and `result`."""

    title = "HumanEval or evalplus"
    known = frozenset(("task_id", "solution", "completion", "raw_solution", "passed", "result", "_identifier", "completion_id", "model"))

    def __init__(self, path: Path, choice: Choice) -> None:
        pass

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        return "task_id" in fields and not fields.keys().isdisjoint({"solution", "completion"})

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        row = record.fields
        text = row["solution"] if row.get("solution") is not None else row.get("completion")
        scores = {"passed": row["passed"]} if "passed" in row else {}
        values = {"problem_id": row["task_id"], "model": row.get("model"), "generation": text}
        yield Sample(values=values, scores=scores, settles=True, source=row)


class EvaluatedSolutions(Known):
    """A file of results by task. A solution passes evalplus's tests if it passes the base tests and the added ones."""

    title = "evalplus (results)"
    known = frozenset(("date", "hash", "eval", "pass_at_k"))

    def __init__(self, path: Path, choice: Choice) -> None:
        pass

    @staticmethod
    def recognises(fields: Mapping[str, Any]) -> bool:
        """Return True for an object of this kind."""
        tasks = fields.get("eval")
        if not isinstance(tasks, Mapping) or "samples" in fields or not tasks:
            return False
        first = next(iter(tasks.values()))
        return isinstance(first, list) or (isinstance(first, Mapping) and "base" in first)

    def samples(self, record: Record) -> Iterator[Sample | Unread]:
        """Yield the responses of a record, and what gives none."""
        for task, results in record.fields["eval"].items():
            each = results if isinstance(results, list) else _first_version(results)
            for number, result in enumerate(each, start=1):
                if not isinstance(result, Mapping):
                    yield Unread(at=f"{record.at}: {task} {number}", reason="not a result")
                    continue
                values = {"problem_id": task, "model": result.get("model"), "generation": result.get("solution")}
                yield Sample(values=values, scores=_scores(result), settles=True, source=result)


def _first_version(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the results of a task in evalplus 0.1, `{"base": [[status, details], ...], "plus": ...}`, in today's form."""
    base, plus = results.get("base") or [], results.get("plus") or []
    return [{"base_status": at(each, 0), "plus_status": at(at(plus, index), 0)} for index, each in enumerate(base)]


def _scores(result: Mapping[str, Any]) -> dict[str, Any]:
    base, plus = (result.get(name) for name in ("base_status", "plus_status"))
    passed = None if base is None else base in _PASSED
    # Without the added tests, as with --base-only, the base tests decide.
    both = {} if plus is None else {"plus": passed and plus in _PASSED}
    return {**both, "base": passed}

"""Small studies on recorded samples: problems, a table that holds every draw, and the study file, for tests of whole runs."""

from __future__ import annotations

import copy
import json
import random
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import polars as pl
import yaml

from isocost.config import Study
from isocost.executors import engineworker
from isocost.executors.jobs import Answers, Job
from isocost.graders.number import NumberGrader
from isocost.preparing.parts import known_parts
from isocost.records import Outcome, Verdict
from isocost.studyfile import check_study
from isocost.tables import scan_table
from isocost.tables.coding import collected

P = ParamSpec("P")
T = TypeVar("T")
Raw = dict[str, Any]
Rows = list[dict[str, object]]

MAX_TOKENS = 64
PARAMS = {"weak": 1000, "strong": 3000}


def raw_study(**changes: Any) -> Raw:
    """Two recorded models, one budget worth two strong draws a problem, three arms; `changes` replace whole sections, None removes one."""
    raw: Raw = {
        "name": "recorded",
        "problems": {"train": {"source": "jsonl", "path": "problems.jsonl"}},
        "models": {
            name: {"engine": "replay", "table": "table.parquet", "model": name, "params": params} for name, params in PARAMS.items()
        },
        "prompt": {"template": "gsm8k"},
        "sampling": {"max_tokens": MAX_TOKENS},
        "budgets": {"low": {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 2}}},
        "arms": {
            "weak": {"models": ["weak"]},
            "strong": {"models": ["strong"]},
            "equal": {"models": ["weak"], "samples_per_problem": 2},
        },
        "grader": {"name": "number"},
    }
    raw |= copy.deepcopy(changes)
    return {key: value for key, value in raw.items() if value is not None}


def study(**changes: Any) -> Study:
    """The study of `raw_study`, checked."""
    return check_study(raw_study(**changes), known_parts())


def write_study(folder: Path, *, n_problems: int = 30, n_samples: int = 12, **changes: Any) -> Path:
    """The study file in a folder, with its problems and its table."""
    write_problems(folder, n_problems)
    write_table(folder, recorded(n_problems, n_samples))
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(raw_study(**changes), sort_keys=False), encoding="utf-8")
    return path


def write_problems(folder: Path, n_problems: int) -> None:
    """Additions: problem `p<i>` asks for i + 7."""
    lines = [json.dumps({"id": f"p{i:02d}", "question": f"What is {i} + 7?", "answer": str(i + 7)}) for i in range(n_problems)]
    (folder / "problems.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_table(folder: Path, rows: Rows) -> None:
    with (folder / "table.parquet").open("wb") as file:  # polars takes a path that begins with ~ or holds a colon otherwise
        pl.DataFrame(rows).write_parquet(file)


def recorded(n_problems: int, n_samples: int) -> Rows:
    """Draws of both models: the weak one writes less and errs more often; all texts of a problem differ."""
    lots = random.Random(0)
    rows: Rows = []
    for model, chance, shortest in (("weak", 0.4, 8), ("strong", 0.7, 24)):
        for i in range(n_problems):
            for index in range(n_samples):
                answer = i + 7 if lots.random() < chance else i + 8
                rows.append(
                    {
                        "problem_id": f"p{i:02d}",
                        "model": model,
                        "sample_index": index,
                        "generation": f" Way {index}: {i} + 7 = {answer}\n#### {answer}",
                        "num_prompt_tokens": 9,
                        "num_generated_tokens": lots.randint(shortest, MAX_TOKENS),
                        "finish_reason": "stop",
                    }
                )
    return rows


class InlineExecutor:
    """Stands in for worker processes: functions and jobs run where they are called, and an engine stays open no longer than its run."""

    cores = workers = threads = 1

    def __init__(self, largest: int | None) -> None:
        self.largest = largest
        self._one = threading.Lock()  # a judge sends too

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as a worker does: whoever asks for the result gets it
            future.set_exception(error)
        return future

    def send(self, job: Job) -> Future[Answers]:
        future: Future[Answers] = Future()
        with self._one:
            (outcome,) = engineworker.exchange([job], 60.0)
        if outcome.answers is None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.answers)
        return future

    def capacity(self, job: Job) -> int:
        return 2 * job.concurrency

    def withdraw(self, queue: str) -> None: ...

    def close(self, *, wait: bool = True) -> None:
        engineworker._worker = engineworker.EngineWorker("w0")


class Choosy(NumberGrader):
    """A grader that cannot read the reference answer 10."""

    name = "choosy"

    def grade(self, reference: str, generation: str) -> Verdict:
        if reference == "10":
            return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="bad_reference")
        return super().grade(reference, generation)


def nested(raw: Mapping[str, Any], *keys: str | int, value: object) -> Raw:
    """A copy of plain data with the value at a path replaced."""
    copied: Any = copy.deepcopy(dict(raw))
    target = copied
    for key in keys[:-1]:
        target = target[key]
    target[keys[-1]] = value
    return copied  # type: ignore[no-any-return]


def read_table(path: str, columns: Collection[str] | None = None) -> pl.DataFrame:
    """A checked table of samples, loaded."""
    return collected(scan_table(path, columns))

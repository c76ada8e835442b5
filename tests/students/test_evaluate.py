"""How students are evaluated in a run: what is asked, stored, asked again, and not asked again."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isocost.dispatch import calls, inflight
from isocost.dispatch.calls import Retrying
from isocost.engines import CARRIED
from isocost.errors import EngineError, NotSentError, TryAgainError
from isocost.evaluating import ProblemOutcome, average
from isocost.events import Note, StageProgress
from isocost.executors.jobs import Answers, Job
from isocost.grading import GradingPool
from isocost.ids import digest, seed_of
from isocost.store import BatchLog, RunDirectory
from isocost.students.evaluate import Evaluated, _engine_of, evaluate
from tests.executors.engines import generation
from tests.students.setting import TEST, prepared

ANSWER = {problem.id: f"#### {problem.answer}" for problem in TEST}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds."""
    monkeypatch.setattr(inflight, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr(calls, "RETRYING", Retrying(first=0.005, longest=0.02, patience=30.0))


class Answering:
    """Answers every job with right answers, unless `fails` has an error for it; batches are of two requests."""

    cores = workers = 1

    def __init__(self, fails: Callable[[Job, int], BaseException | None] = lambda job, number: None) -> None:
        self._fails = fails
        self.jobs: list[Job] = []
        self.closed = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        _, requests = args
        future: Future[Any] = Future()
        future.set_result([tuple(requests[i : i + 2]) for i in range(0, len(requests), 2)])
        return future

    def send(self, job: Job) -> Future[Answers]:
        self.jobs.append(job)
        future: Future[Answers] = Future()
        if error := self._fails(job, len(self.jobs)):
            future.set_exception(error)
        else:
            made = [[generation(ANSWER[r.problem_id]) for _ in range(r.count)] for r in job.requests]
            future.set_result(Answers(generations=made, stored=(), seconds=2.0))
        return future

    def capacity(self, job: Job) -> int:
        return 1

    def withdraw(self, lane: str) -> None: ...

    def close(self, *, wait: bool = True) -> None:
        self.closed = True


def evaluated(folder: Path, executor: Answering, events: list[StageProgress | Note] | None = None, **settings: Any) -> list[Evaluated]:
    with RunDirectory(folder / "out") as directory, GradingPool("number", workers=1, time_limit=5.0) as grading:
        told = [] if events is None else events
        return evaluate(prepared(folder, **settings), directory, [], executor, grading, told.append)


def logs(folder: Path) -> dict[str, list[dict[str, Any]]]:
    parts = sorted((folder / "out" / "evaluations").glob("*/*.parts"))
    return {f"{part.parent.name}/{part.stem}": list(BatchLog(part.with_suffix("")).rows()) for part in parts}


def test_a_batch_is_sent_and_stored_under_what_made_it(tmp_path: Path) -> None:
    """What earlier versions stored is found again by these names."""
    executor, events = Answering(), list[StageProgress | Note]()
    (plain,) = evaluated(tmp_path, executor, events)
    assert (plain.prompt, plain.answers) == ("plain", 5)
    assert plain.seconds == pytest.approx(3 * 2.0)
    assert {o.score for o in plain.outcomes["pass@1"]} == {1.0}
    ((name, rows),) = logs(tmp_path).items()
    folder, stamp = name.split("/")
    assert folder == "strong+untrained+0+plain+test"
    assert [(job.key, job.seed) for job in executor.jobs] == [(digest(stamp, n), seed_of(stamp, n)) for n in range(3)]
    assert [(row["batch"], row["problem_id"], row["index"], row["seconds"]) for row in rows] == [
        (digest(stamp, [[r.problem_id, 0] for r in job.requests]), r.problem_id, 0, 2.0 / len(job.requests))
        for job in executor.jobs
        for r in job.requests
    ]
    assert isinstance(events[-1], StageProgress)
    assert (events[-1].done, events[-1].total) == (5, 5)


def test_what_is_stored_is_not_asked_again(tmp_path: Path) -> None:
    first = evaluated(tmp_path, Answering(), maj_at=(1, 2))
    executor = Answering()
    assert evaluated(tmp_path, executor, maj_at=(1, 2)) == first
    assert executor.jobs == []


@pytest.mark.parametrize("error", [TryAgainError("it is busy"), TryAgainError("it broke", charged=True), NotSentError("not sent")])
def test_a_hiccup_is_asked_again(tmp_path: Path, error: EngineError) -> None:
    whole = evaluated(tmp_path / "whole", Answering())
    executor = Answering(lambda job, number: error if number == 2 else None)
    assert evaluated(tmp_path, executor) == whole
    assert len(executor.jobs) == 4


def test_what_was_answered_before_it_failed_is_kept(tmp_path: Path) -> None:
    broken = Answering(lambda job, number: EngineError("it does not answer") if job.requests[0].problem_id == "t2" else None)
    with pytest.raises(EngineError, match="it does not answer"):
        evaluated(tmp_path, broken)
    assert broken.closed
    kept = [line for path in (tmp_path / "out" / "evaluations").glob("*/*.jsonl") for line in path.read_text().splitlines()]
    executor = Answering()
    assert {o.score for each in evaluated(tmp_path, executor) for o in each.outcomes["pass@1"]} == {1.0}
    assert len(executor.jobs) == 3 - len(kept) == 2


def test_answers_that_do_not_come_are_not_graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = Answering()
    send = executor.send

    def short(job: Job) -> Future[Answers]:
        whole, future = send(job).result(), Future[Answers]()
        came = [[] if r.problem_id == "t3" else each for r, each in zip(job.requests, whole.generations, strict=True)]
        future.set_result(Answers(generations=came, stored=(), seconds=1.0))
        return future

    monkeypatch.setattr(executor, "send", short)
    events: list[StageProgress | Note] = []
    found = evaluated(tmp_path, executor, events)
    for each in found:
        assert {o.problem_id: o.score for o in each.outcomes["pass@1"]} == {"t0": 1.0, "t1": 1.0, "t2": 1.0, "t3": None, "t4": 1.0}
    notes = [event for event in events if isinstance(event, Note)]
    assert len(notes) == len(found)
    assert all(note.loud and "test: 1 of 5 answers failed and are not graded" in note.text for note in notes)


def outcome(problem: str, score: float | None) -> ProblemOutcome:
    return ProblemOutcome(problem_id=problem, score=score, predicted_answer="1")


def test_a_problem_that_one_seed_could_not_grade_is_not_graded() -> None:
    one, other = (outcome("p", 1.0), outcome("q", 1.0)), (outcome("p", 0.0), outcome("q", None))
    assert average([one]) == one
    assert [(o.problem_id, o.score) for o in average([one, other])] == [("p", pytest.approx(0.5)), ("q", None)]


def test_a_trained_student_is_opened_as_its_base_but_for_its_weights(tmp_path: Path) -> None:
    kept = {"batch_size": 4, "device": "cpu", "dtype": "float32", "special_tokens": ("[THINK]", "[/THINK]")}
    made = prepared(tmp_path)
    base = replace(made.specs["strong"], options=tuple(sorted({**kept, "model": "base", "revision": "main"}.items())))
    made = replace(made, specs={"strong": replace(base, chat_date=dt.date(2026, 12, 1))})
    training: Any = SimpleNamespace(student="strong", folder=tmp_path / "trained")
    spec = _engine_of(made, training)
    assert dict(spec.options) == {**kept, "model": str(tmp_path / "trained")}
    assert spec.chat_date == dt.date(2026, 12, 1)
    assert set(kept) == set(CARRIED)

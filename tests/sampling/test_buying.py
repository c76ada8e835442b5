"""Buying and grading at once: what is told, stored and paid, and what is left when something fails."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from isocost.dispatch import inflight
from isocost.dispatch.calls import Retrying
from isocost.dispatch.draws import DrawKey
from isocost.engines.base import ModelSize
from isocost.errors import EngineError, LimitReachedError, StorageError, TryAgainError
from isocost.executors.jobs import Answers, EngineFacts, Job, StoredDraw
from isocost.executors.storing import rows_of
from isocost.ledger import Ledger
from isocost.records import Outcome, Pair, Verdict
from isocost.sampling import loop as buying
from isocost.sampling.loop import buy
from isocost.sampling.pools import Pool
from isocost.store import BatchLog, Log
from tests.executors.engines import generation
from tests.sampling.pooling import keys, order, pool_in, problems, wanted

RIGHT = Verdict(outcome=Outcome.CORRECT, predicted_answer="1", reason="equal")
ASKED = wanted(p=2, q=2, r=2, s=2)
REMOTE = EngineFacts(identity="weights", size=ModelSize(parameters=1, description=""), remote=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflight, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr("isocost.dispatch.calls.RETRYING", Retrying(first=0.001, longest=0.002))


class RecordingListener:
    """A listener that records its calls."""

    def __init__(self) -> None:
        self.draws: list[DrawKey] = []
        self.verdicts = 0
        self.shortages: list[tuple[int, int]] = []

    def begin(self) -> None: ...

    def bought(self, model: str, draws: Sequence[tuple[DrawKey, StoredDraw]], seconds: float) -> None:
        self.draws += [key for key, _ in draws]

    def judged(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts += len(verdicts)

    def tick(self) -> None: ...

    def trouble(self, what: str) -> None: ...

    def short(self, model: str, requested: int, returned: int) -> None:
        self.shortages.append((requested, returned))


class Grader:
    """A grading pool that finds everything right; `hold` keeps its verdicts back, `fails` makes it fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: BaseException | None = None
        self.hold = False
        self.held: list[tuple[Future[list[Verdict]], int]] = []

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        self.asked += [pair.generation for pair in pairs]
        future: Future[list[Verdict]] = Future()
        if self.hold:
            self.held.append((future, len(pairs)))
        elif self.fails:
            future.set_exception(self.fails)
        else:
            future.set_result([RIGHT] * len(pairs))
        return future

    def let_go(self) -> None:
        self.hold = False
        while self.held:
            future, size = self.held.pop()
            future.set_result([RIGHT] * size)


class Worker:
    """Answers and commits at once; `counts` says how many of each request's draws come, call by call; `fails` what is raised."""

    cores = workers = 1

    def __init__(self, *, counts: Sequence[int] = (), fails: dict[int, BaseException] | None = None) -> None:
        self._counts, self._fails = list(counts), fails or {}
        self.sent: list[str] = []

    def send(self, job: Job) -> Future[Answers]:
        future: Future[Answers] = Future()
        self.sent.append(job.key)
        if error := self._fails.get(len(self.sent) - 1) or self._fails.get(-1):
            future.set_exception(error)
            return future
        most = self._counts.pop(0) if self._counts else 99
        made = [[generation(f"{r.problem_id} {r.first_index + i}") for i in range(min(most, r.count))] for r in job.requests]
        assert job.storing is not None
        rows, stored = rows_of(job.requests, job.seed, job.storing, made, 1.0)
        if rows:
            BatchLog(job.storing.stem, "w0").append(job.key, rows)
        future.set_result(Answers(generations=(), stored=stored, seconds=1.0))
        return future

    def capacity(self, job: Job) -> int:
        return 1


def ordered(folder: Path, *, remote: bool = False) -> Pool:
    pool = pool_in(folder, problems(*"pqrs"), **({"facts": REMOTE} if remote else {}))  # type: ignore[arg-type]
    order(pool, ("p", 0, 2), ("q", 0, 2), ("r", 0, 2), ("s", 0, 2))
    return pool


def bought(
    pool: Pool, worker: Worker, ledger: Ledger, grader: Grader | None = None, listener: RecordingListener | None = None
) -> RecordingListener:
    listener = listener or RecordingListener()
    buy([pool], ASKED, worker, grader or Grader(), ledger, listener)  # type: ignore[arg-type]
    return listener


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Log(tmp_path / "ledger.jsonl"))


def test_everything_is_bought_judged_told_and_paid_once(tmp_path: Path, ledger: Ledger) -> None:
    pool, grader = ordered(tmp_path), Grader()
    listener = bought(pool, Worker(), ledger, grader)
    assert sorted(listener.draws) == sorted(keys(pool)) == [(p, i) for p in "pqrs" for i in range(2)]
    assert (listener.verdicts, len(grader.asked)) == (8, 8)
    assert all(draw.verdict == RIGHT for _, draw in pool.draws())
    (account,) = ledger.accounts.values()
    assert (account.requests, account.count, account.tokens, account.cost.flops, account.cost.seconds) == (2, 8, 40, 80.0, 2.0)
    assert ledger.unanswered() == {}
    assert bought(pool, Worker(), ledger, grader).draws == []
    assert len(grader.asked) == 8


def test_an_endpoint_that_returns_fewer_is_asked_for_the_rest(tmp_path: Path, ledger: Ledger) -> None:
    pool = ordered(tmp_path, remote=True)
    listener = bought(pool, Worker(counts=[1, 0, 99]), ledger)
    assert sorted(listener.draws) == [(p, i) for p in "pqrs" for i in range(2)]
    (account,) = ledger.accounts.values()
    assert account.count == 8
    assert listener.shortages == [(4, 2), (4, 0)]
    assert keys(pool_in(tmp_path, problems(*"pqrs"), facts=REMOTE)) == keys(pool)


def test_an_endpoint_that_always_returns_fewer_is_named(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(EngineError, match="model weak: the endpoint keeps returning fewer solutions"):
        bought(ordered(tmp_path, remote=True), Worker(counts=[0] * 1000), ledger)
    assert ledger.unanswered() == {}


def test_what_keeps_failing_is_stored_as_failed_and_the_rest_is_bought(tmp_path: Path, ledger: Ledger) -> None:
    pool = ordered(tmp_path, remote=True)
    first = next(pool.missing(ASKED)).key
    worker = Worker()
    send = worker.send

    def failing(job: Job) -> Future[Answers]:
        if job.key != first:
            return send(job)
        future: Future[Answers] = Future()
        future.set_exception(TryAgainError("broken", charged=True))
        return future

    worker.send = failing  # type: ignore[method-assign]
    listener = bought(pool, worker, ledger)
    assert sorted(listener.draws) == [(p, i) for p in "pqrs" for i in range(2)]
    assert {p for (p, _), draw in pool.draws() if draw.finish_reason == "error"} == {"p", "q"}
    assert {draw.verdict.outcome for (p, _), draw in pool.draws() if p in "pq" and draw.verdict} == {Outcome.UNGRADED}
    (account,) = ledger.accounts.values()
    assert (account.count, account.lost) == (8, 5)
    assert not pool_in(tmp_path, problems(*"pqrs"), facts=REMOTE).is_short(ASKED)


def test_what_was_bought_before_the_limit_is_judged_and_stored(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"), limit=150.0)
    pool = ordered(tmp_path)
    with pytest.raises(LimitReachedError):
        bought(pool, Worker(), ledger)
    assert sorted(keys(pool)) == [("p", 0), ("p", 1), ("q", 0), ("q", 1)]
    assert all(draw.verdict == RIGHT for _, draw in pool.draws())
    assert list(pool_in(tmp_path, problems(*"pqrs")).ungraded()) == []


def test_a_grader_that_fails_stops_the_run_and_is_asked_again(tmp_path: Path, ledger: Ledger) -> None:
    pool, grader = ordered(tmp_path), Grader()
    grader.fails = EngineError("the judge is not there")
    with pytest.raises(EngineError, match="the judge is not there"):
        bought(pool, Worker(), ledger, grader)
    assert ledger.unanswered() == {}
    again = pool_in(tmp_path, problems(*"pqrs"))
    listener = bought(again, Worker(), ledger)
    assert listener.verdicts == 8
    assert keys(again) == {(p, i) for p in "pqrs" for i in range(2)}


def test_while_graders_are_behind_nothing_is_asked(tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buying, "BACKLOG", 1)
    pool, grader, worker = ordered(tmp_path), Grader(), Worker()
    grader.hold = True
    ticks = threading.Event()

    class Ticking(RecordingListener):
        count = 0

        def tick(self) -> None:
            Ticking.count += 1
            if Ticking.count == 5:
                assert len(worker.sent) == 1
                ticks.set()
                grader.let_go()

    bought(pool, worker, ledger, grader, Ticking())
    assert ticks.is_set()
    assert len(worker.sent) == 2


def test_a_full_disk_stops_it_and_the_next_start_goes_on(tmp_path: Path, ledger: Ledger) -> None:
    pool = ordered(tmp_path)
    with pytest.raises(StorageError):
        bought(pool, Worker(fails={1: StorageError("the disk is full")}), ledger)
    assert all(draw.verdict for _, draw in pool.draws())
    again, second = pool_in(tmp_path, problems(*"pqrs"), load=False), Ledger(Log(tmp_path / "ledger.jsonl"))
    second.settle(again.load(second.unanswered()))
    assert len(bought(again, Worker(), second).draws) == 4
    (account,) = second.accounts.values()
    assert (account.count, account.redone) == (8, 1)


def test_ctrl_c_keeps_what_came_and_does_not_wait_for_slow_graders(tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buying, "PATIENCE", 0.05)
    pool, grader = ordered(tmp_path), Grader()
    grader.hold = True

    class Interrupting(RecordingListener):
        def tick(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bought(pool, Worker(), ledger, grader, Interrupting())
    again = pool_in(tmp_path, problems(*"pqrs"))
    assert sorted(keys(again)) == [("p", 0), ("p", 1), ("q", 0), ("q", 1)]
    assert sum(len(found) for _, found in again.ungraded()) == 4

"""The loop that data, judges and evaluations share: who stores what, and what the ledger is told after that."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from isocost.dispatch import inflight
from isocost.dispatch.calls import Abandoned, Call, Retrying
from isocost.dispatch.loop import null_ledger, run_sources
from isocost.errors import LimitReachedError, NotSentError, RunError, TryAgainError
from isocost.executors.jobs import Answers, Job
from isocost.ledger import Answered, Ledger, Reservation
from isocost.records import Cost
from isocost.store import Log
from tests.dispatch.scripted import Scripted, calls


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflight, "POLL_INTERVAL", 0.01)
    monkeypatch.setattr("isocost.dispatch.calls.RETRYING", Retrying(first=0.005, longest=0.02, patience=30.0))


@dataclass
class Storing:
    """Stores keys. What it gives up it does not have released."""

    keys: str
    queue: str = ""
    stored: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    def calls(self) -> list[Call]:
        return [call for call in calls(self.keys, self.queue) if call.key not in self.stored]

    def store(self, call: Call, answers: Answers | Abandoned) -> Answered | None:
        if isinstance(answers, Abandoned):
            self.given_up.append(call.key)
            return None
        self.stored.append(call.key)
        return Answered(request=call.key, cost=Cost(flops=1.0), count=1)


def answer(executor: Scripted, job: Job) -> None:
    executor.answer(job.key)


def test_each_source_stores_its_own_before_the_ledger_is_told(tmp_path: Path) -> None:
    ledger, seen = Ledger(Log(tmp_path / "ledger.jsonl")), list[tuple[int, int]]()
    near, far = Storing("abc"), Storing("de", queue="far")

    def look() -> None:
        seen.append((len(near.stored) + len(far.stored), ledger.accounts["data", "m"].requests if ledger.accounts else 0))

    run_sources([near, far], Scripted(on_send=answer), ledger, after=look)
    assert (sorted(near.stored), sorted(far.stored)) == (list("abc"), list("de"))
    assert all(stored == released for stored, released in seen)
    assert ledger.unanswered() == {}


def test_what_is_stored_is_not_sent_again(tmp_path: Path) -> None:
    ledger = Ledger(Log(tmp_path / "ledger.jsonl"), limit=22.0)

    def stop(executor: Scripted, job: Job) -> None:
        executor.fail(job.key, ValueError("a fault")) if job.key == "c" else executor.answer(job.key)

    source = Storing("abcd")
    with pytest.raises(ValueError, match="a fault"):
        run_sources([source], Scripted(capacity=1, on_send=stop), ledger)
    assert source.stored == ["a", "b"]
    executor = Scripted(capacity=1, on_send=answer)
    run_sources([source], executor, null_ledger())
    assert executor.sent == ["c", "d"]


def test_the_limit_stops_it_and_what_came_is_stored(tmp_path: Path) -> None:
    source = Storing("abcd")
    with pytest.raises(LimitReachedError):
        run_sources([source], Scripted(capacity=1, on_send=answer), Ledger(Log(tmp_path / "ledger.jsonl"), limit=11.5))
    assert source.stored == ["a", "b"]


def test_without_an_account_calls_are_sent_again_and_given_up_as_with_one() -> None:
    tries: list[str] = []

    def fail(executor: Scripted, job: Job) -> None:
        tries.append(job.key)
        if job.key == "x":
            executor.fail(job.key, TryAgainError("busy", charged=True))
        elif job.key == "a" and tries.count("a") == 1:
            executor.fail(job.key, NotSentError("not sent"))
        else:
            executor.answer(job.key)

    source = Storing("xabcdefghij", queue="far")
    run_sources([source], Scripted(capacity=1, on_send=fail), null_ledger())
    assert (sorted(source.stored), source.given_up) == (list("abcdefghij"), ["x"])
    assert (tries.count("x"), tries.count("a")) == (5, 2)


def test_a_closed_account_lets_nothing_more_be_sent() -> None:
    account = null_ledger()
    assert account.reserve([Reservation(request="a", worst=Cost())] * 3) == 3
    account.close()
    with pytest.raises(RunError, match="is being stopped"):
        account.reserve([])

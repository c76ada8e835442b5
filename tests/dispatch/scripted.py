"""An executor whose every answer the test decides, and calls to send to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from isocost.dispatch.calls import Abandoned, Call
from isocost.dispatch.inflight import send_calls
from isocost.engines.base import Request
from isocost.executors.jobs import Answers, EngineSpec, Job
from isocost.ledger import Answered, Ledger
from isocost.records import Cost, SamplingParams

ANSWERS = Answers(generations=(), stored=(), seconds=0.0)


class Scripted:
    """Jobs are noted as they are sent and stay open until `answer` or `fail`. `on_send` may settle them at once."""

    cores = workers = 1

    def __init__(self, capacity: int = 2, on_send: Callable[[Scripted, Job], None] = lambda executor, job: None) -> None:
        self._capacity, self._on_send = capacity, on_send
        self.sent: list[str] = []
        self.open: dict[str, Future[Answers]] = {}
        self.withdrawn: list[str] = []
        self.news = threading.Condition()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise NotImplementedError

    def send(self, job: Job) -> Future[Answers]:
        future: Future[Answers] = Future()
        with self.news:
            self.open[job.key] = future
            self.sent.append(job.key)
            self.news.notify_all()
        self._on_send(self, job)
        return future

    def capacity(self, job: Job) -> int:
        return self._capacity

    def withdraw(self, queue: str) -> None:
        with self.news:
            self.withdrawn.append(queue)
            self.news.notify_all()

    def close(self, *, wait: bool = True) -> None: ...

    def answer(self, *keys: str) -> None:
        for key in keys:
            self.open.pop(key).set_result(ANSWERS)

    def fail(self, key: str, error: BaseException) -> None:
        self.open.pop(key).set_exception(error)

    def has_withdrawn(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.withdrawn) >= count, timeout=30)

    def has_sent(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.sent) >= count, timeout=30), self.sent


def call(key: str, queue: str = "", worst: float = 10.0, **facts: object) -> Call:
    job = Job(
        key=key,
        spec=EngineSpec(name="scripted", options=(), base=Path()),
        queue=queue,
        remote=bool(queue),
        concurrency=1,
        requests=(Request(problem_id=key, prompt="?", first_index=0, count=1),),
        params=SamplingParams(),
        seed=0,
    )
    return Call(job=job, worst=Cost(flops=worst), facts={"account": "data", "model": "m", **facts})


def calls(keys: str, queue: str = "", worst: float = 10.0) -> list[Call]:
    return [call(key, queue, worst) for key in keys]


class Consumer:
    """A caller of `send_calls` in a thread of its own, which releases every answer at its cost, as sampling does."""

    def __init__(
        self,
        sources: Sequence[Sequence[Call]],
        executor: Scripted,
        ledger: Ledger,
        check: Callable[[], None] = lambda: None,
        cost: float = 1.0,
    ) -> None:
        self.found: list[str] = []
        self.given_up: list[str] = []
        self.notes: list[str] = []
        self.error: BaseException | None = None
        self._sources, self._executor, self._ledger, self._check, self._cost = sources, executor, ledger, check, cost
        self._thread = threading.Thread(target=self._consume, daemon=True)
        self._thread.start()

    def _consume(self) -> None:
        try:
            for found in send_calls(self._sources, self._executor, self._ledger, self._check, notify=self.notes.append):
                for each, answers in found:
                    (self.given_up if isinstance(answers, Abandoned) else self.found).append(each.key)
                    if not isinstance(answers, Abandoned):
                        self._ledger.release([Answered(request=each.key, cost=Cost(flops=self._cost), count=1)])
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def ends(self) -> Consumer:
        self._thread.join(30)
        assert not self._thread.is_alive(), self._executor.sent
        return self

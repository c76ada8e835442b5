"""The driver's side: every job's future is settled, whatever becomes of the worker."""

import threading
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from isocost.errors import NotSentError
from isocost.executors.jobqueue import JobQueue, QueuedJob, WorkerDiedError, WorkerHandle
from isocost.executors.jobs import Answers, Job, Outcome
from tests.executors.engines import job

ANSWERS = Answers(generations=(), stored=(), seconds=0.0)


class Puppet:
    """A worker whose every exchange the test decides: it takes jobs in, and gives back what `give` is called with."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.withdrawn: list[str] = []
        self.news = threading.Condition()
        self._ready: list[Outcome] = []
        self._raising: BaseException | None = None

    def exchange(self, jobs: Sequence[Job], timeout: float, withdrawn: Collection[str]) -> list[Outcome]:
        with self.news:
            self.withdrawn += withdrawn
            self.taken += [job.key for job in jobs]
            self.news.notify_all()
            self.news.wait_for(lambda: self._ready or self._raising, timeout=timeout)
            if self._raising:
                error, self._raising = self._raising, None
                raise error
            ready, self._ready = self._ready, []
            return ready

    def give(self, *keys: str) -> None:
        with self.news:
            self._ready += [Outcome(key=key, answers=ANSWERS) for key in keys]
            self.news.notify_all()

    def fail(self, error: BaseException) -> None:
        with self.news:
            self._raising = error
            self.news.notify_all()

    def has(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.taken) >= count, timeout=30)


def queue_of(*workers: WorkerHandle, died: list[str] | None = None) -> JobQueue:
    def hear(queue: JobQueue, worker: WorkerHandle, queued_jobs: list[QueuedJob], error: WorkerDiedError) -> None:
        if died is not None:
            died.extend(queued.job.key for queued in queued_jobs)
        for queued in queued_jobs:
            queued.resolve(Outcome(key=queued.job.key, error=error))
        queue.fail(error)

    return JobQueue(workers, hear)


def put(queue: JobQueue, *keys: str, base: Path = Path(), **options: object) -> list[Future[Answers]]:
    return [queue.put(job(base, key, **options)) for key in keys]  # type: ignore[arg-type]


def test_a_worker_has_twice_what_it_answers_at_once_and_in_order() -> None:
    puppet = Puppet()
    queue = queue_of(puppet)
    futures = put(queue, *"abcdefg", concurrency=2)
    puppet.has(4)
    assert puppet.taken == list("abcd")
    puppet.give("b")
    assert futures[1].result(30) is ANSWERS
    puppet.has(5)
    assert puppet.taken == list("abcde")
    puppet.give(*"acde")
    puppet.has(7)
    puppet.give(*"fg")
    queue.close()
    assert all(future.done() for future in futures)


def test_closing_waits_for_what_was_put() -> None:
    puppet = Puppet()
    queue = queue_of(puppet)
    futures = put(queue, *"abc")
    closing = threading.Thread(target=queue.close)
    closing.start()
    puppet.has(2)
    assert closing.is_alive()
    puppet.give(*"ab")
    puppet.has(3)
    puppet.give("c")
    closing.join(30)
    assert [future.result(0) for future in futures] == [ANSWERS] * 3


def test_two_jobs_under_one_key_are_both_answered() -> None:
    puppet = Puppet()
    queue = queue_of(puppet)
    first, second = put(queue, "same", "same", concurrency=2)
    puppet.has(2)
    puppet.give("same", "same")
    assert (first.result(30), second.result(30)) == (ANSWERS, ANSWERS)
    queue.close()


def test_a_worker_that_dies_fails_what_it_had_what_waits_and_what_comes() -> None:
    puppet, died = Puppet(), []  # type: ignore[var-annotated]
    queue = queue_of(puppet, died=died)
    futures = put(queue, *"abcde")
    puppet.has(2)
    puppet.fail(WorkerDiedError())
    for future in futures:
        assert isinstance(future.exception(30), WorkerDiedError)
    assert died == ["a", "b"]
    assert isinstance(put(queue, "late")[0].exception(30), WorkerDiedError)
    queue.close()


def test_what_nobody_expected_fails_the_jobs_and_the_lane_goes_on() -> None:
    """Such as a result that cannot be read on this side: nobody may wait for ever."""
    puppet = Puppet()
    queue = queue_of(puppet)
    futures = put(queue, "a", "b")
    puppet.has(2)
    puppet.fail(TypeError("cannot be read"))
    for future in futures:
        with pytest.raises(TypeError, match="cannot be read"):
            future.result(30)
    (later,) = put(queue, "c")
    puppet.has(3)
    puppet.give("b", "c")  # b comes after all
    assert later.result(30) is ANSWERS
    queue.close()


def test_jobs_go_to_whichever_worker_has_room() -> None:
    one, two = Puppet(), Puppet()
    queue = queue_of(one, two)
    futures = put(queue, *"abcdef")
    one.has(1)
    two.has(1)
    while len(one.taken) + len(two.taken) < 4:
        pass
    assert sorted(one.taken + two.taken) == list("abcd")
    two.give(*two.taken)
    two.has(4)
    one.give(*one.taken)
    two.give(*two.taken[2:])
    queue.close()
    assert all(future.done() for future in futures)


@pytest.mark.parametrize("_", range(20))
def test_two_jobs_go_to_two_idle_workers(_: int) -> None:
    puppets = Puppet(), Puppet()
    queue = queue_of(*puppets)
    (first,) = put(queue, "first")
    for puppet in puppets:
        puppet.give("first")
    first.result(30)
    futures = put(queue, "a", "b")
    while len(puppets[0].taken) + len(puppets[1].taken) < 3:
        pass
    assert [len({"a", "b"} & set(puppet.taken)) for puppet in puppets] == [1, 1]
    for puppet in puppets:
        puppet.give("a", "b")
    assert [future.result(30) for future in futures] == [ANSWERS] * 2
    queue.close()


def test_a_future_that_somebody_gave_up_does_not_end_the_thread() -> None:
    puppet = Puppet()
    queue = queue_of(puppet)
    first, second = put(queue, "a", "b")
    first.cancel()
    puppet.has(2)
    puppet.give("a", "b")
    assert second.result(30) is ANSWERS
    queue.close()


def test_what_is_withdrawn_is_not_sent_and_what_comes_later_is() -> None:
    puppet = Puppet()
    queue = queue_of(puppet)
    futures = put(queue, *"abcd", concurrency=1, remote=True)
    puppet.has(2)
    queue.withdraw()
    assert all(isinstance(future.exception(30), NotSentError) for future in futures[2:])
    puppet.give("a")  # there is room again, and the worker hears of it
    (later,) = put(queue, "e", concurrency=1, remote=True)
    puppet.has(3)
    puppet.give("b", "e")
    assert [future.result(30) for future in (*futures[:2], later)] == [ANSWERS] * 3
    queue.close()
    assert puppet.taken == ["a", "b", "e"]
    assert puppet.withdrawn == [job(Path(), "a", concurrency=1, remote=True).queue]


def test_a_withdrawal_while_nothing_is_there_concerns_nothing_that_comes_later() -> None:
    puppet = Puppet()
    queue = queue_of(puppet)
    queue.withdraw()
    futures = put(queue, *"ab", concurrency=1, remote=True)
    puppet.has(2)
    puppet.give("a", "b")
    assert [future.result(30) for future in futures] == [ANSWERS] * 2
    queue.close()
    assert puppet.withdrawn == []

"""Buying what pools lack, and grading it, both at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass, field

from isocost.errors import IsocostError
from isocost.executors.local import LocalExecutor
from isocost.grading import Grading
from isocost.ledger import Ledger
from isocost.records import Sample, Verdict
from isocost.running.asking import PATIENCE, answered
from isocost.running.pools import Batch, Pool, total_cost


def buy(
    pools: Iterable[Pool],
    wanted: Mapping[tuple[str, str], int],
    executor: LocalExecutor,
    grading: Grading,
    ledger: Ledger,
    *,
    bought: Callable[[list[Sample]], None],
    judged: Callable[[list[Verdict]], None],
) -> None:
    """Buy every batch that is missing, and grade what is not graded, both at once.

    Args:
        pools: Whose rounds to complete.
        wanted: (model, problem id) -> how many draws to complete them to.
        executor: Where engines run.
        grading: Where graders run.
        ledger: Where each batch is reserved before it is sent.
        bought: Called with the samples of a batch once they are stored.
        judged: Called with the verdicts of a batch once they are stored.

    Raises:
        LimitReachedError: the next batch, or judging the last one, does not fit under the limit; what was bought before is stored.
        EngineError: an engine could not answer.
    """
    grades = _Grades(grading, judged)
    owners: dict[str, tuple[Pool, Batch]] = {}
    for pool in pools:
        for key, samples in pool.ungraded().items():
            grades.submit(pool, key, samples)
        owners |= {batch.key: (pool, batch) for batch in pool.missing(wanted)}
    calls = [pool.call(batch) for pool, batch in owners.values()]
    try:
        with closing(answered(calls, executor, ledger, grades.check)) as found:
            for call, answers in found:
                pool, batch = owners[call.key]
                samples = pool.store(batch, answers)
                ledger.release(batch.key, total_cost(s.cost for s in samples))
                bought(samples)
                grades.submit(pool, batch.key, samples)
                grades.store_done()
    except KeyboardInterrupt:
        ledger.close()
        grades.forget_late(PATIENCE)
        raise
    finally:
        grades.store_all()  # what was paid for is judged and stored even when the run stops here
    grades.check()


@dataclass(slots=True)
class _Grades:
    """Batches that are being graded, in the order they were submitted, and what went wrong with some."""

    grading: Grading
    judged: Callable[[list[Verdict]], None]
    waiting: deque[tuple[Pool, str, list[Sample], Future[list[Verdict]]]] = field(default_factory=deque)
    failures: list[IsocostError] = field(default_factory=list)

    def submit(self, pool: Pool, batch: str, samples: list[Sample]) -> None:
        self.waiting.append((pool, batch, samples, self.grading.submit(pool.pairs(samples))))

    def store_done(self) -> None:
        while self.waiting and self.waiting[0][3].done():
            self._store_first()

    def store_all(self) -> None:
        while self.waiting:
            self._store_first()

    def forget_late(self, patience: float) -> None:
        """Keep what is graded within so many seconds; the next start submits the rest again."""
        in_time, _ = wait([future for *_, future in self.waiting], timeout=patience)
        self.waiting = deque(each for each in self.waiting if each[3] in in_time)

    def check(self) -> None:
        """Raise what the first batch failed with."""
        if self.failures:
            raise self.failures[0]

    def _store_first(self) -> None:
        pool, batch, samples, future = self.waiting.popleft()
        try:
            verdicts = future.result()
        except IsocostError as error:  # a judge is paid, and its model can fail: the next start submits the batch again
            self.failures.append(error)
            return
        pool.store_verdicts(batch, samples, verdicts)
        self.judged(verdicts)

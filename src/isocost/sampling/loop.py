"""Buying what pools lack, and grading it, both at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Protocol

from isocost.dispatch.asking import PATIENCE
from isocost.dispatch.calls import Call
from isocost.dispatch.drawn import DrawKey, Ungraded
from isocost.dispatch.loop import ask
from isocost.errors import EngineError, IsocostError
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, StoredDraw
from isocost.grading import Grading
from isocost.ledger import Answered, Ledger
from isocost.records import Verdict
from isocost.sampling.pools import Batch, Pool

BACKLOG = 50_000_000  # characters of solutions that wait for the grader; while there are more, no engine is asked
REPEATS = 20  # times in a row that an endpoint may return less than it was asked for


class Watcher(Protocol):
    """Who is told of what was bought and judged."""

    def bought(self, model: str, draws: Sequence[tuple[DrawKey, StoredDraw]], seconds: float) -> None:
        """These draws are stored; the engine took so many seconds."""

    def judged(self, verdicts: Sequence[Verdict]) -> None:
        """These verdicts are stored."""

    def tick(self) -> None:
        """Time goes by."""

    def short(self, model: str, asked: int, came: int) -> None:
        """An endpoint returned fewer solutions than it was asked for; the rest is asked for again."""

    def trouble(self, what: str) -> None:
        """An endpoint cannot be reached, or does not answer."""


def buy(
    pools: Sequence[Pool],
    wanted: Mapping[tuple[str, str], int],
    executor: Executor,
    grading: Grading,
    ledger: Ledger,
    watcher: Watcher,
) -> None:
    """Buy every batch that is missing, and grade what is not graded, both at once.

    Args:
        pools: Whose rounds to complete.
        wanted: (model, problem id) -> how many draws to complete them to.
        executor: Where engines run.
        grading: Where graders run.
        ledger: Where each batch is reserved before it is sent.
        watcher: Told of what was stored.

    Raises:
        LimitReachedError: the next batch, or judging the last one, does not fit under the limit; what was bought before is stored.
        EngineError: an engine could not answer.
    """
    grades = _Grades(grading, watcher)
    for pool in pools:
        for key, solutions in pool.ungraded():
            grades.submit(pool, key, solutions)
            grades.store_done()
    short = list(pools)
    for _ in range(REPEATS):
        _buy_once(short, wanted, executor, grades, ledger, watcher)
        grades.check()
        short = [pool for pool in pools if pool.is_short(wanted)]
        if not short:
            return
    raise EngineError(
        f"model {short[0].card.name}: the endpoint keeps returning fewer solutions than it is asked for",
        advice=f"what came is saved; ask for fewer at once: models.{short[0].card.name}.n: 1",
    )


def _buy_once(
    pools: Sequence[Pool],
    wanted: Mapping[tuple[str, str], int],
    executor: Executor,
    grades: _Grades,
    ledger: Ledger,
    watcher: Watcher,
) -> None:
    def after() -> None:
        grades.store_done()
        watcher.tick()

    sources = [_Owed(pool, wanted, grades, watcher) for pool in pools]
    try:
        ask(sources, executor, ledger, check=grades.check, room=grades.keep_up, tell=watcher.trouble, after=after)
    except KeyboardInterrupt:
        ledger.close()
        grades.forget_late(PATIENCE)
        raise
    finally:
        grades.store_all()  # what was paid for is judged and stored even when the run stops here


@dataclass(slots=True)
class _Owed:
    """The batches that a pool lacks. Workers store the draws; here they are counted, and submitted to the grader."""

    pool: Pool
    wanted: Mapping[tuple[str, str], int]
    grades: _Grades
    watcher: Watcher
    _batches: dict[str, Batch] = field(default_factory=dict)

    def calls(self) -> Iterator[Call]:
        for call, batch in self.pool.calls(self.wanted):
            self._batches[call.key] = batch
            yield call

    def store(self, call: Call, answers: Answers | None) -> Answered:
        batch, name = self._batches.pop(call.key), self.pool.card.name
        cost, draws = self.pool.give_up(batch) if answers is None else self.pool.take(batch, answers)
        if len(draws) < batch.size:
            self.watcher.short(name, batch.size, len(draws))
        self.watcher.bought(name, draws, answers.seconds if answers else 0.0)
        self.grades.submit(self.pool, batch.key, [Ungraded(*key, draw.id, draw.generation) for key, draw in draws])
        return cost


@dataclass(slots=True)
class _Waiting:
    """A batch that is being graded."""

    pool: Pool
    batch: str
    solutions: Sequence[Ungraded]
    size: int
    verdicts: Future[list[Verdict]]


@dataclass(slots=True)
class _Grades:
    """Batches that are being graded, in the order they were submitted, and what went wrong with some."""

    grading: Grading
    watcher: Watcher
    waiting: deque[_Waiting] = field(default_factory=deque)
    backlog: int = 0
    failures: list[IsocostError] = field(default_factory=list)

    def submit(self, pool: Pool, batch: str, solutions: Sequence[Ungraded]) -> None:
        if solutions:
            size = sum(len(each.generation) for each in solutions)
            self.waiting.append(_Waiting(pool, batch, solutions, size, self.grading.submit(pool.pairs(solutions))))
            self.backlog += size

    def keep_up(self) -> bool:
        """Whether the grader is not far behind."""
        self.store_done()
        return self.backlog < BACKLOG

    def store_done(self) -> None:
        done: list[_Waiting] = []
        while self.waiting and self.waiting[0].verdicts.done():
            done.append(self._next())
        self._store(done)

    def store_all(self) -> None:
        while self.waiting:
            wait([self.waiting[0].verdicts])
            self.store_done()

    def forget_late(self, patience: float) -> None:
        """Keep what is graded within so many seconds; the next start submits the rest again."""
        in_time, _ = wait([each.verdicts for each in self.waiting], timeout=patience)
        self.waiting = deque(each for each in self.waiting if each.verdicts in in_time)

    def check(self) -> None:
        """Raise what the first batch failed with."""
        if self.failures:
            raise self.failures[0]

    def _next(self) -> _Waiting:
        each = self.waiting.popleft()
        self.backlog -= each.size
        return each

    def _store(self, done: Sequence[_Waiting]) -> None:
        by_pool: dict[int, list[tuple[_Waiting, list[Verdict]]]] = {}
        for each in done:
            try:
                verdicts = each.verdicts.result()
            except IsocostError as error:  # a judge is paid, and its model can fail: the next start submits the batch again
                self.failures.append(error)
            else:
                by_pool.setdefault(id(each.pool), []).append((each, verdicts))
        for judged in by_pool.values():
            judged[0][0].pool.judged([(each.batch, each.solutions, verdicts) for each, verdicts in judged])
            for _, verdicts in judged:
                self.watcher.judged(verdicts)

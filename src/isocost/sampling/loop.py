"""Buy the draws that pools lack and grade them, both at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from isocost.dispatch.batches.dispatcher import BatchDispatcher
from isocost.dispatch.calls import Abandoned, Call
from isocost.dispatch.draws import DrawKey
from isocost.dispatch.inflight import PATIENCE
from isocost.dispatch.loop import run_sources
from isocost.errors import EngineError, IsocostError
from isocost.executors.base import Executor
from isocost.executors.jobs import Answers, Job, StoredDraw
from isocost.grading import Grading
from isocost.ledger import Answered, Ledger
from isocost.records import Verdict
from isocost.sampling.orders import Batch
from isocost.sampling.pools import Pool
from isocost.sampling.progress import Progress

BACKLOG = 50_000_000  # characters of solutions that wait for the grader, a bound on memory; above it nothing is sent
REPEATS = 20  # passes over pools that an endpoint leaves short, before the run stops


def buy(
    pools: Sequence[Pool],
    wanted: Mapping[tuple[str, str], int],
    executor: Executor,
    grading: Grading,
    ledger: Ledger,
    listener: Progress,
    batches: BatchDispatcher | None = None,
) -> None:
    """Buy every missing batch and grade every ungraded draw, both at the same time.

    Args:
        pools: Pools whose rounds are completed.
        wanted: Number of draws to complete them to, by (model, problem id).
        executor: Executor that runs the engines.
        grading: Grades the solutions.
        ledger: Ledger that reserves each batch before it is sent.
        listener: Receives progress.
        batches: Sends the calls of pools that are batched.

    Raises:
        LimitReachedError: the next batch, or judging the last one, does not fit under the limit. Earlier draws are stored.
        EngineError: an engine could not answer, or an endpoint keeps returning fewer solutions than requested.
    """
    grades = _GradingQueue(grading, listener)
    grades.submit_ungraded(pools)
    short = list(pools)
    # Repeated, because an endpoint may return fewer solutions than requested; the first pass usually suffices.
    for _ in range(REPEATS):
        sources = [_PoolSource(pool, wanted, grades, listener) for pool in short]
        try:
            run_sources(
                [source for source in sources if not source.pool.is_batched],
                executor,
                ledger,
                check=grades.check,
                room=grades.has_room,
                notify=listener.trouble,
                after=grades.step,
                batches=batches,
                batched=[source for source in sources if source.pool.is_batched],
            )
        except KeyboardInterrupt:
            ledger.close()  # a judge that grades these draws must not reserve more calls
            grades.drop_late(PATIENCE)
            raise
        finally:
            grades.store_all()  # what was paid for is judged and stored even when the run stops here
        grades.check()
        short = [pool for pool in pools if pool.is_short(wanted)]
        if not short:
            return
    raise EngineError(
        f"model {short[0].card.name}: the endpoint keeps returning fewer solutions than requested",
        advice=f"these are saved; request fewer at once: models.{short[0].card.name}.n: 1",
    )


@dataclass(slots=True)
class _PoolSource:
    """The missing batches of a pool, as a source of calls. Workers store the draws; this class submits them to the grader."""

    pool: Pool
    wanted: Mapping[tuple[str, str], int]
    grades: _GradingQueue
    listener: Progress
    _batches: dict[str, Batch] = field(default_factory=dict)

    def calls(self) -> Iterator[Call]:
        for call, batch in self.pool.calls(self.wanted):
            self._batches[call.key] = batch
            yield call

    @property
    def model(self) -> str:
        return self.pool.card.name

    @property
    def job(self) -> Job:
        return self.pool.job

    def restored(self, keys: Sequence[str]) -> list[Call]:
        wanted = set(keys)
        found = [(call, batch) for call, batch in (self.pool.calls(None) if wanted else ()) if call.key in wanted]
        self._batches.update((call.key, batch) for call, batch in found)
        return [call for call, _ in found]

    def store(self, call: Call, answers: Answers | Abandoned) -> Answered:
        batch, name = self._batches.pop(call.key), self.pool.card.name
        if isinstance(answers, Abandoned):
            (cost, draws), seconds = self.pool.give_up(batch, answers.reason), 0.0
        else:
            (cost, draws), seconds = self.pool.add_answers(batch, answers), answers.seconds
        if len(draws) < batch.size:
            self.listener.short(name, batch.size, len(draws))
        if renamed := self.pool.renamed(draws):
            self.listener.trouble(f"model {name}: {renamed}")
        self.listener.bought(name, draws, seconds)
        self.grades.submit(self.pool, batch.key, draws)
        return cost


@dataclass(slots=True)
class _Waiting:
    """A batch that is being graded."""

    pool: Pool
    batch: str
    draws: Sequence[tuple[DrawKey, StoredDraw]]
    size: int
    verdicts: Future[list[Verdict]]


@dataclass(slots=True)
class _GradingQueue:
    """Batches that are being graded, in the order of submission, and the errors of those that failed.

    Verdicts are stored in that order, whichever batch is graded first, so that the log does not depend on timing.
    """

    grading: Grading
    listener: Progress
    waiting: deque[_Waiting] = field(default_factory=deque)
    backlog: int = 0
    failures: list[IsocostError] = field(default_factory=list)

    def submit(self, pool: Pool, batch: str, draws: Sequence[tuple[DrawKey, StoredDraw]]) -> None:
        if draws:
            size = sum(len(draw.generation) for _, draw in draws)
            self.waiting.append(_Waiting(pool, batch, draws, size, self.grading.submit(pool.pairs(draws))))
            self.backlog += size

    def submit_ungraded(self, pools: Sequence[Pool]) -> None:
        """Submit the stored draws that have no verdict yet."""
        for pool in pools:
            for batch, draws in pool.ungraded():
                self.submit(pool, batch, draws)
                self.store_done()  # at once, so that verdicts of a large pool do not pile up in memory

    def has_room(self) -> bool:
        """Return True if the grader's backlog is below `BACKLOG`."""
        self.store_done()
        return self.backlog < BACKLOG

    def step(self) -> None:
        """Store what is graded, and show the progress."""
        self.store_done()
        self.listener.tick()

    def store_done(self) -> None:
        done: list[_Waiting] = []
        while self.waiting and self.waiting[0].verdicts.done():
            done.append(self._next())
        self._store(done)

    def store_all(self) -> None:
        while self.waiting:
            wait([self.waiting[0].verdicts])  # only the first, because verdicts are stored in order
            self.store_done()

    def drop_late(self, patience: float) -> None:
        """Keep the batches that are graded within `patience` seconds; the next start submits the rest again."""
        in_time, _ = wait([each.verdicts for each in self.waiting], timeout=patience)
        self.waiting = deque(each for each in self.waiting if each.verdicts in in_time)

    def check(self) -> None:
        """Raise the error of the first batch that failed, if one did."""
        if self.failures:
            raise self.failures[0]

    def _next(self) -> _Waiting:
        each = self.waiting.popleft()
        self.backlog -= each.size
        return each

    def _store(self, done: Sequence[_Waiting]) -> None:
        by_pool: dict[int, list[tuple[_Waiting, list[Verdict]]]] = {}  # one append for each pool, and so one fsync
        for each in done:
            try:
                verdicts = each.verdicts.result()
            except IsocostError as error:  # a judge is a model, which may fail or reach the limit; the next start submits the batch again
                self.failures.append(error)
            else:
                by_pool.setdefault(id(each.pool), []).append((each, verdicts))
        for judged in by_pool.values():
            judged[0][0].pool.judged([(each.batch, each.draws, verdicts) for each, verdicts in judged])
            for _, verdicts in judged:
                self.listener.judged(verdicts)

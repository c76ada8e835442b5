"""`isocost verify`: solutions of a stream of lines are graded while it is read, and every line goes out again with its verdict."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from isocost.grading import GradingPool
from isocost.problems import load_problems
from isocost.records import Outcome, Verdict
from isocost.running.lines import BAD_LINE, Line, read_line

READ = 1 << 20  # bytes asked for at a time; a pipe gives what it has
BATCH = 512  # lines graded together at most
AHEAD_BATCHES, AHEAD_BYTES = 4, 64 << 20  # read ahead of what is written: batches a worker, and bytes (or one longer line)
MOST_NAMED = 10  # bad lines that are named


@dataclass(slots=True)
class Summary:
    """What was found.

    Attributes:
        outcomes: Lines by outcome; a bad line is ungraded.
        reasons: Ungraded lines by reason.
        bad: Lines that could not be used.
        seconds: Wall-clock time.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    bad: int = 0
    seconds: float = 0.0

    def count(self, verdict: Verdict) -> None:
        """Add a verdict."""
        self.outcomes[verdict.outcome] += 1
        if verdict.outcome is Outcome.UNGRADED:
            self.reasons[":".join(verdict.reason.split(":")[:2])] += 1  # `error: ValueError`, without its message

    def __str__(self) -> str:
        total = self.outcomes.total()
        counts = "  ".join(f"{outcome} {self.outcomes[outcome]:,}" for outcome in Outcome)
        reasons = ", ".join(f"{reason} {many:,}" for reason, many in self.reasons.most_common(8))
        speed = total / self.seconds if self.seconds > 0 else 0.0
        return f"{total:,} lines  {counts}{f' ({reasons})' if reasons else ''}  {speed:,.0f} lines/s"


def references(source: str, options: Mapping[str, object]) -> dict[str, str]:
    """Reference answers by problem id: of a problem source, or of a file of problems in JSONL.

    Raises:
        ProblemsError: there is no such source or file, or an option is wrong.
    """
    if ":" not in source and (source.endswith(".jsonl") or Path(source).is_file()):
        source, options = "jsonl", {"path": source, **options}
    return {problem.id: problem.answer for problem in load_problems(source, options, base=Path.cwd())}


def verify(
    file: int,
    pool: GradingPool,
    *,
    workers: int,
    answers: Mapping[str, str] | None,
    write: Callable[[bytes], None],
    complain: Callable[[int, str], None],
) -> Summary:
    """Grade the lines of a stream in its order; memory does not grow with its length.

    Args:
        file: The descriptor to read from.
        pool: Where they are graded.
        workers: How many workers it has: the more, the further is read ahead.
        answers: Reference answers by `problem_id`; None where lines hold their own.
        write: Called with one or more whole lines, as soon as nothing before them is missing.
        complain: Called with the number of a line that cannot be used, and why; not for all if there are many.

    Raises:
        RunError: no worker can be started.
    """
    summary, started = Summary(), time.monotonic()
    ahead = _Ahead(AHEAD_BATCHES * workers)
    # A thread reads, so that verdicts go out while the other end of the pipe has nothing to say.
    threading.Thread(target=_read, args=(file, pool, answers, ahead), name="isocost-reading", daemon=True).start()
    for batch in ahead.batches():
        verdicts = iter(batch.future.result())
        out: list[bytes] = []
        for line in batch.lines:
            verdict = next(verdicts) if line.pair else BAD_LINE
            if line.complaint:
                summary.bad += 1
                if summary.bad <= MOST_NAMED:
                    complain(line.number, line.complaint)
            if not line.blank:
                summary.count(verdict)
            out.append(line.with_verdict(verdict))
        write(b"".join(out))
    summary.seconds = time.monotonic() - started
    return summary


@dataclass(frozen=True, slots=True)
class _Batch:
    lines: list[Line]
    future: Future[list[Verdict]]
    size: int


class _Ahead:
    """Batches between reading and writing: as many as keep the workers busy, unless they are large."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._waiting: deque[_Batch | BaseException | None] = deque()
        self._changed = threading.Condition()

    def put(self, batch: _Batch | BaseException | None) -> None:
        """Add a batch once there is room; None is the end, an exception is raised where batches are taken."""
        with self._changed:
            size = batch.size if isinstance(batch, _Batch) else 0
            self._changed.wait_for(lambda: not self._waiting or (len(self._waiting) < self._most and self._size + size <= AHEAD_BYTES))
            self._waiting.append(batch)
            self._size += size
            self._changed.notify_all()

    def batches(self) -> Iterator[_Batch]:
        """The batches in order."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch = self._waiting[0]
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield batch
            with self._changed:
                self._waiting.popleft()  # only now: it took memory until it was written
                self._size -= batch.size
                self._changed.notify_all()


def _read(file: int, pool: GradingPool, answers: Mapping[str, str] | None, ahead: _Ahead) -> None:
    number = 0
    try:
        for raws in _raw_lines(file):
            lines = [read_line(raw, number + offset, answers) for offset, raw in enumerate(raws, start=1)]
            number += len(lines)
            future = pool.submit([line.pair for line in lines if line.pair])
            ahead.put(_Batch(lines, future, sum(map(len, raws))))
        ahead.put(None)
    except BaseException as error:  # noqa: BLE001 - raised where the batches are taken
        ahead.put(error)


def _raw_lines(file: int) -> Iterator[list[bytes]]:
    """Lines without their ends, as many at a time as there are, up to `BATCH`; the last one may lack its end."""
    torn: list[bytes] = []
    # Read without a buffer of Python's, which a thread that is still waiting at the end of the program would hold.
    while data := os.read(file, READ):
        *whole, rest = data.split(b"\n")
        if whole:
            whole[0] = b"".join([*torn, whole[0]])
            torn.clear()
        torn.append(rest)
        for start in range(0, len(whole), BATCH):
            yield whole[start : start + BATCH]
    if last := b"".join(torn):
        yield [last]

"""`isocost verify`: grade the solutions of a stream of lines while it is read, and write every line with its verdict."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from isocost.graders.base import ungraded
from isocost.grading import GradingPool
from isocost.paths import is_special_file
from isocost.problems import load_problems
from isocost.records import Verdict
from isocost.verifying.lines import BAD_LINE, Line, is_readable, read_line
from isocost.verifying.rawlines import raw_lines
from isocost.verifying.summary import BAD_REFERENCE, Summary

AT_ONCE = 64  # lines graded together if the grader answers at once; else each alone, so that none waits for a later one
AHEAD_LINES, AHEAD_BYTES = 2048, 64 << 20  # read ahead of the output: lines per worker, and bytes (or one longer line)
MOST_NAMED = 10  # bad lines that are reported one by one; a file of another kind would fill the terminal
_OWN = {"gold", "prediction"}
_FIRST_LINE = 1 << 20  # bytes that are read of it
_LAST_READ = 1.0  # seconds that are waited for the reading thread: it may be waiting for a pipe that sends nothing
PAUSE = 0.5  # seconds that a graded line may wait to be written together with others
WRITE = 1 << 20  # bytes written together at most


def references(source: str, options: Mapping[str, object]) -> dict[str, str]:
    """Return reference answers by problem id, of a problem source or of a file of problems in JSONL.

    Args:
        source: The source's name, or the path of the file.
        options: The source's options.

    Raises:
        ProblemsError: there is no such source or file, or an option is wrong.
    """
    # A missing file that ends in .jsonl is still a file: the error must be about the path, not about an unknown source.
    if Path(source).is_file() or (":" not in source and source.endswith(".jsonl")):
        source, options = "jsonl", {"path": source, **options}
    return {problem.id: problem.answer for problem in load_problems(source, options, base=Path.cwd())}


def lines_of(file: str, *, has_references: bool) -> str:
    """Return the path to read lines from: the file itself, or a temporary one with its samples where another tool wrote it.

    The files of a pattern or a folder become one. A file at a URL is copied.

    Args:
        file: The file, a pattern, a folder, a URL, or `-`.
        has_references: True if the references come from a problem source.

    Raises:
        TableError: A record of the file gives no sample, or a URL cannot be read.
        MissingExtraError: A URL needs a package that is not installed.
    """
    if file == "-" or _are_own_lines(Path(file)):
        return file
    from isocost.tables.foreign import local_copy  # takes longer to import than small files take to grade
    from isocost.tables.remote import names_urls

    with names_urls():
        return _local_lines_of(local_copy(file), has_references=has_references)


def _are_own_lines(path: Path) -> bool:
    """Return True if a file begins with a line of nothing but a reference answer and a solution, as no other tool writes."""
    if is_special_file(path) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(_FIRST_LINE))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and first.keys() == _OWN


def _local_lines_of(file: str, *, has_references: bool) -> str:
    from isocost.tables.foreign import ungraded_lines
    from isocost.tables.formats import PLAIN
    from isocost.tables.inputs import expand, kind_of
    from isocost.tables.reading import is_json_lines

    path = Path(file)
    if not is_special_file(path):
        files, _ = expand([path])
        if len(files) > 1:
            return ungraded_lines(files)
        path, file = files[0], str(files[0])
    # A pipe is read once only.
    kind = kind_of(path) if path.is_file() else None
    if kind is None:
        return file
    if is_json_lines(path) and (kind == PLAIN or _has_lines(path, has_references=has_references)):
        return file
    return ungraded_lines([path])


def _has_lines(path: Path, *, has_references: bool) -> bool:
    from isocost.tables.reading import Record, records_of

    first = next(records_of(path), None)
    return isinstance(first, Record) and is_readable(first.fields, has_references=has_references)


def verify(
    file: int,
    pool: GradingPool,
    *,
    workers: int,
    answers: Mapping[str, str] | None,
    write: Callable[[bytes], None],
    complain: Callable[[int, str], None],
    name: str,
    tick: Callable[[], None] = lambda: None,
) -> Summary:
    """Grade the lines of a stream in its order; memory does not grow with its length.

    Args:
        file: The descriptor to read from.
        pool: The pool that grades.
        workers: The pool's number of workers, which decides how far the stream is read ahead.
        answers: Reference answers by `problem_id`; None where lines contain their own.
        write: Called with one or more whole lines, soon after every line before them is graded.
        complain: Called with the number of an unusable line and the reason; only for the first ones if there are many.
        name: The stream's name in errors.
        tick: Called from time to time.

    Returns:
        The counts of the whole stream.

    Raises:
        InputError: the stream cannot be read, or contains something other than lines of JSON.
        RunError: no worker can be started.
    """
    summary, started = Summary(pool.grader.name), time.monotonic()
    ahead, writer = _ReadAhead(AHEAD_LINES * workers), _Writer(write, tick)
    # A thread reads, so that verdicts are written while the pipe's other end sends nothing.
    reader = threading.Thread(target=_read, args=(file, name, pool, answers, ahead), name="isocost-reading", daemon=True)
    reader.start()
    try:
        for batch in ahead.batches(idle=writer.flush):
            verdicts = iter(writer.wait(batch.future))
            for line in batch.lines:
                verdict = next(verdicts) if line.pair else BAD_LINE
                if line.flaw:
                    verdict = ungraded(f"{BAD_REFERENCE}: {line.flaw}")
                    summary.leave_out(line)
                if line.complaint:
                    why = line.complaint
                    verdict = ungraded(f"{BAD_LINE.reason}: {why}")
                    summary.bad += 1
                    if summary.bad <= MOST_NAMED:
                        complain(line.number, why)
                    else:
                        summary.unnamed += 1
                if not line.blank:
                    summary.count(line, verdict)
                writer.add(line.with_verdict(verdict))
    finally:
        ahead.close()
        writer.flush()  # graded lines must not be lost with an error or Ctrl-C
        reader.join(_LAST_READ)  # before its file is closed
    summary.seconds = time.monotonic() - started
    return summary


class _Writer:
    """A buffer of output lines that is written before a line has waited for long."""

    def __init__(self, write: Callable[[bytes], None], tick: Callable[[], None]) -> None:
        self._write, self._tick = write, tick
        self._lines: list[bytes] = []
        self._size, self._written = 0, time.monotonic()

    def wait(self, future: Future[list[Verdict]]) -> list[Verdict]:
        """Return the result of a future, and write buffered lines meanwhile."""
        while not future.done():
            try:
                return future.result(max(0.0, self._written + PAUSE - time.monotonic()))
            except TimeoutError:
                self.flush()
        return future.result()

    def add(self, line: bytes) -> None:
        """Add a line."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= WRITE:
            self.flush()

    def flush(self) -> None:
        """Write the buffered lines."""
        lines, self._lines, self._size = self._lines, [], 0  # before the write: if it fails, the lines must not be written twice
        if lines:
            self._write(b"".join(lines))
        self._written = time.monotonic()
        self._tick()


@dataclass(frozen=True, slots=True)
class _Batch:
    lines: list[Line]
    future: Future[list[Verdict]]
    size: int


class _ClosedError(Exception):
    """Batches are no longer taken: an error or Ctrl-C has ended the loop that grades."""


class _ReadAhead:
    """A bounded queue of batches between reading and writing: as many lines as keep the workers busy, unless the lines are large."""

    def __init__(self, most: int) -> None:
        self._most, self._lines, self._size = most, 0, 0
        self._waiting: deque[_Batch | BaseException | None] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, batch: _Batch | BaseException | None) -> None:
        """Add a batch once there is room. None marks the end; an exception is raised where batches are taken.

        Raises:
            _ClosedError: No batch is taken any more.
        """
        with self._changed:
            lines, size = (len(batch.lines), batch.size) if isinstance(batch, _Batch) else (0, 0)

            def has_room() -> bool:
                fits = self._lines + lines <= self._most and self._size + size <= AHEAD_BYTES
                return fits or not self._waiting  # an empty queue takes a batch of any size, or it would never pass

            self._changed.wait_for(lambda: self._closed or has_room())
            if self._closed:
                raise _ClosedError
            self._waiting.append(batch)
            self._lines += lines
            self._size += size
            self._changed.notify_all()

    def close(self) -> None:
        """Take no further batch: the thread that reads ends with the next one, and the waiting ones are dropped."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def batches(self, idle: Callable[[], None]) -> Iterator[_Batch]:
        """Yield the batches in order. Call `idle` before each wait."""
        while True:
            if not self._waiting:
                idle()
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch = self._waiting[0]
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield batch
            with self._changed:
                self._waiting.popleft()  # only now, because it took memory until it was graded
                self._lines -= len(batch.lines)
                self._size -= batch.size
                self._changed.notify_all()


def _read(file: int, name: str, pool: GradingPool, answers: Mapping[str, str] | None, ahead: _ReadAhead) -> None:
    number = settled = 0
    try:
        for raws in raw_lines(file, name):
            start = 0
            while start < len(raws):
                some = raws[start : start + (AT_ONCE if settled >= AT_ONCE else 1)]
                start += len(some)
                lines = [read_line(raw, number + offset, answers) for offset, raw in enumerate(some, start=1)]
                number += len(lines)
                future = pool.submit([line.pair for line in lines if line.pair])
                settled = settled + len(lines) if future.done() else 0
                ahead.put(_Batch(lines, future, sum(map(len, some))))
        ahead.put(None)
    except _ClosedError:
        return
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that takes the batches
        with suppress(_ClosedError):
            ahead.put(error)

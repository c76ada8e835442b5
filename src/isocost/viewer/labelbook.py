"""The labels of a run directory: read by all, written by one labeller a process, each word on the disk before anything goes on."""

from __future__ import annotations

import datetime as dt
import fcntl
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from isocost.auditing.labels import read_labels, standing, words
from isocost.records import Label, LabelVerdict
from isocost.store import Log
from isocost.store.files import storage_errors


class LabelBook:
    """`audits/labels.jsonl` as one labeller writes it.

    Args:
        path: The run directory.
        labeller: Who writes.
        now: What time it is, in UTC.
    """

    def __init__(self, path: Path, labeller: str, *, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self.labeller = labeller
        self._log = Log(path / "audits" / "labels.jsonl")
        self._now = now
        self._one = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._labels: tuple[Label, ...] = ()

    def labels(self) -> tuple[Label, ...]:
        """What everybody said, in the order of the log.

        Raises:
            StorageError: A line is no label.
        """
        with self._one:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._labels, self._stamp = tuple(read_labels(self._log.peek(), self._log.path)), stamp
            return self._labels

    def own(self) -> dict[str, Label]:
        """The labeller's own last word on each solution, by sample id."""
        return {sample_id: label for (labeller, sample_id), label in standing(self.labels()).items() if labeller == self.labeller}

    def words(self) -> list[Label]:
        """What the labeller said and did not take back, skips too."""
        return words(self.labels(), self.labeller)

    def say(self, sample_id: str, verdict: LabelVerdict, *, reason: str | None = None, note: str | None = None) -> None:
        """Append a word; it is on the disk when this returns. The same word on the same solution again is none.

        Raises:
            StorageError: It cannot be written.
        """
        with self._one:
            former = self.own().get(sample_id)
            if former and (verdict == "skip" or (former.verdict, former.reason, former.note) == (verdict, reason, note)):
                return
            self._append(sample_id, verdict, reason, note)

    def undo(self) -> str | None:
        """Take the labeller's last word back: the solution it was on, or None where nothing is left.

        Raises:
            StorageError: It cannot be written.
        """
        with self._one:
            said = self.words()
            if not said:
                return None
            self._append(said[-1].sample_id, "undo", None, None)
            return said[-1].sample_id

    def _append(self, sample_id: str, verdict: LabelVerdict, reason: str | None, note: str | None) -> None:
        at = self._now().isoformat(timespec="milliseconds")
        label = Label(at=at, labeller=self.labeller, sample_id=sample_id, verdict=verdict, reason=reason, note=note)
        beside = self._log.path.with_suffix(".lock")
        with storage_errors(beside):
            beside.parent.mkdir(parents=True, exist_ok=True)
            lock = beside.open("a")
        # A log repairs its torn end before it appends; another labeller must not be in the middle of a line then.
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._log.append(asdict(label))

    def _stamped(self) -> tuple[int, int] | None:
        if not self._log.path.exists():
            return None
        found = self._log.path.stat()
        return found.st_mtime_ns, found.st_size

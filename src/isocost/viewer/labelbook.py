"""The labels of a run directory: read by all, written by one labeller a process, each word on the disk before anything goes on."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from isocost.auditing.labelfile import end_last_line, read_labels
from isocost.auditing.labels import current_labels, kept_labels
from isocost.errors import InputError
from isocost.records import Label, LabelVerdict
from isocost.store import Log
from isocost.store.files import make_folder, storage_errors
from isocost.store.locking import FolderLock


class StaleError(InputError):
    """What a page believed to stand has changed since it was opened.

    Attributes:
        stands: What stands now, or None.
    """

    def __init__(self, stands: Label | None) -> None:
        super().__init__("this has changed since the page was opened")
        self.stands = stands


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
                self._labels, self._stamp = tuple(read_labels(self._log.path)), stamp
            return self._labels

    def own(self) -> dict[str, Label]:
        """The labeller's own last word on each solution, by sample id."""
        return {sample_id: label for (labeller, sample_id), label in current_labels(self.labels()).items() if labeller == self.labeller}

    def words(self) -> list[Label]:
        """What the labeller said and did not take back, skips too."""
        return kept_labels(self.labels(), self.labeller)

    def undone(self) -> Label | None:
        """The word that the labeller took back, where that was the last thing they did."""
        lines = [label for label in self.labels() if label.labeller == self.labeller]
        if not lines or lines[-1].verdict != "undo":
            return None
        before = kept_labels(lines[:-1], self.labeller)
        return next((word for word in reversed(before) if word.sample_id == lines[-1].sample_id), None)

    def say(
        self, sample_id: str, verdict: LabelVerdict, *, reason: str | None = None, note: str | None = None, stood: str | None = None
    ) -> None:
        """Append a word; it is on the disk when this returns. The same word on the same solution again is none.

        Args:
            sample_id: The solution.
            verdict: What is said of it.
            reason: Why it is unsound.
            note: Anything else.
            stood: The `mark` of what the page showed as the labeller's word on it; None looks at none.

        Raises:
            StaleError: Another word stands than the page showed.
            StorageError: It cannot be written.
        """
        with self._writing():
            former = self.own().get(sample_id)
            if former and (verdict == "skip" or (former.verdict, former.reason, former.note) == (verdict, reason, note)):
                return
            if stood is not None and verdict != "skip" and stood != mark(former):
                raise StaleError(former)
            self._append(sample_id, verdict, reason, note)

    def undo(self, *, last: str | None = None) -> str | None:
        """Take the labeller's last word back: the solution it was on, or None where nothing is left.

        Args:
            last: The `mark` of what the page showed as the last word; None looks at none.

        Raises:
            StaleError: Another word is the last one.
            StorageError: It cannot be written.
        """
        with self._writing():
            said = self.words()
            if last is not None and last != mark(said[-1] if said else None):
                raise StaleError(said[-1] if said else None)
            if not said:
                return None
            self._append(said[-1].sample_id, "undo", None, None)
            return said[-1].sample_id

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Nobody else writes meanwhile: what is looked at before a line is appended still stands when it is."""
        beside = self._log.path.with_suffix(".lock")
        with self._one:
            # A log repairs its torn end before it appends; another labeller must not be in the middle of a line then.
            with storage_errors(beside):
                make_folder(beside.parent)
                lock = FolderLock(beside.parent, beside.name, wait=True)
            try:
                yield
            finally:
                lock.release()

    def _append(self, sample_id: str, verdict: LabelVerdict, reason: str | None, note: str | None) -> None:
        at = self._now().isoformat(timespec="milliseconds")
        label = Label(at=at, labeller=self.labeller, sample_id=sample_id, verdict=verdict, reason=reason, note=note)
        with storage_errors(self._log.path):
            end_last_line(self._log.path)
        self._log.append(asdict(label))

    def _stamped(self) -> tuple[int, int] | None:
        if not self._log.path.exists():
            return None
        found = self._log.path.stat()
        return found.st_mtime_ns, found.st_size


def mark(label: Label | None) -> str:
    """What tells a word from any other, for a form to carry; "" for none."""
    return "" if label is None else "/".join((label.sample_id, label.at, label.verdict, label.reason or ""))

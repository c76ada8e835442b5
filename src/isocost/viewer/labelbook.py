"""The labels of a run directory: those of all labellers to read, and one labeller per process who writes.

Each label is on the disk before the next page is shown.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from isocost.auditing.labelfile import end_last_line, keep_count, next_number, read_labels
from isocost.auditing.labels import current_labels, kept_labels
from isocost.errors import InputError, StorageError
from isocost.ids import text_hash
from isocost.paths import stamp_of
from isocost.records import Label, LabelVerdict
from isocost.store import Log
from isocost.store.files import make_folder, storage_errors
from isocost.store.locking import FolderLock


class StaleError(InputError):
    """A label has changed since the page that shows it was opened.

    Attributes:
        stands: The current label, or None.
    """

    def __init__(self, stands: Label | None) -> None:
        super().__init__("this has changed since the page was opened")
        self.stands = stands


class LabelBook:
    """The log `audits/labels.jsonl`, open for one labeller to write.

    Args:
        path: The run directory.
        labeller: Name of the labeller.
        now: Returns the current time in UTC.
    """

    def __init__(self, path: Path, labeller: str, *, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self.labeller = labeller
        # A run directory that was moved is not made again: nobody would look for its labels there.
        self._path, self._log = path, Log(path / "audits" / "labels.jsonl", checked=True, root=path)
        self._now = now
        self._one = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._labels: tuple[Label, ...] = ()

    def labels(self) -> tuple[Label, ...]:
        """Return all labels of all labellers, in the order of the log.

        Raises:
            StorageError: A line is not a label.
        """
        with self._one:
            # Another process may have appended since: the file is read again whenever its size or time has changed.
            stamp = self._stamped()
            if stamp != self._stamp:
                self._labels, self._stamp = tuple(read_labels(self._log.path)), stamp
            return self._labels

    def own(self) -> dict[str, Label]:
        """Return the labeller's own current label of each solution, by sample id."""
        return {sample_id: label for (labeller, sample_id), label in current_labels(self.labels()).items() if labeller == self.labeller}

    def words(self) -> list[Label]:
        """Return the labels and skips that the labeller did not undo."""
        return kept_labels(self.labels(), self.labeller)

    def undone(self) -> Label | None:
        """Return the label that the labeller undid, if the undo was their last action."""
        lines = [label for label in self.labels() if label.labeller == self.labeller]
        if not lines or lines[-1].verdict != "undo":
            return None
        before = kept_labels(lines[:-1], self.labeller)
        return next((word for word in reversed(before) if word.sample_id == lines[-1].sample_id), None)

    def say(
        self,
        sample_id: str,
        verdict: LabelVerdict,
        *,
        reason: str | None = None,
        note: str | None = None,
        text: str | None = None,
        stood: str | None = None,
    ) -> None:
        """Append a label; it is on the disk when this returns. Repeating the current label of a solution writes nothing.

        Args:
            sample_id: Sample id of the solution.
            verdict: The verdict.
            reason: Reason of the verdict unsound.
            note: Free text.
            text: The solution that was read. The label does not count for another one, such as after the draw was bought again.
            stood: The `mark` of the label that the page showed; None skips this check.

        Raises:
            StaleError: The current label is not the one that the page showed.
            StorageError: The label cannot be written.
        """
        with self._writing():
            former = self.own().get(sample_id)
            read = None if text is None else text_hash(text)
            is_same_text = former is None or read is None or former.text_hash in (None, read)
            if former and (verdict == "skip" or ((former.verdict, former.reason, former.note) == (verdict, reason, note) and is_same_text)):
                return
            if stood is not None and verdict != "skip" and stood != mark(former):
                raise StaleError(former)
            self._append(sample_id, verdict, reason, note, None if verdict == "skip" else read)

    def undo(self, *, last: str | None = None) -> str | None:
        """Undo the labeller's last label and return its sample id, or None if nothing is left to undo.

        Args:
            last: The `mark` of the last label that the page showed; None skips this check.

        Raises:
            StaleError: The last label is not the one that the page showed.
            StorageError: The undo cannot be written.
        """
        with self._writing():
            words = self.words()
            if last is not None and last != mark(words[-1] if words else None):
                raise StaleError(words[-1] if words else None)
            if not words:
                return None
            self._append(words[-1].sample_id, "undo", None, None)
            return words[-1].sample_id

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep other threads and processes from writing, so that a check still holds when the line is appended."""
        beside = self._log.path.with_suffix(".lock")
        with self._one:
            # Before it appends, a log repairs a line that was cut off. Another labeller must not be writing a line at that time.
            with storage_errors(beside):
                make_folder(beside.parent, self._path)
                lock = FolderLock(beside.parent, beside.name, wait=True)
            try:
                yield
            finally:
                lock.release()

    def _append(self, sample_id: str, verdict: LabelVerdict, reason: str | None, note: str | None, read: int | None = None) -> None:
        at = self._now().isoformat(timespec="milliseconds")
        label = Label(at=at, labeller=self.labeller, sample_id=sample_id, verdict=verdict, reason=reason, note=note, text_hash=read)
        with storage_errors(self._log.path):
            end_last_line(self._log.path)
        before = len(self.labels())
        # Numbered, as the last label of a solution holds: lines that are doubled or put in another order would change it.
        self._log.append(asdict(label) | {"number": next_number(self._log.path)})
        with contextlib.suppress(StorageError):  # the label is saved, and the next one is counted with it
            keep_count(self._log.path, before + 1, self._path)

    def _stamped(self) -> tuple[int, int] | None:
        return stamp_of(self._log.path)


def mark(label: Label | None) -> str:
    """Return a text that identifies a label, for a hidden field of a form; "" for None."""
    return "" if label is None else "/".join((label.sample_id, label.at, label.verdict, label.reason or ""))

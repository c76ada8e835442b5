"""Rows that are committed in batches, by one process or several, and sealed to Parquet once a round is complete."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from isocost.store.digests import Digests
from isocost.store.fields import Kind, flaw_of_batch
from isocost.store.kinds import BATCHES
from isocost.store.logs import Log, Row, is_checked, with_own_end
from isocost.store.parts import Parts, to_frame

ROWS_A_PART = 20_000  # bounds the memory that sealing needs
_NAMED = re.compile(rb'\{"batch": "([^"\\\x80-\xff]*)"')  # reads a batch's name without parsing the line, which may hold megabytes


class BatchLog:
    """Batches of rows under one name.

    `NAME.jsonl` and, for each further process that writes, `NAME.WRITER.jsonl` hold one batch per line. `NAME.parts/0000.parquet` and so
    on hold sealed batches, one row per row. A batch is committed whole. A batch can be stored twice if a process was killed between
    committing and reporting it. Such a batch is read once.

    Args:
        stem: Folder and name.
        writer: Name of the writing process, if there are several: each appends to a file of its own. Its folder must exist and is not
            made again: a missing folder means that the run directory was moved or removed, and rows in a new one would be lost.
        kind: The fields that the rows must have, and the remedy for damaged ones.
        digests: Receives the digests of sealed parts, or None.
        guard: Called before each write. It stops the write by raising.
        root: The run directory, which is not made again; None: any folder is made.
    """

    def __init__(
        self,
        stem: Path,
        writer: str = "",
        *,
        kind: Kind = BATCHES,
        digests: Digests | None = None,
        guard: Callable[[], None] = lambda: None,
        root: Path | None = None,
    ) -> None:
        self.stem, self._kind = stem, kind
        name = f"{stem.name}.{writer}.jsonl" if writer else f"{stem.name}.jsonl"
        self.log = Log(stem.with_name(name), kind, guard=guard, makes_folder=not writer, checked=True, root=root)
        self._parts = Parts(stem.with_name(stem.name + ".parts"), kind, digests, guard, root)
        self.parts = self._parts.folder

    def place(self) -> str:
        """Return where the batches are, for messages: the one file or folder that has them, else `pools/weak (files ID.*)`."""
        found = [log.path for log in self._logs()] + ([self.parts] if self.parts.exists() else [])
        return str(found[0]) if len(found) == 1 else f"{self.stem.parent} (files {self.stem.name}.*)"

    def append(self, batch: str, rows: list[Row]) -> None:
        """Commit a batch."""
        self.append_all([(batch, rows)])

    def append_all(self, batches: Sequence[tuple[str, list[Row]]]) -> None:
        """Commit several batches in one write."""
        if batches:
            self.log.append(*({"batch": batch, "rows": rows} for batch, rows in batches))

    def batches(self) -> set[str]:
        """Return the keys of the committed batches."""
        return self._sealed_batches() | {batch for log in self._logs() for batch, _, _ in _places(log)}

    def rows(self, columns: Sequence[str] | None = None, optional: Sequence[str] = ()) -> Iterator[Row]:
        """Yield all rows, each with its `batch`, sealed ones first. Naming columns avoids reading the texts; rows may lack `optional` ones.

        Raises:
            StorageError: a line or a part is damaged.
        """
        seen: set[str] = set()
        for frame in self._parts.frames(columns, optional):
            seen |= set(frame["batch"].unique())
            yield from frame.iter_rows(named=True)
        for rows in self._unsealed(seen, columns, optional):
            yield from rows

    def tables(self, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """Yield the rows as `rows` does, in frames: a column whose values are all null has no type.

        Raises:
            StorageError: a line or a part is damaged.
        """
        seen: set[str] = set()
        for frame in self._parts.frames(columns, optional):
            seen |= set(frame["batch"].unique())
            yield frame
        gathered: list[Row] = []
        for rows in self._unsealed(seen, columns, optional):
            gathered += rows
            if len(gathered) >= ROWS_A_PART:
                yield to_frame(gathered)
                gathered = []
        if gathered:
            yield to_frame(gathered)

    def _unsealed(self, seen: set[str], columns: Sequence[str] | None, optional: Sequence[str]) -> Iterator[list[Row]]:
        """Yield the rows of each batch of the logs that is not `seen`, and add it to these."""
        for log in self._logs():
            for number, (_, line) in enumerate(log.lines(), start=1):
                entry = self._entry(log, line, number)
                batch = entry["batch"]
                if batch in seen:
                    continue
                seen.add(batch)
                rows = entry["rows"]
                if columns:
                    rows = [{c: row[c] for c in columns} | {c: row[c] for c in optional if c in row} for row in rows]
                yield [{**row, "batch": batch} for row in rows]

    def frames(self, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """Yield the sealed parts as frames of these columns, with `optional` ones where a part has them."""
        for frame in self._parts.frames(columns, optional):
            yield frame.select(*columns, *(name for name in optional if name in frame.columns))

    def sealed_columns(self) -> set[str]:
        """Return the names of the columns that any sealed part has."""
        return self._parts.columns()

    def missing_parts(self) -> list[Path]:
        """Return the parts that were sealed and no longer exist."""
        return self._parts.missing()

    def seal(self, order: Callable[[str], Any] | None = None) -> set[str]:
        """Move the committed batches into Parquet parts. The writers must have stopped.

        Args:
            order: Sort key of a batch. It makes the parts independent of which worker finished first. None keeps the order of writing.

        Returns:
            The keys of all sealed batches.
        """
        logs, sealed = self._logs(), self._sealed_batches()
        # Only offsets are kept for sorting. The rows are read one part at a time, because a pool need not fit in memory.
        places: list[tuple[str, Log, int, int]] = []
        for log in logs:
            for batch, number, offset in _places(log):
                if batch not in sealed:
                    sealed.add(batch)
                    places.append((batch, log, number, offset))
        if order is not None:
            places.sort(key=lambda place: order(place[0]))
        rows: list[Row] = []
        for batch, log, number, offset in places:
            rows += [{**row, "batch": batch} for row in self._entry(log, log.line_at(offset), number)["rows"]]
            if len(rows) >= ROWS_A_PART:
                self._parts.add(rows)
                rows = []
        if rows:
            self._parts.add(rows)
        # Last, when every row is in a part: a kill before this leaves rows in both places, which are read once.
        for log in logs:
            log.path.unlink(missing_ok=True)
        return sealed

    def _entry(self, log: Log, line: bytes, number: int) -> Row:
        """Parse the batch of a line. A line with a valid checksum is as written, so its fields are not checked again.

        Raises:
            StorageError: the line is damaged.
        """
        if is_checked(with_own_end(line)):
            return log.parse(line, number)
        entry = log.parse_json(line, number)
        if flaw := flaw_of_batch(entry, self._kind):
            raise log.damaged(number, flaw)
        return entry  # type: ignore[no-any-return]  # an object, or it had a flaw

    def _logs(self) -> list[Log]:
        """Return the logs of all writers, in a fixed order."""
        own = self.stem.with_name(f"{self.stem.name}.jsonl")
        pattern = f"{glob.escape(self.stem.name)}.*.jsonl"
        # Sorted, so that rows come in the same order whatever the file system returns.
        others = sorted(self.stem.parent.glob(pattern)) if self.stem.parent.exists() else []
        return [Log(path, self._kind) for path in (own, *others) if path.exists()]

    def _sealed_batches(self) -> set[str]:
        return {batch for frame in self._parts.frames(["batch"]) for batch in frame["batch"].unique()}


def _places(log: Log) -> Iterator[tuple[str, int, int]]:
    """Yield each batch of a log, with the number and the offset of its line."""
    for number, (offset, line) in enumerate(log.lines(), start=1):
        named = _NAMED.match(line)
        yield named[1].decode() if named else log.parse(line, number)["batch"], number, offset

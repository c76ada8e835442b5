"""Rows that are committed a batch at a time, by one process or several, and sealed to Parquet once a round is complete."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from isocost.store.fields import Kind, flaw_of_batch
from isocost.store.kinds import BATCHES
from isocost.store.logs import Log, Row, is_checked
from isocost.store.parts import Digests, Parts

ROWS_A_PART = 20_000  # so that sealing holds no more than these in memory
_NAMED = re.compile(rb'\{"batch": "([^"\\\x80-\xff]*)"')


class BatchLog:
    """Batches of rows under one name.

    `NAME.jsonl` and, for each further process that writes, `NAME.WRITER.jsonl` hold one batch a line; `NAME.parts/0000.parquet` and so on
    hold sealed batches, one row a row. A batch is committed whole. One that stands twice, because a process was killed after it had
    committed it and before anybody knew, is read once.

    Args:
        stem: Folder and name.
        writer: Who writes, where several processes do: each appends to a file of its own, in a folder that is there. A folder that is gone
            is not made again: the run directory was moved or removed, and what is appended under its old name would be lost.
        kind: What the rows must hold, and what to do about damaged ones.
        digests: Where the digests of sealed parts are noted; None notes none.
        guard: Called before anything is written; stops it by raising.
    """

    def __init__(
        self,
        stem: Path,
        writer: str = "",
        *,
        kind: Kind = BATCHES,
        digests: Digests | None = None,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self.stem, self._kind = stem, kind
        name = f"{stem.name}.{writer}.jsonl" if writer else f"{stem.name}.jsonl"
        self.log = Log(stem.with_name(name), kind, guard=guard, makes_folder=not writer, checked=True)
        self._parts = Parts(stem.with_name(stem.name + ".parts"), kind, digests, guard)
        self.parts = self._parts.folder

    def append(self, batch: str, rows: list[Row]) -> None:
        """Commit a batch."""
        self.append_all([(batch, rows)])

    def append_all(self, batches: Sequence[tuple[str, list[Row]]]) -> None:
        """Commit several batches in one write."""
        if batches:
            self.log.append(*({"batch": batch, "rows": rows} for batch, rows in batches))

    def batches(self) -> set[str]:
        """The batches that are committed."""
        return self._sealed_batches() | {batch for log in self._logs() for batch, _, _ in _places(log)}

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """All rows, each with its `batch`, sealed ones first; only some columns where these are named, which spares reading the texts.

        Raises:
            StorageError: a line or a part is damaged.
        """
        seen: set[str] = set()
        for frame in self._parts.frames(columns):
            seen |= set(frame["batch"].unique())
            yield from frame.iter_rows(named=True)
        for log in self._logs():
            for number, (_, line) in enumerate(log.lines(), start=1):
                entry = self._entry(log, line, number)
                batch = entry["batch"]
                if batch in seen:
                    continue
                seen.add(batch)
                for row in entry["rows"]:
                    yield {**({c: row[c] for c in columns} if columns else row), "batch": batch}

    def frames(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The sealed parts, by column."""
        for frame in self._parts.frames(columns):
            yield frame.select(columns)

    def missing_parts(self) -> list[Path]:
        """The parts that were sealed and are not there any more."""
        return self._parts.missing()

    def seal(self, order: Callable[[str], Any] | None = None) -> set[str]:
        """Move the committed batches into Parquet parts; the writers must have stopped.

        Args:
            order: Sort key of a batch, so that the parts do not depend on who finished first; else as they were written.

        Returns:
            All batches that are sealed now.
        """
        logs, sealed = self._logs(), self._sealed_batches()
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
                self._write_part(rows)
                rows = []
        self._write_part(rows)
        for log in logs:
            log.path.unlink(missing_ok=True)
        return sealed

    def _write_part(self, rows: list[Row]) -> None:
        if rows:
            self._parts.add(rows)

    def _entry(self, log: Log, line: bytes, number: int) -> Row:
        """The batch of a line; one with a checksum that fits is as it was written, and is not looked at further.

        Raises:
            StorageError: it is damaged.
        """
        if is_checked(line):
            return log.parse(line, number)
        entry = log.parse_json(line, number)
        if flaw := flaw_of_batch(entry, self._kind):
            raise log.damaged(number, flaw)
        return entry  # type: ignore[no-any-return]  # an object, or it had a flaw

    def _logs(self) -> list[Log]:
        """The logs of all who wrote, in a fixed order."""
        own = self.stem.with_name(f"{self.stem.name}.jsonl")
        pattern = f"{glob.escape(self.stem.name)}.*.jsonl"
        others = sorted(self.stem.parent.glob(pattern)) if self.stem.parent.exists() else []
        return [Log(path, self._kind) for path in (own, *others) if path.exists()]

    def _sealed_batches(self) -> set[str]:
        return {batch for frame in self._parts.frames(["batch"]) for batch in frame["batch"].unique()}


def _places(log: Log) -> Iterator[tuple[str, int, int]]:
    """Every batch of a log, the number of its line and where that begins."""
    for number, (offset, line) in enumerate(log.lines(), start=1):
        named = _NAMED.match(line)
        yield named[1].decode() if named else log.parse(line, number)["batch"], number, offset

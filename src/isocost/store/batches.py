"""Rows that are committed a batch at a time, by one process or several, and sealed to Parquet once a round is complete."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from isocost.paths import read_parquet
from isocost.store.files import write_parquet
from isocost.store.logs import Log, Row

ROWS_A_PART = 20_000  # so that sealing holds no more than these in memory
_NAMED = re.compile(rb'\{"batch": "([^"\\]*)"')


class BatchLog:
    """Batches of rows under one name.

    `NAME.jsonl` and, for each further process that writes, `NAME.WRITER.jsonl` hold one batch a line; `NAME.parts/0000.parquet` and so on
    hold sealed batches, one row a row. A batch is committed whole. One that stands twice, because a process was killed after it had
    committed it and before anybody knew, is read once.

    Args:
        stem: Folder and name.
        writer: Who writes, where several processes do: each appends to a file of its own.
    """

    def __init__(self, stem: Path, writer: str = "") -> None:
        self.stem = stem
        self.log = Log(stem.with_name(f"{stem.name}.{writer}.jsonl" if writer else f"{stem.name}.jsonl"))
        self.parts = stem.with_name(stem.name + ".parts")

    def append(self, batch: str, rows: list[Row]) -> None:
        """Commit a batch."""
        self.append_all([(batch, rows)])

    def append_all(self, batches: Sequence[tuple[str, list[Row]]]) -> None:
        """Commit several batches in one write."""
        if batches:
            self.log.append(*({"batch": batch, "rows": rows} for batch, rows in batches))

    def batches(self) -> set[str]:
        """The batches that are committed."""
        return self._sealed_batches() | {batch for log in self._logs() for batch, _ in _places(log)}

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """All rows, each with its `batch`, sealed ones first; only some columns where these are named, which spares reading the texts."""
        seen: set[str] = set()
        for part in self._sealed():
            frame = read_parquet(part, [*columns, "batch"] if columns else None)
            seen |= set(frame["batch"].unique())
            yield from frame.iter_rows(named=True)
        for log in self._logs():
            for entry in log.entries():
                batch = entry["batch"]
                if batch in seen:
                    continue
                seen.add(batch)
                for row in entry["rows"]:
                    yield {**({c: row[c] for c in columns} if columns else row), "batch": batch}

    def frames(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The sealed parts, by column."""
        for part in self._sealed():
            yield read_parquet(part, columns)

    def seal(self, order: Callable[[str], Any] | None = None) -> None:
        """Move the committed batches into Parquet parts; the writers must have stopped.

        Args:
            order: Sort key of a batch, so that the parts do not depend on who finished first; else as they were written.
        """
        logs, sealed = self._logs(), self._sealed_batches()
        places: list[tuple[str, Log, int]] = []
        for log in logs:
            for batch, offset in _places(log):
                if batch not in sealed:
                    sealed.add(batch)
                    places.append((batch, log, offset))
        if order is not None:
            places.sort(key=lambda place: order(place[0]))
        rows: list[Row] = []
        for batch, log, offset in places:
            rows += [{**row, "batch": batch} for row in log.entry_at(offset)["rows"]]
            if len(rows) >= ROWS_A_PART:
                self._write_part(rows)
                rows = []
        self._write_part(rows)
        for log in logs:
            log.path.unlink(missing_ok=True)

    def _write_part(self, rows: list[Row]) -> None:
        if rows:
            write_parquet(_frame(rows), self.parts / f"{len(self._sealed()):04d}.parquet")

    def _logs(self) -> list[Log]:
        """The logs of all who wrote, in a fixed order."""
        own = self.stem.with_name(f"{self.stem.name}.jsonl")
        pattern = f"{glob.escape(self.stem.name)}.*.jsonl"
        others = sorted(self.stem.parent.glob(pattern)) if self.stem.parent.exists() else []
        return [Log(path) for path in (own, *others) if path.exists()]

    def _sealed_batches(self) -> set[str]:
        return {b for part in self._sealed() for b in read_parquet(part, ["batch"])["batch"].unique()}

    def _sealed(self) -> list[Path]:
        return sorted(self.parts.glob("*.parquet")) if self.parts.exists() else []


def _frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows of the same keys, column by column: several times as quick as row by row."""
    if any(row.keys() != rows[0].keys() for row in rows):
        return pl.DataFrame(rows, infer_schema_length=None)
    return pl.DataFrame({key: [row[key] for row in rows] for key in rows[0]}, strict=False)


def _places(log: Log) -> Iterator[tuple[str, int]]:
    """Every batch of a log, and where its line begins."""
    for offset, line in log.lines():
        named = _NAMED.match(line)
        yield named[1].decode() if named else json.loads(line.decode("utf-8", "surrogatepass"))["batch"], offset

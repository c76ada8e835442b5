"""Sealed parts: Parquet files of rows, each with its digest in the run directory's `digests.jsonl`."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from isocost.errors import StorageError
from isocost.paths import is_special_file, parquet_columns, read_parquet, shell_word
from isocost.store.digests import ANY, DIGESTS, MARK, Digests
from isocost.store.fields import TEXT, Kind, flaw_of_frame
from isocost.store.files import atomic_write, digest_of_file, parquet_bytes
from isocost.store.logs import Row

_BATCH = {"batch": TEXT}


class Parts:
    """The parts of one batch log.

    Args:
        folder: Folder of the parts.
        kind: The fields that their rows must have.
        digests: The digests of the run's parts, or None.
        guard: Called before each write. It stops the write by raising.
        root: The run directory, which is not made again; None: any folder is made.
    """

    def __init__(self, folder: Path, kind: Kind, digests: Digests | None, guard: Callable[[], None], root: Path | None = None) -> None:
        self.folder, self._kind, self._digests, self._guard, self._root = folder, kind, digests, guard, root
        self._sound: set[tuple[str, int, int]] = set()  # name, size and time of verified parts, so that each is hashed once

    def add(self, rows: Sequence[Row]) -> None:
        """Write a part, under a name that none had before: whoever restores one that is gone overwrites nothing."""
        self._guard()
        # After the highest number, not the count of files: a part that somebody removed must not be followed by one of the same name.
        last = max((int(path.stem) for path in {*self.paths(), *self._known()} if path.stem.isdecimal()), default=-1)
        path, packed = self.folder / f"{last + 1:04d}.parquet", parquet_bytes(to_frame(rows), MARK)
        if self._digests is not None:
            self._digests.add(path, packed)  # before the part, so that a kill leaves no part without a digest
        with atomic_write(path, self._root) as temporary:
            temporary.write_bytes(packed)

    def missing(self) -> list[Path]:
        """Return the parts that have a digest and do not exist, including parts whose writing a kill prevented."""
        return sorted(self._known().keys() - set(self.paths()))

    def paths(self) -> list[Path]:
        """Return the files, in order."""
        return sorted(self.folder.glob("*.parquet")) if self.folder.exists() else []

    def frames(self, columns: Sequence[str] | None = None, optional: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """Yield the parts, or some columns of them, with `optional` ones where a part has them.

        Raises:
            StorageError: a part is damaged, or does not match its digest.
        """
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise self._unreadable(self.folder, "is a file, not a folder")
        digests = self._known()
        for path in self.paths():
            self._compare(path, digests.get(path))
            present = set(self._columns(path)) if optional else set()
            yield self._read(path, columns and [*columns, *(name for name in optional if name in present)])

    def columns(self) -> set[str]:
        """Return the names of the columns that any part has.

        Raises:
            StorageError: a part is damaged.
        """
        return {name for path in self.paths() for name in self._columns(path)}

    def _known(self) -> dict[Path, str]:
        return {} if self._digests is None else self._digests.of(self.folder)

    def _compare(self, path: Path, digest: str | None) -> None:
        if path.is_dir():
            raise self._unreadable(path, "is a folder, not a file")
        if is_special_file(path):
            raise self._unreadable(path, "is not an ordinary file")
        try:
            found = path.stat()
            # A part is never rewritten, so an unchanged size and time mean unchanged content.
            stamp = path.name, found.st_size, found.st_mtime_ns
            if stamp in self._sound:
                return
            actual = ANY if digest in (None, ANY) else digest_of_file(path)
        except OSError as error:
            raise self._unreadable(path, error.strerror or str(error)) from error
        if digest is None and self._digests is not None:
            self._digests.refuse_without(path)
        elif digest is not None and actual != digest:
            self._columns(path)  # one that cannot be read cannot be taken as it is either
            raise StorageError(
                f"{path}: was changed after it was written: its digest is another one\n  restore it from a copy; to take it as it is, "
                f'set its sha256 in {DIGESTS} to "{ANY}"'
            )
        self._sound.add(stamp)

    def _columns(self, path: Path) -> list[str]:
        try:
            return parquet_columns(path)
        except (OSError, PolarsError) as error:
            raise self._unreadable(path, str(error).partition("\n")[0][:200]) from error

    def _read(self, path: Path, columns: Sequence[str] | None) -> pl.DataFrame:
        try:
            # The batch is always read, because it is compared with the batches of the logs.
            frame = read_parquet(path, [*dict.fromkeys([*columns, "batch"])] if columns else None)
        except (OSError, PolarsError) as error:
            raise self._unreadable(path, str(error).partition("\n")[0][:200]) from error
        missing = [name for name in ("batch", *(self._kind.rows if columns is None else ())) if name not in frame.columns]
        if flaw := f'has no column "{missing[0]}"' if missing else flaw_of_frame(frame, {**self._kind.rows, **_BATCH}):
            raise self._unreadable(path, flaw)
        return frame

    def _unreadable(self, path: Path, why: str) -> StorageError:
        if os.strerror(errno.EMFILE) in why:
            return StorageError(f"{path}: {why}\n  raise the limit on open files (ulimit -n) and run the same command again")
        remedy = "restore it from a copy, or remove it: what it held is made again"
        if self._kind.paid:
            run = shell_word(self._digests.root) if self._digests else "DIR"
            remedy = f"restore it from a copy, or remove it and pay for what it held again: isocost sample {run} --force"
        return StorageError(f"{path}: cannot be read: {why}\n  {remedy}")


def to_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Return the rows as a frame. Column by column is several times as fast as row by row if all rows have the same keys."""
    if any(row.keys() != rows[0].keys() for row in rows):
        return pl.DataFrame(rows, infer_schema_length=None)
    return pl.DataFrame({key: [row[key] for row in rows] for key in rows[0]}, strict=False)

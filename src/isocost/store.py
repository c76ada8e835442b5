"""The run directory, the only module that opens its files.

Two kinds of file: logs, to which whole entries are appended as JSON lines and flushed to the disk, and finished files, which are written
beside their place and renamed into it. A line that was torn by a kill is dropped when its log is opened.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from isocost.errors import RunDirectoryError, StorageError

Row = dict[str, Any]


class Log:
    """An append-only JSONL file. Each entry has a `key` and is committed whole: it is there or it is not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *entries: Mapping[str, Any]) -> None:
        """Append entries in one write and wait until they are on the disk.

        Raises:
            StorageError: the disk is full or cannot be written; the log keeps its former entries.
        """
        data = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode("utf-8", "surrogatepass")
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                self._drop_torn_line()
            # Unbuffered: what a full disk refused must not be written after all when the file is closed.
            with self.path.open("ab", buffering=0) as file:
                before = file.tell()
                try:
                    left = memoryview(data)
                    while left:
                        left = left[file.write(left) :]
                    os.fsync(file.fileno())
                except BaseException:  # Ctrl-C too leaves no half of a line
                    with contextlib.suppress(OSError):
                        os.truncate(self.path, before)
                    raise

    def entries(self) -> Iterator[Row]:
        """The entries in the order they were appended; a torn last line is cut off the file first."""
        if not self.path.exists():
            return
        self._drop_torn_line()
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield json.loads(line.decode("utf-8", "surrogatepass"))
                except ValueError as error:
                    raise StorageError(
                        f"{self.path}:{number}: damaged line ({error})\n  restore the file, or remove it to redo it"
                    ) from None

    def peek(self) -> Iterator[Row]:
        """The entries of a log that somebody else is writing: nothing is cut off, and a line that is not whole yet is passed over."""
        if self.path.exists():
            for line in self.path.read_bytes().split(b"\n"):
                with contextlib.suppress(ValueError):
                    yield json.loads(line.decode("utf-8", "surrogatepass"))

    def _drop_torn_line(self) -> None:
        size = self.path.stat().st_size
        with self.path.open("rb+") as file:
            end = size
            while end and file.read(0) is not None:
                start = max(0, end - 65536)
                file.seek(start)
                newline = file.read(end - start).rfind(b"\n")
                if newline >= 0:
                    end = start + newline + 1
                    break
                end = start
            if end != size:
                file.truncate(end)


class BatchLog:
    """Rows that are committed a batch at a time, and sealed to Parquet once a round is complete.

    `NAME.jsonl` holds one batch a line; `NAME.parts/0000.parquet` and so on hold sealed batches, one row a row.
    """

    def __init__(self, stem: Path) -> None:
        self.stem = stem
        self.log = Log(stem.with_name(stem.name + ".jsonl"))
        self.parts = stem.with_name(stem.name + ".parts")

    def append(self, batch: str, rows: list[Row]) -> None:
        """Commit a batch."""
        self.log.append({"batch": batch, "rows": rows})

    def batches(self) -> set[str]:
        """The batches that are committed."""
        return self._sealed_batches() | {entry["batch"] for entry in self.log.entries()}

    def rows(self) -> Iterator[Row]:
        """All rows, each with its `batch`; a batch that stands twice (killed while sealing) is read once."""
        seen: set[str] = set()
        for part in self._sealed():
            frame = pl.read_parquet(part)
            seen |= set(frame["batch"].unique())
            yield from frame.iter_rows(named=True)
        for entry in self.log.entries():
            if entry["batch"] not in seen:
                seen.add(entry["batch"])
                yield from ({**row, "batch": entry["batch"]} for row in entry["rows"])

    def seal(self) -> None:
        """Move the committed batches into a Parquet part."""
        sealed = self._sealed_batches()
        entries = [entry for entry in self.log.entries() if entry["batch"] not in sealed]
        rows = [{**row, "batch": entry["batch"]} for entry in entries for row in entry["rows"]]
        if rows:
            write_parquet(pl.DataFrame(rows, infer_schema_length=None), self.parts / f"{len(self._sealed()):04d}.parquet")
        self.log.path.unlink(missing_ok=True)

    def _sealed_batches(self) -> set[str]:
        return {b for part in self._sealed() for b in pl.read_parquet(part, columns=["batch"])["batch"].unique()}

    def _sealed(self) -> list[Path]:
        return sorted(self.parts.glob("*.parquet")) if self.parts.exists() else []


class RunDirectory:
    """A study's folder. Open it with `with RunDirectory(path) as directory`; a second process is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: Any = None
        self._new = False

    def __enter__(self) -> RunDirectory:
        """Create the folder where needed and lock it.

        Raises:
            RunDirectoryError: another process has it open, or it is not a folder.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunDirectoryError(f"{self.path}: is a file, not a folder\n  name another with -o")
        with storage_errors(self.path):
            self._new = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise RunDirectoryError(
                f"{self.path}: in use by process {holder}\n  wait for it, or stop it, or name another folder with -o"
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self

    def __exit__(self, *exc: object) -> None:
        """Let the folder go; one that is new and got no study is taken away again."""
        if self._new and not (self.path / "study.yaml").exists():
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    def strangers(self) -> list[str]:
        """Names in the folder that opening it did not put there."""
        return sorted(p.name for p in self.path.iterdir() if p.name != "lock")

    def folders(self, *names: str) -> list[Path]:
        """The folders inside a folder."""
        return sorted(p for p in self.path.joinpath(*names).glob("*") if p.is_dir())

    def log(self, *names: str) -> Log:
        """The log at a path inside the folder, such as `log("ledger.jsonl")`."""
        return Log(self.path.joinpath(*names))

    def batches(self, *names: str) -> BatchLog:
        """The batch log at a path inside the folder, without an ending."""
        return BatchLog(self.path.joinpath(*names))

    def write_text(self, text: str, *names: str) -> Path:
        """Write a finished text file."""
        path = self.path.joinpath(*names)
        with _replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
        return path

    def write_json(self, value: object, *names: str) -> Path:
        """Write a finished JSON file."""
        return self.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", *names)

    def remove(self, *names: str) -> None:
        """Remove a file or folder, if it is there."""
        path = self.path.joinpath(*names)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def read_json(self, *names: str) -> Any:
        """What a JSON file holds, or None where there is none."""
        path = self.path.joinpath(*names)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def read_text(self, *names: str) -> str | None:
        """What a text file holds, or None where there is none."""
        path = self.path.joinpath(*names)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def write_rows(self, rows: Iterable[Row], *names: str) -> Path:
        """Write a finished Parquet file."""
        path = self.path.joinpath(*names)
        write_parquet(pl.DataFrame(list(rows), infer_schema_length=None), path)
        return path

    def read_rows(self, *names: str) -> list[Row]:
        """The rows of a Parquet file."""
        return pl.read_parquet(self.path.joinpath(*names)).to_dicts()


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a finished Parquet file: it is there whole or not at all."""
    # Packed in memory first: polars' own error for a full disk has no error number.
    packed = io.BytesIO()
    frame.write_parquet(packed)
    with _replacing(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.tmp")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the file system says into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error


def disk_full(path: Path) -> StorageError:
    """The error of a disk without room."""
    free = shutil.disk_usage(next(p for p in (path, *path.parents) if p.exists())).free
    return StorageError(f"{path}: the disk is full ({free:,} bytes free)\n  make room and run the same command again")

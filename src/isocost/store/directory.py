"""The run directory, locked by the process that uses it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocost.errors import IsocostError, RunDirectoryError, StorageError
from isocost.paths import is_special_file, read_parquet
from isocost.store.files import atomic_write, check_free_space, make_folder, storage_errors, write_parquet, write_parts
from isocost.store.kinds import kind_of_batches, kind_of_log
from isocost.store.locking import FolderLock, LockHeldError, holds
from isocost.store.logs import Log, Row
from isocost.store.rounds import MARK, first_round

if TYPE_CHECKING:  # `isocost status` opens a directory for its logs and must not import polars
    import polars as pl

    from isocost.store.batches import BatchLog

LOCK = "lock"
PILOT = "pilot.parquet"  # the samples of a pilot, which are there before samples.parquet
SAMPLES_DIGEST = "samples.json"  # of samples.parquet: a reader without the lock checks that it is what the run wrote last
_FIRST = (LOCK, "models.json", MARK)  # files that a run writes before study.yaml


class RunDirectory:
    """A study's folder. Open it with `with RunDirectory(path) as directory`. A second process gets an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: FolderLock | None = None
        self._first: FolderLock | None = None  # of the first round, in a later round
        self._new = False
        self._has_room = False

    def __enter__(self) -> RunDirectory:
        """Create the folder where needed and lock it.

        Raises:
            RunDirectoryError: another process has it open, it is not a folder, or it cannot be locked.
        """
        if self.path.is_symlink() and not self.path.exists():
            raise RunDirectoryError(f"{self.path}: is a link to {self.path.readlink()}, which does not exist\n  name another with -o")
        if self.path.exists() and not self.path.is_dir():
            raise RunDirectoryError(f"{self.path}: is a file, not a folder\n  name another with -o")
        with storage_errors(self.path):
            self._new = not self.path.exists()
            make_folder(self.path)
        self._lock = self._locked(self.path)
        try:
            with storage_errors(self.path / LOCK):
                self._lock.write(str(os.getpid()))
            # Rounds share a limit, and each process reads what the others have paid when it starts.
            first = first_round(self.path)
            if first is not None and not holds(first):
                self._first = self._locked(first)
        except IsocostError:
            self.__exit__()  # a `with` block that was not entered is not left
            raise
        return self

    def _locked(self, folder: Path) -> FolderLock:
        try:
            with storage_errors(folder / LOCK):
                return FolderLock(folder, LOCK)
        except LockHeldError:
            raise RunDirectoryError(
                f"{folder}: in use by process {RunDirectory(folder)._holder()}",
                advice="wait for it, or stop it, or name another folder with -o",
            ) from None

    def __exit__(self, *exc: object) -> None:
        """Release the folder. A new folder that holds only the files written before the study is removed."""
        if self._lock is None:
            return
        if self._new and self._lock.is_in_place():
            self._remove_empty()
        self._lock.release()
        if self._first is not None:
            self._first.release()

    def _remove_empty(self) -> None:
        with contextlib.suppress(OSError):
            if {path.name for path in self.path.iterdir()} <= set(_FIRST):
                for name in _FIRST:
                    (self.path / name).unlink(missing_ok=True)
                self.path.rmdir()

    def _holder(self) -> str:
        """Return the id of the process that holds the folder, from the lock file or, if that is gone, from start.json."""
        with contextlib.suppress(StorageError, ValueError):
            return str(int(self.read_text(LOCK) or ""))
        start = self.read_derived("start.json")
        return str(start["pid"]) if isinstance(start, dict) and isinstance(start.get("pid"), int) else "unknown"

    @property
    def _root(self) -> Path | None:
        """The folder itself if it is open: then it exists, and no write may make it again."""
        return self.path if self._lock is not None else None

    def check(self) -> None:
        """Check that this folder is still the one that was opened.

        Raises:
            StorageError: the folder was moved or removed.
        """
        if self._lock is not None:
            self._lock.check()

    def ready(self) -> None:
        """Check the folder before something is bought. The first call also checks that the disk has room.

        Raises:
            StorageError: the folder was moved or removed, or its disk is full.
        """
        self.check()
        if not self._has_room:
            # Pools can be on another disk through a link: such folders are tried too.
            pools = self.path / "pools"
            for folder in {self.path, *(each for each in (pools, *pools.glob("*")) if each.is_dir())}:
                if folder == self.path or folder.stat().st_dev != self.path.stat().st_dev:
                    check_free_space(folder)
            self._has_room = True

    def unknown_names(self) -> list[str]:
        """Return the names in the folder that a run does not write before its study, even if it is killed."""
        return sorted(p.name for p in self.path.iterdir() if p.name not in _FIRST and not p.name.endswith(".tmp"))

    def log(self, *names: str) -> Log:
        """Return the log at a path inside the folder, such as `log("ledger.jsonl")`."""
        kind = kind_of_log(names)
        return Log(self.path.joinpath(*names), kind, guard=self.check, checked=kind.checked, root=self._root)

    def batches(self, *names: str) -> BatchLog:
        """Return the batch log at a path inside the folder, given without a suffix."""
        from isocost.store.batches import BatchLog
        from isocost.store.digests import Digests

        digests = Digests(self.path, self.check)
        return BatchLog(self.path.joinpath(*names), kind=kind_of_batches(names), digests=digests, guard=self.check, root=self._root)

    def missing_digests(self) -> str:
        """Return a warning if digests of sealed parts were removed, else "". It needs no lock, and reads no part."""
        from isocost.store.digests import Digests

        return Digests(self.path).warning()

    def flaw_of(self, *names: str) -> str:
        """Return why a finished file is not the one that the run wrote, by its digest; "" where nothing speaks against it.

        Raises:
            OSError: The file cannot be read.
        """
        from isocost.store.digests import Digests

        return Digests(self.path).flaw_of(*names)

    def _noted(self, path: Path) -> Path:
        """Store the digest of a finished file, if it is of those that have one, and return its path."""
        from isocost.store.digests import Digests

        Digests(self.path, self.check).note(path)
        return path

    def write_text(self, text: str, *names: str) -> Path:
        """Write a finished text file."""
        path = self.path.joinpath(*names)
        self.check()
        with atomic_write(path, self._root) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")  # paths in the text need not be UTF-8
        return self._noted(path)

    def write_json(self, value: object, *names: str) -> Path:
        """Write a finished JSON file."""
        return self.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", *names)

    def remove(self, *names: str) -> None:
        """Remove a file or folder, if it is there."""
        path = self.path.joinpath(*names)
        self.check()
        # A link is removed and not followed: its target is outside the run directory.
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def read_json(self, *names: str, remedy: str = "restore it from a copy") -> Any:
        """Read a JSON file that holds an object; None where there is none.

        Raises:
            StorageError: it is damaged; `remedy` says what to do.
        """
        return self._read(names, dict, "an object", remedy)

    def read_list(self, *names: str, remedy: str = "restore it from a copy") -> list[Any] | None:
        """Read a JSON file that holds a list; None where there is none.

        Raises:
            StorageError: it is damaged; `remedy` says what to do.
        """
        found: list[Any] | None = self._read(names, list, "a list", remedy)
        return found

    def _read(self, names: tuple[str, ...], kind: type, what: str, remedy: str) -> Any:
        text = self.read_text(*names, remedy=remedy)
        if text is None:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._damaged(names, f"is not JSON: {error}", remedy) from None
        if not isinstance(found, kind):
            raise self._damaged(names, f"does not hold {what}", remedy)
        return found

    def read_derived(self, *names: str) -> dict[str, Any] | None:
        """Read a JSON file with an object that can be made again from other files. None if it is missing or damaged."""
        try:
            found: dict[str, Any] | None = self.read_json(*names)
        except StorageError:
            return None
        return found

    def read_text(self, *names: str, remedy: str = "restore it from a copy") -> str | None:
        """Read a text file; None where there is none.

        Raises:
            StorageError: it is damaged; `remedy` says what to do.
        """
        path = self.path.joinpath(*names)
        if is_special_file(path):
            raise self._damaged(names, "is not an ordinary file", "move it away")
        try:
            return path.read_text(encoding="utf-8", errors="surrogateescape")  # paths in the text need not be UTF-8
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            why = "is a folder, not a file" if path.is_dir() else f"cannot be read: {error.strerror or error}"
            raise self._damaged(names, why, remedy) from error

    def _damaged(self, names: tuple[str, ...], why: str, remedy: str) -> StorageError:
        return StorageError(f"{self.path.joinpath(*names)}: {why}\n  {remedy}")

    def write_rows(self, rows: Iterable[Row], *names: str) -> Path:
        """Write a finished Parquet file."""
        import polars as pl

        path = self.path.joinpath(*names)
        self.check()
        write_parquet(pl.DataFrame(list(rows), infer_schema_length=None), path, self._root)
        return self._noted(path)

    def write_frames(self, parts: Iterable[pl.DataFrame], *names: str) -> Path:
        """Write a finished Parquet file of frames that have the same columns, one after the other."""
        path = self.path.joinpath(*names)
        self.check()
        write_parts(parts, path, self._root)
        return self._noted(path)

    def read_rows(self, *names: str) -> list[Row]:
        """Return the rows of a Parquet file."""
        return read_parquet(self.path.joinpath(*names)).to_dicts()

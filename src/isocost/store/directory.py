"""The run directory, locked by the process that works on it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isocost.errors import RunDirectoryError
from isocost.paths import read_parquet
from isocost.store.files import replacing, storage_errors, write_parquet
from isocost.store.logs import Log, Row

if TYPE_CHECKING:  # what reads and writes Parquet is imported by who does: `isocost status` opens a directory for its logs
    from isocost.store.batches import BatchLog

_FIRST = ("lock", "models.json")  # what a run writes before study.yaml


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
        """Names in the folder that a run did not put there before its study: a kill may have come in between."""
        return sorted(p.name for p in self.path.iterdir() if p.name not in _FIRST and not p.name.endswith(".tmp"))

    def log(self, *names: str) -> Log:
        """The log at a path inside the folder, such as `log("ledger.jsonl")`."""
        return Log(self.path.joinpath(*names))

    def batches(self, *names: str) -> BatchLog:
        """The batch log at a path inside the folder, without an ending."""
        from isocost.store.batches import BatchLog

        return BatchLog(self.path.joinpath(*names))

    def write_text(self, text: str, *names: str) -> Path:
        """Write a finished text file."""
        path = self.path.joinpath(*names)
        with replacing(path) as temporary:
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
        return json.loads(path.read_text(encoding="utf-8", errors="surrogateescape")) if path.exists() else None

    def read_text(self, *names: str) -> str | None:
        """What a text file holds, or None where there is none."""
        path = self.path.joinpath(*names)
        return path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else None

    def write_rows(self, rows: Iterable[Row], *names: str) -> Path:
        """Write a finished Parquet file."""
        import polars as pl

        path = self.path.joinpath(*names)
        write_parquet(pl.DataFrame(list(rows), infer_schema_length=None), path)
        return path

    def read_rows(self, *names: str) -> list[Row]:
        """The rows of a Parquet file."""
        return read_parquet(self.path.joinpath(*names)).to_dicts()

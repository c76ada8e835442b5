"""Finished files: written beside their place and renamed into it, so that they are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from isocost.errors import StorageError

if TYPE_CHECKING:  # a reader of logs alone does without it
    import polars as pl


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a finished Parquet file: it is there whole or not at all."""
    # Packed in memory first: polars' own error for a full disk has no error number.
    packed = io.BytesIO()
    frame.write_parquet(packed)
    with replacing(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path to write to; what was written takes the place of `path` once it is on the disk.

    Raises:
        StorageError: the disk is full or cannot be written; `path` is as it was.
    """
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

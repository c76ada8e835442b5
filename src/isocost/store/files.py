"""Finished files: written beside their place and renamed into it, so that they are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from isocost.errors import StorageError

if TYPE_CHECKING:  # a reader of logs alone does without it
    import polars as pl

ROOM = 256 * 1024  # bytes that must fit onto the disk before anything is bought
_SHARE = 8  # of a disk so small that these are much of it, one part in so many must be free


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a finished Parquet file: it is there whole or not at all."""
    packed = packed_parquet(frame)
    with replacing(path) as temporary:
        temporary.write_bytes(packed)


def write_parts(parts: Iterable[pl.DataFrame], path: Path) -> None:
    """Write a finished Parquet file of frames of the same columns, of which two are in memory at once.

    One frame alone, which most files are, is written by polars, so that its bytes are those of `write_parquet`.
    """
    import polars as pl
    import pyarrow.parquet as pq

    left = iter(parts)
    first, second = next(left, pl.DataFrame()), next(left, None)
    if second is None:
        write_parquet(first, path)
        return
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        pq.ParquetWriter(file, first.to_arrow().schema, compression="zstd") as writer,
    ):
        for part in itertools.chain((first, second), left):
            writer.write_table(part.to_arrow())


def packed_parquet(frame: pl.DataFrame) -> bytes:
    """A table as the bytes of a Parquet file: polars' own error for a full disk has no error number, so it is packed in memory first."""
    packed = io.BytesIO()
    frame.write_parquet(packed)
    return packed.getvalue()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path to write to; what was written takes the place of `path` once it is on the disk.

    What a kill left under the temporary name is removed first, a symbolic link too: nothing is written through one.

    Raises:
        StorageError: the disk is full or cannot be written; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with storage_errors(path):
        make_folder(path.parent)
        try:
            temporary.unlink(missing_ok=True)
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            if not temporary.is_dir():
                temporary.unlink(missing_ok=True)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(folder: Path) -> None:
    """Create a folder and those above it where they are missing, and put their names on the disk."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, so that power loss takes no file back that was created in it or renamed into it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):  # network disks may know no such thing
            raise
    finally:
        os.close(descriptor)


def prove_room(folder: Path) -> None:
    """Write and remove a file of random bytes, to find out that a disk has no room before anything is bought.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    with storage_errors(folder):
        disk = os.statvfs(folder)
        size = min(ROOM, disk.f_blocks * disk.f_frsize // _SHARE) or ROOM
        with _passing(folder / ".room.tmp") as descriptor:
            left = memoryview(os.urandom(size))
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)


@contextlib.contextmanager
def _passing(temporary: Path) -> Iterator[int]:
    """The descriptor of a new file, which is removed afterwards."""
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the file system says into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        if error.errno == errno.ELOOP and path.is_symlink():
            raise StorageError(f"{path}: is a symbolic link; nothing is written through it\n  put the file itself there") from error
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}\n  {_advice(path, error)}") from error


def _advice(path: Path, error: OSError) -> str:
    """Return the remedy for a path that cannot be written."""
    if error.errno == errno.EFBIG:
        return "raise the limit on the size of files (ulimit -f) and run the same command again"
    if not path.parent.exists():
        return "its folder is gone: put the run directory back where it was, and run the same command again"
    if error.errno == errno.EISDIR or (path.is_dir() and path.suffix):
        return "a folder is in the place of the file: move it away"
    blocked = next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None)
    if blocked is not None:
        return f"{blocked} is a file where a folder belongs: move it away"
    return "make it writable and run the same command again"


def disk_full(path: Path) -> StorageError:
    """The error of a disk without room."""
    free = shutil.disk_usage(next(p for p in (path, *path.parents) if p.exists())).free
    return StorageError(f"{path}: the disk is full ({free:,} bytes free)\n  make room and run the same command again")

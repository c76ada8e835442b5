"""Finished files: written under a temporary name and renamed, so that a file is complete or absent."""

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
from isocost.paths import open_file

if TYPE_CHECKING:  # reading logs does not need polars
    import polars as pl

ROOM = 256 * 1024  # bytes that must fit on the disk before anything is bought
_SHARE = 8  # on a disk so small that ROOM is much of it, one eighth of the disk must be free


def write_parquet(frame: pl.DataFrame, path: Path, root: Path | None = None) -> None:
    """Write a finished Parquet file, as `atomic_write` does. It is complete or absent."""
    packed = parquet_bytes(frame)
    with atomic_write(path, root) as temporary:
        temporary.write_bytes(packed)


def write_parts(parts: Iterable[pl.DataFrame], path: Path, root: Path | None = None) -> None:
    """Write a finished Parquet file of frames of the same columns, of which two are in memory at once.

    One frame alone, which most files are, is written by polars, so that its bytes are those of `write_parquet`.
    """
    import polars as pl
    import pyarrow.parquet as pq

    left = iter(parts)
    waiting = list(itertools.islice(left, 2))
    if len(waiting) < 2:
        write_parquet(waiting[0] if waiting else pl.DataFrame(), path, root)
        return
    with (
        atomic_write(path, root) as temporary,
        temporary.open("wb") as file,
        pq.ParquetWriter(file, waiting[0].to_arrow().schema, compression="zstd") as writer,
    ):
        while waiting:
            writer.write_table(waiting.pop(0).to_arrow())
            waiting += itertools.islice(left, 1)


def parquet_bytes(frame: pl.DataFrame, metadata: dict[str, str] | None = None) -> bytes:
    """Return a table as the bytes of a Parquet file. Packed in memory, because polars' error for a full disk has no error number."""
    packed = io.BytesIO()
    frame.write_parquet(packed, metadata=metadata)
    return packed.getvalue()


@contextlib.contextmanager
def atomic_write(path: Path, root: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path. What is written to it replaces `path` once it is on the disk.

    A file or symbolic link that a kill left under the temporary name is removed first, so that nothing is written through a link. Missing
    folders are made as `make_folder` does.

    Raises:
        StorageError: the disk is full or cannot be written. `path` is unchanged.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with storage_errors(path):
        make_folder(path.parent, root)
        try:
            temporary.unlink(missing_ok=True)
            # Created exclusively: if somebody puts a link there in between, this fails.
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
            yield temporary
            # fsync before the rename: otherwise power loss can leave the new name with old or empty content.
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            # A directory of that name is not ours, so it is reported and not removed.
            if not temporary.is_dir():
                temporary.unlink(missing_ok=True)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(folder: Path, root: Path | None = None) -> None:
    """Create a folder and its missing parents, and flush their names to the disk.

    Args:
        folder: The folder.
        root: A folder above it that is not made: if it is missing, it was moved or removed, and what is written to a new one would be lost.

    Raises:
        FileNotFoundError: the root is missing.
    """
    missing = []
    while not folder.is_dir():
        if folder == root:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root))
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder, so that power loss cannot undo the creation or renaming of a file in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):  # some network disks cannot sync folders
            raise
    finally:
        os.close(descriptor)


def check_free_space(folder: Path) -> None:
    """Write and remove a file of random bytes, to detect a full disk before anything is bought.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    with storage_errors(folder):
        disk = os.statvfs(folder)
        # Some network disks report a size of 0.
        size = min(ROOM, disk.f_blocks * disk.f_frsize // _SHARE) or ROOM
        with _temporary_file(folder / ".room.tmp") as descriptor:
            # Random bytes, because a compressing file system stores zeros in no room at all.
            left = memoryview(os.urandom(size))
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)


@contextlib.contextmanager
def _temporary_file(temporary: Path) -> Iterator[int]:
    """Yield the descriptor of a new file and remove the file afterwards."""
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Translate an OSError into a StorageError that names the path."""
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
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "raise the limit on open files (ulimit -n) and run the same command again"
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
    """Return the error for a full disk."""
    free = shutil.disk_usage(next(p for p in (path, *path.parents) if p.exists())).free
    return StorageError(f"{path}: the disk is full: {free:,} free bytes are too few\n  make room and run the same command again")

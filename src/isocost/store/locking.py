"""Locks on a folder: one process at a time, even if somebody removes the lock file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path

from isocost.errors import RunDirectoryError, StorageError

_HELD = (errno.EWOULDBLOCK, errno.EACCES)  # EWOULDBLOCK is EAGAIN


class LockHeldError(Exception):
    """Another process holds the lock."""


class FolderLock:
    """A lock on a folder and on a file in it.

    Both are locked: a file that is removed and made again is another file with another lock. Network disks that cannot lock folders leave
    only the lock on the file. Forked processes do not keep the locks.

    Args:
        folder: The folder, which exists.
        name: The lock file in it. It is created if missing.
        wait: Wait for another process instead of raising.

    Raises:
        LockHeldError: another process holds the lock.
        RunDirectoryError: the file system has no locks.
        OSError: the folder cannot be opened, or the file cannot be written or is a symbolic link.
    """

    def __init__(self, folder: Path, name: str, *, wait: bool = False) -> None:
        self.folder, self.path = folder, folder / name
        self._wait, self._file = wait, -1
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        _held.add(self)
        try:
            self._locks_folder = self._lock_folder()
            self._lock_file()
        except BaseException:
            self.release()
            raise

    def write(self, text: str) -> None:
        """Write the holder's name into the lock file."""
        # Written in place: a file that replaced this one would have no lock.
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)

    def read(self) -> str:
        """Return the text of the lock file."""
        return os.pread(self._file, 100, 0).decode("utf-8", "replace")

    def check(self) -> None:
        """Check that folder and file are still the locked ones. A lock file that was removed is made again.

        Raises:
            StorageError: the folder was moved or removed, or another process has taken the lock.
        """
        if not self.is_in_place():
            raise StorageError(
                f"{self.folder}: was moved or removed while the run was working in it\n"
                "  put it back under its name and run the same command again; what was stored is in it"
            )
        if _is_at(self._file, self.path):
            return
        holder = self.read()
        try:
            os.close(self._file)
            self._lock_file()
            self.write(holder)
        except (LockHeldError, OSError) as error:
            raise StorageError(
                f"{self.path}: was removed while the run was working, and cannot be made again\n"
                "  run the same command again, in one process at a time"
            ) from error

    def is_in_place(self) -> bool:
        """Return True if the path still leads to the locked folder."""
        return _is_at(self._folder, self.folder)

    def release(self) -> None:
        """Release both locks."""
        _held.discard(self)
        for descriptor in (self._file, self._folder):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _lock_folder(self) -> bool:
        # Some network file systems lock files only. The lock on the file is then the only one.
        try:
            _flock(self._folder, self.folder, wait=self._wait)
        except RunDirectoryError:
            return False
        return True

    def _lock_file(self) -> None:
        while True:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            try:
                if not stat.S_ISREG(os.fstat(self._file).st_mode):
                    raise StorageError(f"{self.path}: is not an ordinary file\n  move it away, and run the same command again")
                _flock(self._file, self.path, wait=self._wait)
            except BaseException:
                os.close(self._file)
                self._file = -1
                raise
            if _is_at(self._file, self.path):
                return
            os.close(self._file)  # the file was removed while it was being locked: the lock is on a file that has no name


def _flock(descriptor: int, path: Path, *, wait: bool) -> None:
    try:
        # flock and not lockf: POSIX locks are lost as soon as any descriptor of the file is closed.
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _HELD:
            raise LockHeldError from None
        raise RunDirectoryError(
            f"{path}: cannot be locked: {error.strerror or error}; without a lock two processes could write and spend at once\n"
            "  use a folder on a disk of this machine, or mount this one with locks"
        ) from error


def _is_at(descriptor: int, path: Path) -> bool:
    """Return True if the path still leads to the open file or folder."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


_held: set[FolderLock] = set()


def holds(folder: Path) -> bool:
    """Return True if this process has locked a folder."""
    return any(_is_at(lock._folder, folder) for lock in _held)


def _release_all() -> None:
    """Release the locks in a forked process. It would otherwise hold them after the driver's death. The driver keeps its own."""
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_release_all)

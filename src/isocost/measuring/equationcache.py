"""Digests of the equations of texts, kept in a file by the digests of the texts, so that no text is parsed twice."""

from __future__ import annotations

import hashlib
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import isocost.equations
from isocost.arrays import Bools
from isocost.errors import StorageError
from isocost.metrics import diversity
from isocost.paths import is_special_file
from isocost.store import atomic_write

FILE = "equations.cache"
SEEDS = (0x9E3779B9, 0x85EBCA6B)  # two hashes of 64 bits: a chance of 1e-24 that any two of ten million texts collide
Digests = NDArray[np.uint64]  # uint64[2, texts]
_HEAD = 65  # bytes before the digests: a SHA-256 in hexadecimal digits, and a newline


class EquationCache:
    """The digests of equations that are known.

    The file is a SHA-256 and four rows of numbers of 8 bytes: two digests of each text, ascending, and two of its equations. The SHA-256
    covers the numbers and all that they depend on, so that a damaged file, or one of other code, is ignored.

    Args:
        path: The file. It is read when it is needed, and can be removed at any time.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: NDArray[np.uint64] | None = None
        self._new: list[NDArray[np.uint64]] = []

    def find(self, texts: Digests) -> tuple[Bools, Digests]:
        """Return a mask of the texts that are known, bool[texts], and the digests of their equations."""
        if self._known is None:
            self._known = _read(self._path)
        known = self._known
        if not known.size:
            return np.zeros(texts.shape[1], dtype=np.bool_), known[2:]
        at = np.searchsorted(known[0], texts[0]).clip(max=known.shape[1] - 1)
        found = (known[:2, at] == texts).all(axis=0)
        return found, known[2:, at[found]]

    def add(self, texts: Digests, equations: Digests) -> None:
        """Add the digests of the equations of texts."""
        if self._path is not None:
            self._new.append(np.concatenate([texts, equations]))

    def save(self) -> None:
        """Write the file again if digests were added."""
        if self._path is None or not self._new:
            return
        known = _read(self._path) if self._known is None else self._known
        every, self._known = np.concatenate([known, *self._new], axis=1), None
        self._new.clear()
        # Of texts with one first digest, which are one text but for a chance of 1e-9, one is kept.
        order = np.unique(every[0], return_index=True)[1]
        every = every.take(order, axis=1)
        # What cannot be written is parsed again next time.
        with suppress(StorageError), atomic_write(self._path) as temporary, temporary.open("wb") as file:
            file.write(_checksum(every) + b"\n")
            file.write(every.data)


def _read(path: Path | None) -> NDArray[np.uint64]:
    """Return the numbers of a file, uint64[4, texts]; none where it is missing or damaged."""
    none = np.zeros((4, 0), dtype=np.uint64)
    try:
        content = path.read_bytes() if path is not None and not is_special_file(path) else b""
        found = np.frombuffer(content, dtype=np.uint64, offset=_HEAD).reshape(4, -1)
    except (OSError, ValueError):
        return none
    return found if _checksum(found) + b"\n" == content[:_HEAD] else none


def _checksum(numbers: NDArray[np.uint64]) -> bytes:
    found = hashlib.sha256(_stamp())
    found.update(numbers.data)
    return found.hexdigest().encode()


@cache
def _stamp() -> bytes:
    """Return a digest of all that the digests depend on besides the texts: the code that reads equations, and the hash."""
    found = hashlib.sha256(
        f"{platform.python_version()} {pl.__version__} {sys.byteorder}".encode()
    )  # Python knows the letters of all scripts
    for path in [*sorted(Path(isocost.equations.__file__).parent.glob("*.py")), Path(diversity.__file__)]:
        found.update(path.read_bytes())
    # The hash of polars may be another one on other processors.
    for seed in SEEDS:
        found.update(pl.Series(["", "2 + 3 = 5", "=" * 1000]).hash(seed).to_numpy().tobytes())
    return found.digest()

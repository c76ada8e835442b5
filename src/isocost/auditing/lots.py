"""Pseudo-random numbers by name: equal in every process, and independent of the order in which they are computed."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice

import numpy as np
from numpy.typing import NDArray

_SIZE = 16
_PART = 10_000  # lots that are objects at once


def lot(seed: int, *names: str) -> bytes:
    """Return a number that depends on the seed and all names. Names are ordered by comparing their numbers."""
    return blake2b("\0".join((str(seed), *names)).encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def ranks(seed: int, names: Iterable[str]) -> NDArray[np.int64]:
    """Return the place of each name among all of them in the order of their lots, int[names]."""
    parts = [b""]
    left = iter(names)
    while some := b"".join(lot(seed, name) for name in islice(left, _PART)):
        parts.append(some)
    lots = np.frombuffer(b"".join(parts), dtype=">u8").reshape(-1, _SIZE // 8)
    found = np.empty(len(lots), dtype=np.int64)
    found[np.lexsort(lots.T[::-1])] = np.arange(len(lots))
    return found

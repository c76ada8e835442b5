"""Numbers drawn by name: the same whoever draws them, and in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_SIZE = 16


def lot(seed: int, *names: str) -> bytes:
    """A number that depends on the seed and all names; compare two to see which comes first."""
    return blake2b("\0".join((str(seed), *names)).encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def ranks(seed: int, names: Iterable[str]) -> NDArray[np.int64]:
    """Return the place of each name among all of them in the order of their lots, int[names]."""
    lots = np.frombuffer(b"".join(lot(seed, name) for name in names), dtype=">u8").reshape(-1, _SIZE // 8)
    found = np.empty(len(lots), dtype=np.int64)
    found[np.lexsort(lots.T[::-1])] = np.arange(len(lots))
    return found

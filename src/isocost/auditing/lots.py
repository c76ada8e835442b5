"""Pseudo-random numbers by name: equal in every process, and independent of the order in which they are computed."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from isocost.tables.coding import hash_ranks


def lot(seed: int, *names: str) -> bytes:
    """Return a number that depends on the seed and all names. Names are ordered by comparing their numbers."""
    return blake2b("\0".join((str(seed), *names)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def ranks(seed: int, names: Iterable[str]) -> NDArray[np.int64]:
    """Return the place of each name among all of them in the order of their lots, int[names]."""
    return hash_ranks(lot(seed, name) for name in names)

"""Pseudo-random numbers by name: equal in every process, and independent of the order in which they are computed."""

from __future__ import annotations

from hashlib import blake2b


def lot(seed: int, *names: str) -> bytes:
    """A number that depends on the seed and all names; compare two to see which comes first."""
    return blake2b("\0".join((str(seed), *names)).encode("utf-8", "surrogatepass"), digest_size=16).digest()

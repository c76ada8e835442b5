"""Procedural problems of the reasoning-gym package. For some tasks it has scorers of its own; isocost compares the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from isocost.errors import MissingExtraError, ProblemsError
from isocost.records import Problem


def load(dataset: str, *, size: int, split: str = "train", seed: int = 0, **settings: object) -> Iterator[Problem]:
    """Yield distinct problems of one of its datasets, such as `basic_arithmetic`.

    Args:
        dataset: Name of the dataset in reasoning-gym.
        size: Number of items that are generated.
        split: Any name; each split and seed gives other problems.
        seed: Seed of the generator.
        settings: Settings of the dataset itself.

    The package seeds its item i with seed + i, so near seeds repeat most items; here split and seed are hashed into one far from others.

    Raises:
        MissingExtraError: reasoning-gym is not installed.
        ProblemsError: there is no such dataset, or it rejects these settings.
    """
    try:
        import reasoning_gym
    except ImportError as error:
        raise MissingExtraError("reasoning-gym", "gym") from error
    try:
        items: Any = reasoning_gym.create_dataset(dataset, size=size, seed=split_seed(dataset, split, seed), **settings)
    except Exception as error:  # its configurations raise AssertionError and many others
        raise ProblemsError(f'reasoning_gym "{dataset}": {str(error) or type(error).__name__}'.splitlines()[0]) from error
    seen: set[str] = set()
    for index, item in enumerate(items):
        # A task without a fixed answer needs the package's own scorer.
        if item["question"] in seen or item["answer"] is None:
            continue
        seen.add(item["question"])
        yield Problem(id=f"{dataset}-{split}-{index:05d}", question=item["question"], answer=str(item["answer"]))


def split_seed(dataset: str, split: str, seed: int) -> int:
    """Return a seed below 2^31, which leaves room for the items, far from those of other splits, datasets and seeds."""
    digest = hashlib.sha256(f"{dataset}/{split}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (1 << 31)

"""Counts of problems by pass rate: never solved, ten tenths between, always solved."""

from __future__ import annotations

from collections.abc import Sequence

BINS = 12


def binned(rates: Sequence[float]) -> list[int]:
    """Count problems by pass rate, int[BINS]: 0 alone, ]0, .1[ to [.9, 1[ in tenths, 1 alone."""
    counts = [0] * BINS
    for rate in rates:
        counts[0 if rate <= 0 else BINS - 1 if rate >= 1 else 1 + min(int(rate * (BINS - 2) + 1e-9), BINS - 3)] += 1
    return counts

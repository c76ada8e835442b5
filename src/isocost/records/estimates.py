"""Estimates with their intervals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95% interval.

    Attributes:
        value: The estimate; None if undefined.
        low: Lower end; None if undefined.
        high: Upper end; None if undefined.
        n: Number of problems (or solutions, for rates over audits) behind it.
        n_ungraded: Number of solutions left out because they could not be graded.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_ungraded: int = 0

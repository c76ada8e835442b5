"""Numbers with their intervals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95% interval.

    Attributes:
        value: The estimate; None where it is undefined.
        low: Lower end; None where it is undefined.
        high: Upper end; None where it is undefined.
        n: Problems (or solutions, for rates over audits) it rests on.
        n_ungraded: Solutions left out because they could not be graded.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_ungraded: int = 0

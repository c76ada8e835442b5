"""Estimates with their intervals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval.

    The interval is 95%, unless what makes the estimate states another level: forecasts from a pilot, their margins and differences, and
    posteriors have 90%.

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


def estimate_json(estimate: Estimate | None) -> dict[str, float | int | None] | None:
    """Return an estimate as the ESTIMATE of JSON outputs: {"value", "low", "high", "n"}; None for none."""
    return None if estimate is None else {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}

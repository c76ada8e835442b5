"""Costs, and the lines of the bill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["flops", "usd"]
UNITS: tuple[Unit, ...] = ("flops", "usd")
Basis = Literal["planned", "realised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A cost, real or expected, in every known unit. None is unknown, never zero.

    Attributes:
        flops: Floating-point operations.
        usd: US dollars.
        seconds: Measured engine time.
    """

    flops: float | None = None
    usd: float | None = None
    seconds: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """Return the sum. A unit that is unknown on either side is unknown."""
        return Cost(
            flops=_sum(self.flops, other.flops),
            usd=_sum(self.usd, other.usd),
            seconds=_sum(self.seconds, other.seconds),
        )

    def amount(self, unit: Unit) -> float | None:
        """Return the cost in one unit."""
        return self.flops if unit == "flops" else self.usd


def prompt_readings(draws: int, per_request: int | None) -> int:
    """Return how often a prompt is read for draws of one problem that are asked for together.

    Args:
        draws: k, the number of draws.
        per_request: r, the most draws of a request, each of which reads it once: ceil(k / r). None: one reading serves them all.
    """
    return min(draws, 1) if per_request is None else -(-draws // per_request)


# An unknown part makes the sum unknown: counting it as zero would understate the bill.
def _sum(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left + right


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """A line of the bill: the amount paid for one account and model.

    Attributes:
        account: `data`, `judge`, `training` or `evaluation`.
        model: The model.
        what: `kept`, `rejected`, `failed`, `other settings` for data; `verdicts`, `steps`, `answers` for the others.
        count: Number of units of `what`.
        tokens: Tokens generated, or trained on.
        cost: Amount paid.
    """

    account: str
    model: str
    what: str
    count: int
    tokens: int
    cost: Cost

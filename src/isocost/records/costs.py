"""What things cost, and what was paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["flops", "usd"]
Basis = Literal["planned", "realised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something cost or would cost, in every unit that is known; None is not known, never zero.

    Attributes:
        flops: Floating-point operations.
        usd: US dollars.
        seconds: Measured engine time.
    """

    flops: float | None = None
    usd: float | None = None
    seconds: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """The sum; a unit that either side does not know is not known."""
        return Cost(
            flops=None if self.flops is None or other.flops is None else self.flops + other.flops,
            usd=None if self.usd is None or other.usd is None else self.usd + other.usd,
            seconds=None if self.seconds is None or other.seconds is None else self.seconds + other.seconds,
        )

    def amount(self, unit: Unit) -> float | None:
        """The cost in one unit."""
        return self.flops if unit == "flops" else self.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """A line of what the run really paid: one account and model.

    Attributes:
        account: `data`, `judge`, `training` or `evaluation`.
        model: The model that was paid for.
        what: `kept`, `rejected`, `failed`, `other settings` for data; `verdicts`, `steps`, `answers` for the others.
        count: How many of them.
        tokens: Tokens generated, or trained on.
        cost: What they cost.
    """

    account: str
    model: str
    what: str
    count: int
    tokens: int
    cost: Cost

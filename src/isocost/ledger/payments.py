"""Requests and their payments, as a ledger counts them, and the accounts that they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from isocost.records import Cost, Unit

NOTHING = Cost(flops=0.0, usd=0.0, seconds=0.0)


@dataclass(slots=True)
class Spending:
    """Running totals of the bill in one unit."""

    unit: Unit
    limit: float | None
    spent: float = 0.0
    reserved: float = 0.0


@dataclass(slots=True, kw_only=True)
class Account:
    """The requests and payments of one account to one model.

    Attributes:
        requests: Answered requests.
        count: Answers in them.
        tokens: Tokens generated in them.
        cost: Their cost.
        lost: Requests without an answer that may be charged.
        lost_cost: Their cost, at the worst case.
        retries: Requests that were refused and sent again.
        redone: Requests that a kill cut off and that were sent again.
        remote: True if they went to an endpoint. Then many are in flight at once, and their seconds overlap.
        reported_usd: The endpoint's own costs, of the requests for which it reports them.
        compared_usd: The cost of the same requests by the study's prices.
        reasoning_tokens: Those of the tokens that are reasoning.
    """

    requests: int = 0
    count: int = 0
    tokens: int = 0
    cost: Cost = NOTHING
    lost: int = 0
    lost_cost: Cost = NOTHING
    retries: int = 0
    redone: int = 0
    remote: bool = False
    reported_usd: float = 0.0
    compared_usd: float = 0.0
    reasoning_tokens: int = 0

    def amount(self, unit: Unit) -> float | None:
        """Return the amount paid, lost requests included, or None if it is unknown in this unit."""
        own, lost = self.cost.amount(unit), self.lost_cost.amount(unit)
        return None if own is None or lost is None else own + lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A request to be sent: its key, its largest cost, and further fields of its line (account, model, count)."""

    request: str
    worst: Cost
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request whose answer is stored: its cost, the number of answers, and their tokens.

    `facts` (account, model) are needed without an open reservation: for a request that was given up, whose failed draws are stored.
    `reported_usd` is the cost that the endpoint itself reports, `reasoning_tokens` those of the tokens that are reasoning.
    """

    request: str
    cost: Cost
    count: int = 0
    tokens: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    reported_usd: float | None = None
    reasoning_tokens: int = 0


class Paid(NamedTuple):
    """A request that is done: its answers and cost. It is a tuple because there may be a million."""

    answers: int
    tokens: int
    flops: float | None
    usd: float | None
    place: tuple[str, str, str]  # account, model, and the pool or the judge's version; "" if unknown

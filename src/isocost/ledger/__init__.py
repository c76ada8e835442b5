"""The ledger of requests: reservations and their outcomes, its summary, and the bill."""

from __future__ import annotations

from isocost.ledger.ledger import Ledger, book
from isocost.ledger.payments import Account, Answered, Paid, Reservation, Spending

__all__ = ["Account", "Answered", "Ledger", "Paid", "Reservation", "Spending", "book"]

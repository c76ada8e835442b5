"""The ledger of requests: reservations and their outcomes, its summary, and the bill."""

from __future__ import annotations

from isocost.ledger.ledger import Account, Answered, Ledger, Paid, Reservation, Spending, book

__all__ = ["Account", "Answered", "Ledger", "Paid", "Reservation", "Spending", "book"]

"""Interface of the ledger that calls are reserved in, and an implementation for calls that nobody pays for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from isocost.errors import RunError
from isocost.ledger import Answered, Reservation, Spending
from isocost.records import Cost


class CallLedger(Protocol):
    """Reserve calls and close the reservations, as `Ledger` does; see its methods for the details."""

    @property
    def spending(self) -> Spending:
        """The running totals and the limit."""

    def reserve(self, wanted: Sequence[Reservation], *, patient: bool = False) -> int:
        """Reserve calls in order until one does not fit under the limit; return the number reserved."""

    def release(self, answers: Sequence[Answered]) -> None:
        """Replace reservations by the realised costs of the answers."""

    def lose(self, request: str, reason: str, reported: Cost | None = None) -> None:
        """Count a call that may be charged although it returned no answer."""

    def retry(self, request: str, reason: str) -> None:
        """Record that a call was refused and costs nothing."""

    def unsend(self, request: str) -> None:
        """Record that a reserved call was not sent."""

    def abandon(self, requests: Collection[str]) -> None:
        """Free the reservations of calls whose answers nobody waits for, so that other threads do not wait for them."""

    def close(self) -> None:
        """Refuse every later reservation."""


class NullLedger:
    """A ledger that records nothing, for students: they run on the user's own devices, outside the limit."""

    def __init__(self) -> None:
        self.spending = Spending("flops", None)  # no limit, so nothing has to fit
        self._closed = False

    def reserve(self, wanted: Sequence[Reservation], *, patient: bool = False) -> int:
        """Accept every call.

        Raises:
            RunError: the account is closed.
        """
        if self._closed:
            raise RunError("the run is being stopped: nothing more is sent")
        return len(wanted)

    def release(self, answers: Sequence[Answered]) -> None:
        """Book nothing."""

    def lose(self, request: str, reason: str, reported: Cost | None = None) -> None:
        """Book nothing."""

    def retry(self, request: str, reason: str) -> None:
        """Book nothing."""

    def unsend(self, request: str) -> None:
        """Book nothing."""

    def abandon(self, requests: Collection[str]) -> None:
        """Book nothing."""

    def close(self) -> None:
        """Refuse every later reservation."""
        self._closed = True

"""The account that calls are reserved in: a run's ledger, or none where nothing is paid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from isocost.errors import RunError
from isocost.ledger import Answered, Reservation, Spending
from isocost.records import Cost


class Booking(Protocol):
    """Reserve calls and close the reservations; `Ledger` has the words."""

    @property
    def spending(self) -> Spending:
        """The totals and the limit."""

    def reserve(self, wanted: Sequence[Reservation], *, patient: bool = False) -> int:
        """Reserve calls as far as they fit; return how many do."""

    def release(self, answers: Sequence[Answered]) -> None:
        """Replace reservations by what the answers cost."""

    def lose(self, request: str, reason: str, reported: Cost | None = None) -> None:
        """Count a call that may be charged although it brought nothing."""

    def retry(self, request: str, reason: str) -> None:
        """Note that a call was refused and costs nothing."""

    def unsend(self, request: str) -> None:
        """Note that a call was not sent after all."""

    def abandon(self, requests: Collection[str]) -> None:
        """Stop holding room for calls whose answers nobody waits for."""

    def close(self) -> None:
        """Reserve nothing more."""


class Unbooked:
    """Book nothing: for students, which run on devices of ours and are outside the limit."""

    def __init__(self) -> None:
        self.spending = Spending("flops", None)
        self._closed = False

    def reserve(self, wanted: Sequence[Reservation], *, patient: bool = False) -> int:
        """Let all be sent.

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
        """Let nothing more be sent."""
        self._closed = True

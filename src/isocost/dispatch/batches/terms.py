"""The terms of one start for its batches: whether to wait for them, and how long the pauses are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isocost.executors.base import Executor
from isocost.ledger import Ledger
from isocost.ledger.submissions import Submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of the pauses between calls to an endpoint's batch API.

    Attributes:
        poll, longest_poll: The first pause between two looks at a batch, and the longest. A pause is a fiftieth of the batch's age.
        listing: Between two listings, before a batch that neither shows counts as not created.
        queue, longest_queue: The first and the longest pause after a batch that exceeded what the endpoint queues.
        cancelling: The most that a cancelled batch is waited for.
        results: The most that the answers of a batch are waited for after it has ended.
        retry, longest_retry: The first and the longest pause after a call that the endpoint could not answer.
        patience: Without any answer of the endpoint, until the run stops.
    """

    poll: float = 5.0
    longest_poll: float = 60.0
    listing: float = 60.0
    queue: float = 60.0
    longest_queue: float = 1800.0
    cancelling: float = 600.0
    results: float = 300.0
    retry: float = 2.0
    longest_retry: float = 60.0
    patience: float = 600.0


TIMING = Timing()
MOST_ATTEMPTS = 3  # batches in which a request may fail before its draws have failed: each may take a day


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTerms:
    """The treatment of batches by a start.

    Attributes:
        wait: Wait for batches that are under way.
        cancel: Cancel those that are under way, collect what is paid, and submit nothing.
    """

    wait: bool = True
    cancel: bool = False


WAITING = BatchTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContext:
    """The objects that all batches of a start share.

    Attributes:
        submissions: The record of submissions.
        folder: The folder for files of batches.
        executor: Executor that has the clients of endpoints.
        ledger: The ledger.
        terms: The terms of the start.
        timing: The pauses.
        notify: Called with a message for the user.
    """

    submissions: Submissions
    folder: Path
    executor: Executor
    ledger: Ledger
    terms: BatchTerms
    timing: Timing
    notify: Callable[[str], None]

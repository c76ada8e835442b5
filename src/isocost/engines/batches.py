"""The protocol of engines whose endpoint has a batch API: a file of requests in, a file of replies out, hours later, at a lower price."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from isocost.engines.base import Generation, Request
from isocost.records import SamplingParams

MOST_REQUESTS = 50_000  # lines of a batch, as OpenAI documents it
MOST_BYTES = 200_000_000  # of its file: 200 MB
NOT_RUN = ("batch_expired", "batch_cancelled")  # codes of requests that were not run
FINAL = frozenset({"completed", "failed", "expired", "cancelled"})
STATES = FINAL | {"validating", "in_progress", "finalizing", "cancelling"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState:
    """The state of a batch, as the endpoint shows it.

    Attributes:
        id: The endpoint's id of it.
        status: The endpoint's word for its state, in lower case.
        total, completed, failed: Its requests: all, answered, failed.
        output_file, error_file: Ids of the files with its replies and with its errors; None where there is none.
        errors: What is wrong with a failed batch, in the endpoint's words.
        codes: The codes of these errors.
    """

    id: str
    status: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    output_file: str | None = None
    error_file: str | None = None
    errors: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """True once nothing more of it will run."""
        return self.status in FINAL

    @property
    def is_known(self) -> bool:
        """True if its state is one that OpenAI documents."""
        return self.status in STATES

    @property
    def exceeds_queue(self) -> bool:
        """True if it failed because too much was queued at the endpoint: nothing of it ran, and it may be submitted later."""
        text = " ".join((*self.codes, *self.errors)).lower()
        return self.status == "failed" and ("token_limit_exceeded" in text or "enqueued" in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The batch of a submission, as far as a listing shows it.

    Attributes:
        batch: The batch that was made of it, or None.
        doubtful: The number of batches that show neither metadata nor an input file, and are not known to be older than its file: one of
            them may be it.
        listed: False if the endpoint has no list of batches.
        whole: False if the list may have more than it showed.
    """

    batch: BatchState | None
    doubtful: int = 0
    listed: bool = True
    whole: bool = True

    @property
    def is_absent(self) -> bool:
        """True if the list shows that no batch was made of the submission."""
        return self.batch is None and self.listed and self.whole and not self.doubtful


class BatchApi(Protocol):
    """The batch API of one endpoint. All methods wait for the reply, and may be called from one thread at a time.

    Raises:
        TryAgainError: the endpoint could not answer now. `charged` is True if it may have carried out what was asked.
        EngineError: it refuses.
    """

    def upload(self, path: Path, name: str) -> str:
        """Upload a file of requests under a name; return its id."""

    def create(self, file: str, url: str, submission: str) -> BatchState:
        """Create a batch of an uploaded file, sent once; the id of the submission is in its metadata."""

    def look(self, batch: str) -> BatchState | None:
        """Return the state of a batch, None if the endpoint does not know it."""

    def cancel(self, batch: str) -> BatchState | None:
        """Ask the endpoint to cancel a batch; return its state, None if the endpoint does not know it."""

    def find(self, submission: str, file: str, others: Collection[str] = ()) -> Sighting:
        """Look for the batch of a submission in the listing.

        Args:
            submission: The id of the submission.
            file: The id of its input file.
            others: Ids of batches that are known to be others.
        """

    def has_file(self, file: str) -> bool:
        """Return True if the endpoint knows a file by its id."""

    def find_files(self, submission: str) -> list[str]:
        """Return the ids of input files whose name carries the id of a submission."""

    def download(self, file: str, path: Path) -> bool:
        """Download a file; return False if the endpoint does not have it (any more)."""

    def delete(self, file: str) -> None:
        """Delete a file, if it is there."""


@runtime_checkable
class BatchEngine(Protocol):
    """An engine whose endpoint has a batch API.

    Attributes:
        most_choices: Solutions that a line may ask for, at most.
    """

    most_choices: int

    def batch_api(self) -> BatchApi:
        """Return the batch API."""

    def batch_url(self, request: Request) -> str:
        """Return the `url` of requests like this one in a file, which is the `endpoint` of their batch."""

    def write_line(self, custom_id: str, request: Request, params: SamplingParams, seed: int) -> bytes:
        """Return the line of a file that asks for at most `n` solutions."""

    def read_line(self, line: Mapping[str, Any], request: Request, params: SamplingParams, seed: int) -> list[Generation]:
        """Return the solutions in a line of a result file.

        Raises:
            NotRunError: the endpoint says that it did not run the request, which costs nothing.
            EngineError: as `Engine.generate`.
        """

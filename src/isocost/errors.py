"""All errors that isocost raises on purpose.

    IsocostError                    base: catch this
    ├── InputError                  what the user gave cannot be used (exit 2)
    │   ├── StudyError              a study file: every mistake found, each with its path
    │   ├── ProblemsError           a problem set: file, line, what is missing
    │   ├── TableError              a table of samples: file, row, column
    │   ├── BudgetError             a budget that buys nothing, or a cost that is not known
    │   ├── ModelError              a model that cannot be loaded, or lacks what the study needs of it
    │   ├── MissingExtraError       an optional dependency is not installed
    │   └── RunDirectoryError       the folder is another study's, or in use by another process
    └── RunError                    a run that began has failed (exit 1)
        ├── EngineError             an engine could not answer
        │   ├── TryAgainError       an endpoint could not answer now: busy, failing, out of reach
        │   ├── RefusedPromptError  an endpoint refuses one prompt for what it says, as a content filter does
        │   ├── UsageError          an endpoint reports usage that cannot be right: its bill cannot be known
        │   ├── NotSentError        the run was stopped before a request was sent to an endpoint
        │   └── NotRunError         a request of a batch was not run: the batch expired, was cancelled or was not accepted
        ├── StorageError            the disk is full or cannot be written
        ├── BatchesOpenError        batches are under way at endpoints, and the run does not wait for them
        └── LimitReachedError       the hard limit on the bill leaves no room for the next request

A message is one to three lines: what happened and where, then what to do. Each is a field of the error.
"""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Sequence
from typing import Self


class IsocostError(Exception):
    """Base of all errors that isocost raises on purpose.

    Args:
        message: What happened and where. Further lines of it are details, the last of them the advice if none is given.
        details: What else is known, a line each.
        advice: What to do about it.

    Attributes:
        happened: What happened and where, in one line.
        details: The lines between that and the advice.
        advice: What to do about it; "" where there is nothing to say.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, details: Sequence[str] = (), advice: str = "") -> None:
        super().__init__(_as_text(message, details, advice))
        self.happened, *rest = message.split("\n")
        between = [line.strip() for line in rest]
        self.advice = advice or (between.pop() if between and not details else "")
        self.details = (*between, *details)

    def __reduce__(self) -> tuple[object, ...]:
        """Return how pickle and copy make the error again, from its text and its fields: errors cross process boundaries."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]

    def telling(self, detail: str) -> Self:
        """Return the same error with one detail more, the first of them."""
        told = copy.copy(self)
        told.details = (detail, *self.details)
        told.args = (_as_text(self.happened, told.details, self.advice),)
        return told


def _as_text(happened: str, details: Sequence[str], advice: str) -> str:
    return "\n  ".join(filter(None, (happened, *details, advice)))


class InputError(IsocostError):
    """The user's input cannot be used. Raised before anything is spent."""

    exit_code = 2


class StudyError(InputError):
    """A study file with one or more mistakes, one per line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class ProblemsError(InputError):
    """A problem set that cannot be used: a missing file, a bad row, duplicate ids, or no rows."""


class TableError(InputError):
    """A table of samples that cannot be used."""


class BudgetError(InputError):
    """A budget too small for one sample, or an unknown cost."""


class ModelError(InputError):
    """A model that cannot be loaded, or lacks a property that the study needs."""


class MissingExtraError(InputError):
    """An optional dependency that the study needs is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        hint = f'pip install "isocost[{extra}]", in a clone: pip install -e ".[{extra}]"'
        super().__init__(f"{package} is not installed", advice=f"install it: {hint}")
        self.package, self.extra = package, extra


class RunDirectoryError(InputError):
    """A run directory that belongs to another study or is in use."""


class RunError(IsocostError):
    """A run that began has failed. Everything bought so far is kept."""


class EngineError(RunError):
    """An engine could not answer.

    Attributes:
        charged: True if an endpoint may charge for the request anyway. A refused request costs nothing.
    """

    charged = True


class TryAgainError(EngineError):
    """An endpoint could not answer a request now. The run waits and sends it again.

    Attributes:
        wait: Seconds that the endpoint asks to wait (its Retry-After), or None.
        charged: True if the request may be charged without an answer: the connection broke, or the reply could not be read. A request that
            the endpoint refused is not charged.
        reason: The endpoint's words without its name, for draws that fail.
    """

    def __init__(self, message: str, *, wait: float | None = None, charged: bool = False, reason: str = "") -> None:
        super().__init__(message)
        self.wait, self.charged, self.reason = wait, charged, reason or self.happened


class RefusedPromptError(EngineError):
    """An endpoint refuses one prompt and answers others; a content filter may charge for reading it.

    Attributes:
        reason: The endpoint's words, for the draws that fail.
        certain: False if the words may concern every request: then only answers to other prompts show that this one is at fault.
    """

    def __init__(self, message: str, *, reason: str = "", certain: bool = True) -> None:
        super().__init__(message)
        self.reason, self.certain = reason or self.happened, certain


class UsageError(EngineError):
    """An endpoint reports impossible usage. It gets no further request in this start.

    Attributes:
        prompt_tokens: The reported number, None if unreadable.
        generated_tokens: The same, over all choices.
        in_flight: Requests to the endpoint that were in flight when its reply was read.
    """

    def __init__(self, message: str, *, prompt_tokens: int | None = None, generated_tokens: int | None = None, in_flight: int = 0) -> None:
        super().__init__(message)
        self.prompt_tokens, self.generated_tokens, self.in_flight = prompt_tokens, generated_tokens, in_flight


class NotSentError(EngineError):
    """The run was stopped before a request was sent to an endpoint."""


class NotRunError(EngineError):
    """A request of a batch was not run, and costs nothing: the batch expired, was cancelled, or was not accepted."""

    charged = False


class BatchesOpenError(RunError):
    """Batches are under way at endpoints, and the run was asked not to wait. No failure: the same command collects them later."""

    exit_code = 0


class StorageError(RunError):
    """The disk is full or cannot be written."""


class LimitReachedError(RunError):
    """The hard limit on the bill leaves no room for the next request."""

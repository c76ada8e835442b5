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
        │   ├── RefusedPromptError  an endpoint refuses one prompt for what it says or for its length
        │   ├── UsageError          an endpoint reports usage that cannot be right: its bill cannot be known
        │   ├── NotSentError        the run was stopped before a request was sent to an endpoint
        │   └── NotRunError         a request of a batch was not run: the batch expired, was cancelled or was not accepted
        ├── StorageError            the disk is full or cannot be written
        ├── BatchesOpenError        batches are under way at endpoints, and the run does not wait for them
        └── LimitReachedError       the hard limit on the bill leaves no room for the next request

A message is one to three lines: what happened and where, then what to do. Each is a field of the error. The text is made of the fields when
it is asked for, and nowhere else: in the words of the command line or of Python, and with control characters escaped.
"""

from __future__ import annotations

import copy
import copyreg
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of the command line that is an argument in Python.

    Attributes:
        name: Name of the option, without dashes.
        value: Value that is named with it; "" for none.
        argument: Name of the argument in Python, if it is not that of the option.
        argument_value: Value as Python writes it, if that is another.
    """

    name: str
    value: str = ""
    argument: str = ""
    argument_value: str = ""

    def text(self, *, for_python: bool) -> str:
        """Return `--name value`, or `argument=value` in Python."""
        if not for_python:
            return f"--{self.name} {self.value}".rstrip()
        argument, value = self.argument or self.name.replace("-", "_"), self.argument_value or self.value
        return f"{argument}={value}" if value else argument


Words = str | Sequence[str | Option]
Place = tuple[Path, int | None] | Option  # a file and a line of it, or the option that gives a value


class IsocostError(Exception):
    """Base of all errors that isocost raises on purpose.

    Args:
        message: What happened and where. Further lines of it, each indented by two spaces, are details. The last of them is the advice if
            none is given. Any other line break belongs to a name, and is escaped.
        details: What else is known, a line each.
        advice: What to do about it; options in it are named as `option` is.
        option: The option that the error is about.

    Attributes:
        option: The option that the error is about, or None.
        where: Place of what happened, such as a file, if the message does not name it.
        for_python: True if the text names arguments of Python in place of options. `isocost.api` sets it.
    """

    exit_code = 1
    for_python = False

    def __init__(self, message: str = "", *, details: Sequence[str] = (), advice: Words = "", option: Option | None = None) -> None:
        super().__init__(message)
        self._what, *between = message.split("\n  ")
        self._advice: tuple[str | Option, ...] = (advice,) if isinstance(advice, str) else tuple(advice)
        if between and not details and not advice:
            self._advice = (between.pop(),)
        self._details = (*between, *details)
        self.option, self.where = option, ""

    @property
    def happened(self) -> str:
        """The fault and its place, in one line."""
        option = self.option.text(for_python=self.for_python) if self.option else ""
        return escape_controls(": ".join(filter(None, (self.where, option, self._what))))

    @property
    def details(self) -> tuple[str, ...]:
        """The lines between what happened and the advice."""
        return tuple(map(escape_controls, self._details))

    @property
    def advice(self) -> str:
        """The remedy; "" where there is nothing to say."""
        words = (each if isinstance(each, str) else each.text(for_python=self.for_python) for each in self._advice)
        return escape_controls("".join(words))

    def __str__(self) -> str:
        """Return what happened, the details and the advice, a line each."""
        return "\n  ".join(filter(None, (self.happened, *self.details, self.advice)))

    def __reduce__(self) -> tuple[object, ...]:
        """Return how pickle and copy make the error again, from its fields: errors cross process boundaries."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]

    def telling(self, detail: str) -> Self:
        """Return the same error with one detail more, the first of them."""
        told = copy.copy(self)
        told._details = (detail, *self._details)
        return told

    def placed_in(self, where: str) -> Self:
        """Return the same error with the place of what happened."""
        placed = copy.copy(self)
        placed.where = where
        return placed

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change the texts of the error in place; options stay."""
        self.args = tuple(change(each) if isinstance(each, str) else each for each in self.args)
        self.where, self._what, self._details = change(self.where), change(self._what), tuple(map(change, self._details))
        self._advice = tuple(change(each) if isinstance(each, str) else each for each in self._advice)


def escape_controls(text: str) -> str:
    """Escape control characters, line breaks and other invisible characters as Python does: a name must not split a line."""
    return text if text.isprintable() else "".join(each if _is_visible(each) else _escape(each) for each in text)


def _is_visible(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"  # spaces of other scripts


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class InputError(IsocostError):
    """The user's input cannot be used. Raised before anything is spent."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyMistake:
    """A mistake in a study.

    Attributes:
        what: Keys and what is wrong with them; a second line, indented by two spaces, is the advice.
        place: The file and its line, None where the line is not known; or the option that sets the value; or None.
    """

    what: str
    place: Place | None = None

    def text(self, *, for_python: bool) -> str:
        """Return the place and what is wrong."""
        if isinstance(self.place, Option):
            place = self.place.text(for_python=for_python) + ": "
        else:
            place = ":".join(str(each) for each in self.place or () if each is not None) + ": " if self.place else ""
        return "\n  ".join(map(escape_controls, f"{place}{self.what}".split("\n  ")))


class StudyError(InputError):
    """A study file with one or more mistakes, one per line."""

    def __init__(self, mistakes: Sequence[str | StudyMistake]) -> None:
        super().__init__()
        self.found = tuple(each if isinstance(each, StudyMistake) else StudyMistake(what=each) for each in mistakes)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The mistakes, each with its place."""
        return tuple(each.text(for_python=self.for_python) for each in self.found)

    @property
    def happened(self) -> str:
        """The first mistake, in one line."""
        return str(self).partition("\n")[0]

    @property
    def details(self) -> tuple[str, ...]:
        """The lines between that and the last."""
        return tuple(line.strip() for line in str(self).split("\n")[1:-1])

    @property
    def advice(self) -> str:
        """The last line, if there are several."""
        return str(self).partition("\n")[2].rpartition("\n")[2].strip()

    def __str__(self) -> str:
        """Return the mistakes, one per line or two."""
        return "\n".join(self.mistakes)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change the texts of the mistakes in place."""
        self.found = tuple(replace(each, what=change(each.what)) for each in self.found)

    def drop_places(self, file: Path) -> None:
        """Leave out the places in a file, in place."""
        same = file.absolute()
        self.found = tuple(
            replace(each, place=None) if isinstance(each.place, tuple) and each.place[0].absolute() == same else each for each in self.found
        )


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
    """An endpoint refuses one prompt and answers others; a content filter may charge for reading it. One that is too long is not charged.

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

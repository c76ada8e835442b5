"""Errors know their exit status and cross process borders whole."""

from __future__ import annotations

import pickle

import pytest

from isocost import errors
from isocost.errors import BatchesOpenError, InputError, IsocostError, MissingExtraError, RunError, StudyError, TryAgainError, UsageError

KINDS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, IsocostError)]
MADE: dict[type[IsocostError], IsocostError] = {
    StudyError: StudyError(["a: is missing", "b: is unknown"]),
    MissingExtraError: MissingExtraError("uvicorn", "view"),
    TryAgainError: TryAgainError("busy", wait=2.5, charged=True),
    UsageError: UsageError("no usage", prompt_tokens=7, generated_tokens=None, in_flight=3),
}


def made(kind: type[IsocostError]) -> IsocostError:
    return MADE.get(kind) or kind("what happened\n  what to do")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_from_another_process_is_the_same_error(kind: type[IsocostError]) -> None:
    sent = made(kind)
    received = pickle.loads(pickle.dumps(sent))
    assert type(received) is kind
    assert str(received) == str(sent)
    assert vars(received) == vars(sent)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_bad_input_exits_with_2_and_a_failed_run_with_1(kind: type[IsocostError]) -> None:
    failed = 0 if kind is BatchesOpenError else 1  # batches that are left as the user asked are no failure
    assert made(kind).exit_code == (2 if issubclass(kind, InputError) else failed)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_is_of_the_input_or_of_the_run(kind: type[IsocostError]) -> None:
    assert issubclass(kind, InputError) + issubclass(kind, RunError) == (kind is not IsocostError)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_message_has_one_to_three_lines(kind: type[IsocostError]) -> None:
    assert 1 <= len(str(made(kind)).splitlines()) <= 3


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in errors.__doc__] == []

"""What an error holds besides its text, and that both survive the way from a worker."""

import copy
import pickle

import pytest

from isocost.errors import (
    IsocostError,
    LimitReachedError,
    MissingExtraError,
    RunDirectoryError,
    StorageError,
    StudyError,
    TryAgainError,
    UsageError,
)


def fields(error: IsocostError) -> tuple[str, tuple[str, ...], str]:
    return error.happened, error.details, error.advice


def test_a_text_is_what_happened_then_details_then_advice() -> None:
    error = StorageError("f: cannot be read", details=["line 3 is cut off"], advice="restore it")
    assert str(error) == "f: cannot be read\n  line 3 is cut off\n  restore it"
    assert fields(error) == ("f: cannot be read", ("line 3 is cut off",), "restore it")


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("f: is gone", ("f: is gone", (), "")),
        ("f: is gone\n  restore it", ("f: is gone", (), "restore it")),
        ("f: is gone\n  since 3 o'clock\n  restore it", ("f: is gone", ("since 3 o'clock",), "restore it")),
        ("", ("", (), "")),
    ],
)
def test_a_message_given_whole_is_taken_apart(message: str, found: tuple[str, tuple[str, ...], str]) -> None:
    assert (str(StorageError(message)), fields(StorageError(message))) == (message, found)


def test_one_detail_more_comes_first_and_leaves_the_error_alone() -> None:
    error = LimitReachedError("stopped at the limit", details=["b"], advice="raise it")
    told = error.telling("a")
    assert type(told) is LimitReachedError
    assert str(told) == "stopped at the limit\n  a\n  b\n  raise it"
    assert str(error) == "stopped at the limit\n  b\n  raise it"
    assert str(LimitReachedError("stopped").telling("a")) == "stopped\n  a"
    usage = UsageError("it is odd\n  ask them", prompt_tokens=3, generated_tokens=None, in_flight=2).telling("2 in flight")
    assert (str(usage), usage.prompt_tokens, usage.in_flight) == ("it is odd\n  2 in flight\n  ask them", 3, 2)


@pytest.mark.parametrize(
    "error",
    [
        RunDirectoryError("d: is another's", details=["that of p"], advice="name another"),
        LimitReachedError("stopped", advice="raise it").telling("3 samples are saved"),
        TryAgainError("it is busy\n  wait", wait=3.0, charged=True),
        UsageError("it is odd\n  ask them", prompt_tokens=3),
        MissingExtraError("vllm", "vllm"),
        StudyError(["models.a: is missing\n  give it", "arms: is missing"]),
    ],
)
def test_errors_survive_the_way_to_another_process(error: IsocostError) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(other), str(other), fields(other), other.__dict__) == (type(error), str(error), fields(error), error.__dict__)

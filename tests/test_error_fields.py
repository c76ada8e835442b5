"""What an error holds besides its text, and that both survive the way from a worker."""

import ast
import copy
import inspect
import pickle
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from isocost.api import functions as api
from isocost.errors import (
    InputError,
    IsocostError,
    LimitReachedError,
    MissingExtraError,
    Option,
    RunDirectoryError,
    StorageError,
    StudyError,
    StudyMistake,
    TryAgainError,
    UsageError,
)

SOURCE = Path(api.__file__).parent.parent


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


@pytest.mark.parametrize("kind", [StorageError, RunDirectoryError, LimitReachedError])
def test_a_name_with_control_characters_stays_in_its_line(kind: type[IsocostError]) -> None:
    error = kind("a\nb\x1b[2J\r\u2028\udcff: is gone", details=["c\td"], advice="look at e\nf")
    assert str(error) == "a\\nb\\x1b[2J\\r\\u2028\\udcff: is gone\n  c\\td\n  look at e\\nf"
    assert fields(error) == ("a\\nb\\x1b[2J\\r\\u2028\\udcff: is gone", ("c\\td",), "look at e\\nf")
    assert str(StudyError(["models.a\nb: is missing\n  give it"])) == "models.a\\nb: is missing\n  give it"
    assert str(kind("été 数\u3000学 👩\u200d🚀")) == "été 数\u3000学 👩\\u200d🚀"  # spaces of other scripts are visible


def test_an_option_is_named_in_the_words_of_the_reader() -> None:
    budget = Option(name="budget", value="3", argument="budgets")
    advice = ("give it with ", Option(name="false-positives", value="a=1", argument_value='{"a": 1}'))
    error = InputError("buys nothing", option=budget, advice=advice)
    assert str(error) == "--budget 3: buys nothing\n  give it with --false-positives a=1"
    assert str(error.placed_in("t.parquet")) == "t.parquet: --budget 3: buys nothing\n  give it with --false-positives a=1"
    error.for_python = True
    assert str(pickle.loads(pickle.dumps(error))) == 'budgets=3: buys nothing\n  give it with false_positives={"a": 1}'


def test_a_rewritten_error_keeps_its_options() -> None:
    error = InputError("/tmp/x: is bad", option=Option(name="by"), advice=("make /tmp/x again, or leave out ", Option(name="by")))
    error.rewrite(lambda text: text.replace("/tmp/x", "the frame"))
    assert str(error) == "--by: the frame: is bad\n  make the frame again, or leave out --by"


def test_a_mistake_has_the_place_of_its_file_or_setting() -> None:
    file, other = Path("s.yaml"), Path("t.yaml")
    mistakes = [
        StudyMistake(what="arms: is missing", place=(file, 3)),
        StudyMistake(what="is empty", place=(other, None)),
        StudyMistake(what="seed: is text", place=Option(name="set", argument="settings")),
        StudyMistake(what="models: is missing"),
    ]
    error = StudyError(mistakes)
    assert error.mistakes == ("s.yaml:3: arms: is missing", "t.yaml: is empty", "--set: seed: is text", "models: is missing")
    error.for_python = True
    error.drop_places(file.absolute())
    assert error.mistakes == ("arms: is missing", "t.yaml: is empty", "settings: seed: is text", "models: is missing")
    assert (error.happened, error.advice) == ("arms: is missing", "models: is missing")


def parameters_of(function: Callable[..., object]) -> Iterable[inspect.Parameter]:
    return inspect.signature(function).parameters.values()


def words(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[\w-]+", text))


def test_errors_name_an_argument_of_python_by_its_field() -> None:
    """A text with --NAME cannot be written for both readers."""
    parameters = [each for function in (api.measure, api.forecast, api.backtest, api.export) for each in parameters_of(function)]
    options = {f"--{each.name.replace('_', '-')}" for each in parameters if each.kind is each.KEYWORD_ONLY} | {
        "--arm",
        "--budget",
        "--push-to-hub",
    }
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.is_relative_to(SOURCE / "cli") or "--" not in (source := path.read_text(encoding="utf-8")):
            continue
        calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
        errors = [call for call in calls if re.search(r"Error$|^no_model$", ast.unparse(call.func))]
        texts = [node.value for call in errors for node in ast.walk(call) if isinstance(node, ast.Constant)]
        found += [f"{path.name}: {text}" for text in texts if isinstance(text, str) and "isocost " not in text and options & words(text)]
    assert found == []


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

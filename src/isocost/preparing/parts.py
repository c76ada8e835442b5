"""What a study's parts have against what the study gives them, as lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocost.config import JUDGE
from isocost.costs.pricefile import read_prices
from isocost.engines import options_model
from isocost.engines.options import read_options
from isocost.errors import InputError, IsocostError, StudyError
from isocost.executors.jobs import EngineSpec
from isocost.graders import load_grader


def grader_mistake(name: str, option: str, value: object) -> str | None:
    """What is wrong with a value of a grader's option, or None."""
    if name == JUDGE:  # which models there are, only the study file knows: see studyfile
        wrong = option == "max_tokens" and (isinstance(value, bool) or not isinstance(value, int) or value < 1)
        return f"must be a whole number above 0, not {value!r}" if wrong else None
    try:
        load_grader(name, {option: value})
    except InputError as error:
        return str(error).removeprefix(f'grader "{name}": ')
    return None


def engine_mistakes(name: str, options: Mapping[str, object]) -> tuple[str, ...]:
    """What is wrong with an engine's options, each mistake behind its key. The engine is imported for it."""
    try:
        read_options(options_model(name), options)
    except StudyError as error:
        return error.mistakes
    except ImportError:  # the engine is not installed; that is told when it is opened
        return ()
    return ()


def price_mistakes(path: Path, shown: str) -> tuple[str, ...]:
    """What is wrong with a file of prices, which messages call `shown`."""
    try:
        read_prices(path, shown)
    except StudyError as error:
        return error.mistakes
    return ()


def keyless(specs: Mapping[str, EngineSpec]) -> list[str]:
    """Endpoints whose key is not there: a request would be refused. One on this machine, or that no key is said of, may need none."""
    mistakes: list[str] = []
    for name, spec in specs.items():
        if spec.name != "openai":
            continue
        from isocost.engines.openai.endpoint import read_endpoint
        from isocost.engines.openai.options import OpenAIOptions

        options = OpenAIOptions.model_validate(dict(spec.options))
        try:
            endpoint = read_endpoint(options)
        except IsocostError as error:
            mistakes.append(f"models.{name}: {error}")
            continue
        if endpoint.key is None and not endpoint.loopback and "api_key_env" in options.model_fields_set:
            unset = f"${options.api_key_env} is not set"
            mistakes.append(f"models.{name}.api_key_env: {unset}\n  set that environment variable, or leave the key out if none is needed")
    return mistakes

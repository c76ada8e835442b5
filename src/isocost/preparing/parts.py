"""Check a study's options with the parts that they belong to: graders, engines, prices. Mistakes are returned as messages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocost.config import JUDGE
from isocost.costs.pricefile import read_prices
from isocost.engines import check_ready, options_model
from isocost.engines.options import read_options
from isocost.errors import InputError, IsocostError, StudyError
from isocost.executors.jobs import EngineSpec
from isocost.graders import load_grader


def grader_mistake(name: str, option: str, value: object) -> str | None:
    """Return the mistake in a value of a grader's option, or None."""
    if name == JUDGE:  # its option `model` is checked in `studyfile`, where the names of the models are known
        wrong = option == "max_tokens" and (isinstance(value, bool) or not isinstance(value, int) or value < 1)
        return f"must be a whole number above 0, not {value!r}" if wrong else None
    try:
        load_grader(name, {option: value})
    except InputError as error:
        return str(error).removeprefix(f'grader "{name}": ')
    return None


def engine_mistakes(name: str, options: Mapping[str, object]) -> tuple[str, ...]:
    """Return the mistakes in an engine's options, each after its key. This imports the engine."""
    try:
        read_options(options_model(name), options)
    except StudyError as error:
        return error.mistakes
    except ImportError:  # the engine's extra is not installed; opening it raises an error that names the extra
        return ()
    return ()


def price_mistakes(path: Path, shown: str) -> tuple[str, ...]:
    """Return the mistakes in a file of prices, which messages call `shown`."""
    try:
        read_prices(path, shown)
    except StudyError as error:
        return error.mistakes
    return ()


def find_unready_models(specs: Mapping[str, EngineSpec]) -> list[str]:
    """Return what the environment lacks to call models, such as the key of an endpoint: without it, all its requests are refused."""
    mistakes: list[str] = []
    for name, spec in specs.items():
        try:
            check_ready(spec.name, dict(spec.options))
        except StudyError as error:
            mistakes += [f"models.{name}.{mistake}" for mistake in error.mistakes]
        except IsocostError as error:
            mistakes.append(f"models.{name}: {error}")
    return mistakes

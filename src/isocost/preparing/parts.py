"""The parts that a study file may name, with the checks of their options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocost.config import JUDGE
from isocost.costs.pricefile import read_prices
from isocost.engines import ENGINES, options_model
from isocost.engines.options import read_options
from isocost.errors import InputError, StudyError
from isocost.graders import GRADERS, grader_options, load_grader
from isocost.policies import AUTO, KEYS, ONE_MODEL, POLICIES, SEVERAL_MODELS
from isocost.problems import SOURCES, source_options
from isocost.prompts import TEMPLATES
from isocost.studynames import Known

JUDGE_OPTIONS = ("model", "max_tokens")


def known_parts() -> Known:
    """Return the names and options that the families offer, with the checks of their values."""
    sources = {name: source_options(name) for name in SOURCES}
    graders = {name: grader_options(name) for name in GRADERS} | {JUDGE: JUDGE_OPTIONS}
    return Known(
        sources=sources,
        engines={name: entry.keys for name, entry in ENGINES.items()},
        policies={name: KEYS.get(name, ()) for name in (*POLICIES, AUTO)},
        graders=graders,
        templates=TEMPLATES,
        one_model=ONE_MODEL,
        several_models=SEVERAL_MODELS,
        trainable=[name for name, entry in ENGINES.items() if entry.trainable],
        grader_mistake=grader_mistake,
        engine_mistakes=engine_mistakes,
        price_mistakes=price_mistakes,
    )


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

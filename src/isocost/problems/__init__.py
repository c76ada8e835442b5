"""The problem sources by name. A source is imported on first use."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from isocost.errors import ProblemsError
from isocost.nearest import did_you_mean
from isocost.parts import PartError, import_part
from isocost.problems.repeated import merged, refused_contradictions
from isocost.records import Problem

SOURCES: dict[str, str] = {
    "gsm8k": "isocost.problems.gsm8k:load",
    "hub": "isocost.problems.hub:load",
    "humaneval": "isocost.problems.humaneval:load",
    "jsonl": "isocost.problems.jsonl:load",
    "lab": "isocost.problems.lab:load",
    "math": "isocost.problems.math:load",
    "mbpp": "isocost.problems.mbpp:load",
    "reasoning_gym": "isocost.problems.reasoning_gym:load",
}
COMMON = ("where", "repeated", "skip", "limit")  # options of every source
REPEATED = ("keep", "merge")
ENDLESS = ("lab",)  # sources that need a limit
MOST_UNLIMITED = 1_000_000  # problems that are taken without a limit; a source that never ends would fill the memory

Loader = Callable[..., Iterable[Problem]]


def load_problems(source: str, options: Mapping[str, object], *, base: Path) -> list[Problem]:
    """Return the problems of a source, in its order.

    Args:
        source: A source's name, or the user's own as `package.module:attribute`: a function that takes the options as keywords (and `base`,
            if it needs the folder) and returns problems.
        options: The source's own options, and for every source those of `COMMON`: `where`, the values that fields of a problem must have;
            `repeated`, `merge` to take equal problems once; `skip` and `limit`, the number of problems to skip, and to take after that.
        base: The study file's folder, the base of relative paths.

    Raises:
        ProblemsError: an unknown source or option, an unusable file or row, duplicate ids, or no problems left.
        MissingExtraError: the source needs a package that is not installed.
    """
    load = source_function(source)
    own = {key: value for key, value in options.items() if key not in COMMON}
    _check_options(source, load, own)
    _check_types(source, load, own)
    skip, limit = _count(source, options, "skip") or 0, _count(source, options, "limit")
    if limit is None and source in ENDLESS:
        raise ProblemsError(f'problem source "{source}" is infinite: set limit')
    if "base" in inspect.signature(load).parameters:
        own["base"] = base
    problems = refused_contradictions(_take(source, _chosen(source, _checked(source, load(**own)), options), skip, limit))
    if not problems:
        raise ProblemsError(f'problems "{source}": none left after skip {skip}' + ("" if limit is None else f" and limit {limit}"))
    # Draws are stored under the id, so two problems with one id would share their draws.
    repeated = [key for key, count in Counter(problem.id for problem in problems).items() if count > 1]
    if repeated:
        raise ProblemsError(f'problems "{source}": {len(repeated)} ids occur more than once, first "{repeated[0]}"')
    return problems


def _checked(source: str, loaded: object) -> Iterator[Problem]:
    """Yield the problems that a source gives. A user's function may return anything."""
    if not isinstance(loaded, Iterable):
        raise ProblemsError(f'problem source "{source}" returns no problems but {type(loaded).__name__}')
    for problem in loaded:
        if not isinstance(problem, Problem) or not all(isinstance(text, str) for text in (problem.id, problem.question, problem.answer)):
            raise ProblemsError(f'problem source "{source}": {str(problem)[:60]} is no isocost.records.Problem with texts')
        yield problem


def _chosen(source: str, loaded: Iterator[Problem], options: Mapping[str, object]) -> Iterator[Problem]:
    """Return the problems that `where` and `repeated` leave."""
    wanted, repeated = options.get("where"), options.get("repeated")
    if repeated not in (None, *REPEATED):
        raise ProblemsError(f'problems "{source}": repeated is one of {", ".join(REPEATED)}, not {str(repeated)[:40]}')
    if wanted is not None and not isinstance(wanted, Mapping):
        raise ProblemsError(f'problems "{source}": where takes fields and their values, such as {{question_type: numeric}}')
    if wanted:
        allowed = {str(key): {str(each) for each in (value if isinstance(value, list) else [value])} for key, value in wanted.items()}
        loaded = (p for p in loaded if all(str(p.metadata.get(key)) in values for key, values in allowed.items()))
    return merged(loaded) if repeated == "merge" else loaded


def _take(source: str, loaded: Iterator[Problem], skip: int, limit: int | None) -> list[Problem]:
    """Return the problems that a source gives after `skip`."""
    problems = list(islice(loaded, skip, skip + (MOST_UNLIMITED + 1 if limit is None else limit)))
    if limit is None and len(problems) > MOST_UNLIMITED:
        raise ProblemsError(f'problem source "{source}" has more than {MOST_UNLIMITED:,} problems, or no end: set limit')
    return problems


def source_options(source: str) -> tuple[str, ...]:
    """Return the keys that a source takes, including those of `COMMON`."""
    parameters = inspect.signature(source_function(source)).parameters
    return (*(name for name in parameters if name != "base"), *COMMON)


def source_function(source: str) -> Loader:
    """Import the function of a source, by name or as `package.module:attribute`.

    Raises:
        ProblemsError: there is no such source, or it cannot be imported.
    """
    target = SOURCES.get(source, source)
    if ":" not in target:
        hint = did_you_mean(source, SOURCES) or f"known: {', '.join(SOURCES)}, or package.module:attribute"
        raise ProblemsError(f'unknown problem source "{source}"\n  {hint}')
    try:
        load = import_part(target)
    except PartError as error:
        raise ProblemsError(f'problem source "{source}" {error}') from error
    if not callable(load):
        raise ProblemsError(f'problem source "{source}" is not a function')
    try:
        inspect.signature(load)
    except ValueError as error:
        raise ProblemsError(f'problem source "{source}" is not a function with named options: {error}') from error
    return cast(Loader, load)


def _check_types(source: str, load: Loader, own: Mapping[str, object]) -> None:
    """Refuse options of isocost's own sources that have another type than their function takes. A user's function checks its own."""
    if source not in SOURCES:
        return
    hints = get_type_hints(load)
    for key, value in own.items():
        try:
            TypeAdapter(hints.get(key, object)).validate_python(value, strict=True)
        except ValidationError as error:
            why = error.errors()[0]["msg"].replace("Input should be", "must be")
            raise ProblemsError(f'problem source "{source}": {key}: {why}, not {json.dumps(value, default=str)[:40]}') from error


def _check_options(source: str, load: Loader, own: Mapping[str, object]) -> None:
    parameters = inspect.signature(load).parameters
    # A function with **options checks its keywords itself.
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    known = source_options(source)
    for key in own:
        if key not in known:
            hint = f"{did_you_mean(key, known)} known: {', '.join(known)}".lstrip()
            raise ProblemsError(f'problems "{source}": unknown key "{key}"\n  {hint}')
    needed = [name for name, parameter in parameters.items() if parameter.default is parameter.empty and name not in (*own, "base")]
    if needed:
        raise ProblemsError(f'problems "{source}": {", ".join(needed)} must be given')


def _count(source: str, options: Mapping[str, object], key: str) -> int | None:
    value = options.get(key)
    if value is None:
        return None
    # bool first: True is an int.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise ProblemsError(f'problems "{source}": {key} must be a whole number, not {repr(value)[:60]}')
    return value

"""The graders, by name. A grader is imported when it is asked for, never before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import cast

from isocost.errors import InputError
from isocost.graders.base import Grader
from isocost.nearest import did_you_mean
from isocost.parts import PartError, import_part

# Import paths, not classes: a run imports only the grader that it uses.
GRADERS: dict[str, str] = {
    "choice": "isocost.graders.choice:ChoiceGrader",
    "code": "isocost.graders.code:CodeGrader",
    "exact": "isocost.graders.exact:ExactGrader",
    "math": "isocost.graders.math:MathGrader",
    "number": "isocost.graders.number:NumberGrader",
}


def load_grader(name: str, options: Mapping[str, object] | None = None) -> Grader:
    """Load a grader by name, or a user's own as `package.module:attribute` (a class or function that returns a grader).

    Args:
        name: A key of `GRADERS`, or the user's own.
        options: The grader's own settings, such as its conventions, passed to the class or function as keywords.

    Raises:
        InputError: the grader or an option does not exist, it cannot be imported, or the result is not a grader.
    """
    options = dict(options or {})
    factory = grader_factory(name)
    known = _keywords(factory)
    for key in options:
        # Checked before the call: a TypeError from the factory would not name the nearest option.
        if known is not None and key not in known:
            hint = did_you_mean(key, known) or f"known: {', '.join(known) or 'none'}"
            raise InputError(f'grader "{name}": unknown option "{key}"\n  {hint}')
    try:
        grader = factory(**options)
    except InputError:
        raise
    except Exception as error:  # a user's code may raise anything
        what = f"{error}" if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        hint = "name a class or a function that needs no arguments but options and returns a grader"
        raise InputError(f'grader "{name}" cannot be made: {what}\n  {hint}') from error
    if not isinstance(grader, Grader):
        raise InputError(f'grader "{name}" needs name, version and grade(reference, generation)')
    return grader


def grader_options(name: str) -> tuple[str, ...]:
    """The settings that a grader takes."""
    return tuple(_keywords(grader_factory(name)) or ())


def grader_factory(name: str) -> Callable[..., object]:
    """Import the class or function that makes a grader, by name or as `package.module:attribute`.

    Raises:
        InputError: there is no such grader, or it cannot be imported.
    """
    target = GRADERS.get(name, name)
    if ":" not in target:
        hint = did_you_mean(name, GRADERS) or f"known: {', '.join(GRADERS)}, or package.module:attribute"
        raise InputError(f'unknown grader "{name}"\n  {hint}')
    try:
        factory = import_part(target)
    except PartError as error:
        raise InputError(f'grader "{name}" {error}') from error
    if not callable(factory):
        raise InputError(f'grader "{name}" is not a class or function')
    return cast(Callable[..., object], factory)


def _keywords(factory: Callable[..., object]) -> list[str] | None:
    """Return the keywords that a factory takes; None where it takes any."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # some functions in C do not tell theirs
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)]

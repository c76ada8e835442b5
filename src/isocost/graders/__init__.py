"""The graders, by name. A grader is imported when it is asked for, never before."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from typing import cast

from isocost.errors import InputError
from isocost.graders.base import Grader

GRADERS: dict[str, str] = {
    "exact": "isocost.graders.exact:ExactGrader",
    "math": "isocost.graders.math:MathGrader",
    "number": "isocost.graders.number:NumberGrader",
}


def load_grader(name: str) -> Grader:
    """The grader of this name, or a user's own as `package.module:attribute` (a class or function that takes nothing and returns a grader).

    Raises:
        InputError: there is no such grader, it cannot be imported, or what it makes is not a grader.
    """
    target = GRADERS.get(name, name)
    if ":" not in target:
        near = difflib.get_close_matches(name, GRADERS, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(GRADERS)}, or package.module:attribute"
        raise InputError(f'unknown grader "{name}"\n  {hint}')
    module, _, attribute = target.partition(":")
    try:
        factory = cast(Callable[[], object], getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f'grader "{name}" cannot be imported: {error}') from error
    if not callable(factory):
        raise InputError(f'grader "{name}" is not a class or function')
    grader = factory()
    if not isinstance(grader, Grader):
        raise InputError(f'grader "{name}" needs name, version and grade(reference, generation)')
    return grader

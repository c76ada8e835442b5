"""Import the parts that a study names as `package.module:attribute`."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class PartError(Exception):
    """A part cannot be imported. Its text, one line, follows the part's name: why, and what to do."""


def import_part(place: str) -> Any:
    """Return the attribute that `package.module:attribute` names.

    Raises:
        PartError: there is none; or its module raises anything at all while it is imported, `sys.exit` included. Its cause is that error.
    """
    module, _, attribute = place.partition(":")
    # Without this check the error would be an ImportError about a package called "./folder/file".
    if "/" in module or module.startswith("."):
        raise PartError("is a file, not a module: write package.module:attribute, with its folder on PYTHONPATH")
    try:
        return getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:  # it may be a user's module
        hint = "; modules are looked for on PYTHONPATH" if isinstance(error, ModuleNotFoundError) else ""
        why = " ".join(str(error).split())[:200]
        raise PartError(f"cannot be imported: {type(error).__name__}: {why}{hint}") from error

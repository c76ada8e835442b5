"""Pickles that tests load. A program may have written them, so they make plain values, and objects of the tests' classes.

Without this limit, a pickle calls any function in the tests' process, and changes their classes.
"""

from __future__ import annotations

import enum
import io
import pickle
import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Any, ClassVar

from .crossing.mirrors import Mirror
from .crossing.plain import may_be_handed_over

# The functions and classes by which `pickle` writes objects, and values that are plain only in a pickle.
_WRITTEN_BY = frozenset(
    (
        ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__"), ("_codecs", "encode"),
        ("array", "_array_reconstructor"), ("types", "SimpleNamespace"), ("uuid", "UUID"), ("zoneinfo", "ZoneInfo._unpickle"),
        *(("pathlib", name) for name in ("Path", "PosixPath", "PurePath", "PurePosixPath")),
    )
)  # fmt: skip


_Unlimited: Any = vars(pickle)["_Unpickler"]  # the one in Python, because the other one's steps cannot be checked

_RENAMED = 3  # the first protocol that has Python 3's names of modules


class Unpickler(_Unlimited):  # type: ignore[misc]
    """Loads what may be in a pickle of a program."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Unlimited.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function that a pickle names.

        Raises:
            pickle.UnpicklingError: the pickle could reach into the tests by it.
        """
        if self.proto < _RENAMED:
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        if (module, name) == ("builtins", "getattr"):
            return _member
        package = module.partition(".")[0]
        found = super().find_class(module, name) if package == "solution" or package in sys.stdlib_module_names else None
        if (module, name) in _WRITTEN_BY:
            return found
        # By its own module, not the one that is named: `solution` has whatever the tests import, and a dotted name goes through it.
        if isinstance(found, type) and type(found) is not Mirror and (found.__module__ == "solution" or may_be_handed_over(found)):
            return found
        raise pickle.UnpicklingError(f"not for programs: {module}.{name}")

    def _build(self) -> None:
        state, thing = self.stack[-1], self.stack[-2]
        names = state[1] if isinstance(state, tuple) and len(state) == 2 else ()
        if isinstance(thing, type) or any(str(name).startswith("__") for name in names or ()):
            raise pickle.UnpicklingError("not for programs: the state of a class")
        self.load_build()

    dispatch[pickle.BUILD[0]] = _build


def _member(kind: Any, name: str) -> Any:
    """Return a member of an Enum, which some versions of Python write as `getattr(kind, name)`."""
    return enum.EnumType.__getitem__(kind, name)


def load(file: Any, **named: Any) -> Any:
    """Load a pickle from a file."""
    return Unpickler(file, **named).load()


def loads(data: Any, /, **named: Any) -> Any:
    """Load a pickle from bytes."""
    return load(io.BytesIO(data), **named)


def limit_pickles() -> None:
    """Limit what `pickle` loads in this process."""
    vars(pickle).update(load=load, loads=loads, Unpickler=Unpickler, _load=load, _loads=loads, _Unpickler=Unpickler)

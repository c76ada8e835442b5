"""Mirrors as virtual subclasses of library classes, for `isinstance(Color.RED, Enum)` and `issubclass(Shape, ABC)`."""

from __future__ import annotations

import abc
import collections.abc
import enum
from typing import Any

# None of these classes is asked to compare or to decide anything. Not `Set`: its `==` asks the other operand what is in it.
CLAIMS: dict[type, str] = {
    kind: kind.__name__
    for kind in (
        abc.ABC, enum.Enum, enum.ReprEnum, enum.IntEnum, enum.StrEnum, enum.Flag, enum.IntFlag, collections.abc.Sequence,
        collections.abc.MutableSequence, collections.abc.Mapping, collections.abc.MutableMapping,
    )
}  # fmt: skip
_enums_of: dict[int, frozenset[type]] = {}  # by the identity of a mirror: tables keep all mirrors


def claim(mirror: type, names: list[str]) -> None:
    """Make a mirror a virtual subclass of the classes with these names."""
    claimed = [kind for kind, name in CLAIMS.items() if name in names]
    for kind in claimed:
        if isinstance(kind, abc.ABCMeta):
            kind.register(mirror)
    enums = frozenset(kind for kind in claimed if isinstance(kind, enum.EnumType))
    if enums:
        _enums_of[id(mirror)] = enums
        _let_enums_claim()


def _let_enums_claim() -> None:
    """Make `isinstance` and `issubclass` of enumerations ask for claims, as those of abstract classes do anyway."""
    kinds: Any = enum.EnumType
    if "__instancecheck__" not in vars(kinds):
        kinds.__instancecheck__ = lambda cls, thing: type.__instancecheck__(cls, thing) or _claims(type(thing), cls)
        kinds.__subclasscheck__ = lambda cls, kind: type.__subclasscheck__(cls, kind) or _claims(kind, cls)


def _claims(kind: object, base: type) -> bool:
    return any(base is one for one in _enums_of.get(id(kind), ()))

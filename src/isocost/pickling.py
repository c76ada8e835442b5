"""Pickling of records that cross between processes by the hundred thousand."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T", bound="Portable")


class Portable:
    """A base of frozen dataclasses with slots, which pickles them in less than half the time.

    The methods that `dataclasses` generates look up the fields of the class for each object. All fields are those of the class itself.
    """

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), *[getattr(self, name) for name in self.__slots__])


def _restored(cls: type[T], *values: object) -> T:
    """Return an object with these values of its fields, as it was pickled: no check runs a second time."""
    new = object.__new__(cls)
    for name, value in zip(cls.__slots__, values, strict=True):
        object.__setattr__(new, name, value)
    return new

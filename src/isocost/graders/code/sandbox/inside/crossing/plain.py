"""The types whose values cross as copies, and the containers that stay the same object on both sides."""

from __future__ import annotations

import abc
import array
import collections
import collections.abc
import ctypes
import dataclasses
import datetime
import decimal
import fractions
import importlib
import inspect
import numbers
import operator
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LARGEST = 1 << 63  # smaller integers cross as JSON numbers, others in hexadecimal, which is parsed in linear time


@dataclass(frozen=True, slots=True)
class Container:
    """Functions that read and fill a mutable container by its own type's methods, whatever a subclass defines.

    `read` returns its contents as a flat list; of a mapping, keys and values alternate. `fill` replaces them.
    """

    kind: type
    read: Callable[[Any], list[Any]]
    fill: Callable[[Any, list[Any]], None]


def _fill_list(target: list[Any], items: list[Any]) -> None:
    list.__setitem__(target, slice(None), items)


def _fill_set(target: set[Any], items: list[Any]) -> None:
    set.clear(target)
    set.update(target, items)


def _fill_bytes(target: bytearray, items: list[Any]) -> None:
    bytearray.__setitem__(target, slice(None), items[0])


def _fill_deque(target: collections.deque[Any], items: list[Any]) -> None:
    collections.deque.clear(target)
    collections.deque.extend(target, items)


def _fill_dict(target: dict[Any, Any], items: list[Any]) -> None:
    dict.clear(target)
    for key, value in zip(items[::2], items[1::2], strict=True):
        dict.__setitem__(target, key, value)


def _fill_ordered(target: collections.OrderedDict[Any, Any], items: list[Any]) -> None:
    collections.OrderedDict.clear(target)
    for key, value in zip(items[::2], items[1::2], strict=True):
        collections.OrderedDict.__setitem__(target, key, value)


def _read_dict(source: dict[Any, Any]) -> list[Any]:
    return [part for pair in dict.items(source) for part in pair]


def _read_ordered(source: collections.OrderedDict[Any, Any]) -> list[Any]:
    return [part for pair in collections.OrderedDict.items(source) for part in pair]


def _read_list(source: list[Any]) -> list[Any]:
    return list.__getitem__(source, slice(None))


CONTAINERS = {
    "list": Container(list, _read_list, _fill_list),
    "dict": Container(dict, _read_dict, _fill_dict),
    "set": Container(set, lambda source: list(set.__iter__(source)), _fill_set),
    "bytearray": Container(bytearray, lambda source: [bytes(source)], _fill_bytes),
    "deque": Container(collections.deque, lambda source: list(collections.deque.__iter__(source)), _fill_deque),
    "OrderedDict": Container(collections.OrderedDict, _read_ordered, _fill_ordered),
    "defaultdict": Container(collections.defaultdict, _read_dict, _fill_dict),
    "Counter": Container(collections.Counter, _read_dict, _fill_dict),
}
KINDS = {container.kind: name for name, container in CONTAINERS.items()}

# The immutable types that programs subclass (named tuples, IntEnum), with a function that returns the plain value of an instance.
VALUES: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda source: bytes(memoryview(source)),
    tuple: lambda source: tuple.__getitem__(source, slice(None)),
    frozenset: lambda source: frozenset(frozenset.__iter__(source)),
    decimal.Decimal: decimal.Decimal,
}
ROOTS = {kind.__name__: kind for kind in (*VALUES, *KINDS)}
PLAIN = frozenset(ROOTS.values())


def root_of(kind: type) -> type | None:
    """Return the most specific plain type that a class of a program extends, or None."""
    return next((base for base in kind.__mro__ if base in PLAIN), None)


def _date(value: datetime.date) -> list[Any]:
    return [value.year, value.month, value.day]


def _zone(value: datetime.time | datetime.datetime) -> datetime.tzinfo | None:
    """Return the time zone of a time. If the zone is of a program's class, return its fixed offset at that time."""
    zone = value.tzinfo
    if zone is None or is_made(type(zone)):
        return zone
    offset = value.utcoffset()
    return None if offset is None else datetime.timezone(offset)


def _time(value: datetime.time) -> list[Any]:
    return [value.hour, value.minute, value.second, value.microsecond, _zone(value), value.fold]


def _datetime(value: datetime.datetime) -> list[Any]:
    return [*_date(value), value.hour, value.minute, value.second, value.microsecond, _zone(value), value.fold]


def _new_time(*parts: Any) -> datetime.time:
    return datetime.time(*parts[:-1], fold=parts[-1])


def _new_datetime(*parts: Any) -> datetime.datetime:
    return datetime.datetime(*parts[:-1], fold=parts[-1])


def _signature(value: inspect.Signature) -> list[Any]:
    parameters = value.parameters.values()
    defaults = {one.name: one.default for one in parameters if one.default is not one.empty}
    hints = tuple(_hint(annotation) for annotation in (*(one.annotation for one in parameters), value.return_annotation))
    return [tuple(one.name for one in parameters), tuple(int(one.kind) for one in parameters), tuple(defaults), hints, *defaults.values()]


def _new_signature(
    names: tuple[str, ...], kinds: tuple[Any, ...], having: tuple[str, ...], hints: tuple[Any, ...], *defaults: Any
) -> inspect.Signature:
    given, empty = dict(zip(having, defaults, strict=True)), inspect.Parameter.empty
    *own, returned = map(_new_hint, hints)
    parameters = [
        inspect.Parameter(name, kind, default=given.get(name, empty), annotation=annotation)
        for name, kind, annotation in zip(names, kinds, own, strict=True)
    ]
    return inspect.Signature(parameters, return_annotation=returned)


def _hint(annotation: Any) -> tuple[Any, ...]:
    """Return the parts of an annotation: a harmless library class, None, a string, or an alias of such; `()` for any other."""
    if annotation is None or type(annotation) is str or _is_harmless(annotation):
        return ("plain", annotation)
    if id(annotation) in _ALIASES:
        return ("typing", _ALIASES[id(annotation)])
    origin, given = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ("literal", *given) if all(type(one) in (str, int, bool, bytes, type(None)) for one in given) else ()
    # Not the strings in aliases, which `typing` would compile.
    parts = tuple(("list", *map(_hint, one)) if type(one) is list else ("plain", ...) if one is ... else _hint(one) for one in given)
    if not parts or any(
        part == () or (part[0] == "plain" and type(part[1]) is str) or (part[0] == "list" and () in part) for part in parts
    ):
        return ()
    if origin in (typing.Union, types.UnionType):
        return ("typing", "Union", *parts)
    name = getattr(annotation, "_name", None) if type(annotation).__module__ == "typing" else None
    return ("typing", name, *parts) if name in _ALIASES.values() else ("plain", origin, *parts) if _is_harmless(origin) else ()


def _new_hint(parts: tuple[Any, ...]) -> Any:
    """Return an annotation from its parts; whatever else a program sends is none."""
    if not parts:
        return inspect.Parameter.empty
    kind, found, *rest = parts
    if kind == "literal":
        return typing.Literal[(found, *rest)]
    if kind == "typing" and found in _ALIASES.values():
        found = getattr(typing, found)
    elif kind != "plain" or not (found is None or type(found) is str or _is_harmless(found)):
        return inspect.Parameter.empty
    return found[tuple(map(_new_part, rest))] if rest else found


def _new_part(parts: tuple[Any, ...]) -> Any:
    if parts[0] == "list":
        return [*map(_new_part, parts[1:])]
    made = ... if parts[0] == "plain" and parts[1] is ... else _new_hint(parts)
    if type(made) is str:
        raise TypeError("text in an alias")
    return made


def _is_harmless(found: object) -> bool:
    return type(found) in (type, abc.ABCMeta) and may_be_handed_over(found)  # type: ignore[arg-type]  # a class


_ALIASES = {
    id(value): name
    for name, value in vars(typing).items()
    if name in typing.__all__
    and (value is typing.Any or type(value).__name__ in ("_SpecialForm", "_SpecialGenericAlias", "_TupleType", "_CallableType"))
}


def _new_view(data: bytes, form: str, *shape: int) -> memoryview:
    """Return a read-only view of a copy: the memory itself is in the other process."""
    flat: Any = memoryview(bytes(data))
    view: memoryview = flat.cast(form) if len(shape) == 1 else flat.cast(form, shape)
    return view


def is_copied(view: memoryview, *, tests: bool) -> bool:
    """Return True if a view crosses as a copy. The program writes to a view of the tests, and few formats can be made."""
    return not (tests and not view.readonly) and view.ndim > 0 and view.format in _FORMATS


_FORMATS = frozenset("bBhHiIlLqQnNfd?c")


@dataclass(frozen=True, slots=True)
class Value:
    """An immutable value that is rebuilt from its parts."""

    parts: Callable[[Any], list[Any]]
    make: Callable[..., Any]


MADE: dict[type, Value] = {
    range: Value(lambda x: [x.start, x.stop, x.step], range),
    slice: Value(lambda x: [x.start, x.stop, x.step], slice),
    decimal.Decimal: Value(lambda x: [str(x)], decimal.Decimal),
    fractions.Fraction: Value(lambda x: [x.numerator, x.denominator], fractions.Fraction),
    datetime.date: Value(_date, datetime.date),
    datetime.time: Value(_time, _new_time),
    datetime.datetime: Value(_datetime, _new_datetime),
    datetime.timedelta: Value(lambda x: [x.days, x.seconds, x.microseconds], datetime.timedelta),
    datetime.timezone: Value(lambda x: [*x.__getinitargs__()], datetime.timezone),
    array.array: Value(lambda x: [x.typecode, tuple(x)], array.array),
    inspect.Signature: Value(_signature, _new_signature),  # a copy: its methods evaluate the text of annotations
    types.MappingProxyType: Value(lambda x: [dict(x)], types.MappingProxyType),
    memoryview: Value(lambda x: [x.tobytes(), x.format, *x.shape], _new_view),
    type({}.keys()): Value(lambda x: [tuple(x)], lambda keys: dict.fromkeys(keys).keys()),
    type({}.items()): Value(lambda x: [tuple(x)], lambda items: dict(items).items()),
    type({}.values()): Value(lambda x: [tuple(x)], lambda values: dict(enumerate(values)).values()),
}
_MADE_NAMES = {kind.__name__: kind for kind in MADE}
_MADE_OF_TEXT = {
    "UUID": "uuid",
    "PosixPath": "pathlib",
    "PurePosixPath": "pathlib",
    "ZoneInfo": "zoneinfo",
}  # imported only when needed: few programs use these modules


def made_kind(name: str) -> Value:
    """Return the functions that take apart and rebuild an immutable value of a type.

    Raises:
        KeyError: the type is unknown.
    """
    if name in _MADE_OF_TEXT:
        kind: type = getattr(importlib.import_module(_MADE_OF_TEXT[name]), name)
        return Value(lambda x: [str(x)], kind)
    return MADE[_MADE_NAMES[name]]


def is_made(kind: type) -> bool:
    """Return True if values of a type are rebuilt from their parts."""
    return kind in MADE or _MADE_OF_TEXT.get(kind.__name__, "?") == kind.__module__.partition(".")[0]


# A value must really be of these types where `isinstance` says so: tests rely on their comparison.
NEVER_PROXIES = (*PLAIN, *(kind for kind in MADE if kind is not memoryview), bool, type(None))
# Types without a name in any module, and those that tests use in isinstance.
NAMELESS: dict[str, type] = {kind.__name__: kind for kind in vars(types).values() if isinstance(kind, type)}
SINGLETONS: dict[str, Any] = {
    "None": None,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    # dataclasses.asdict, fields and replace compare by identity with these
    **{
        name: value
        for name, value in vars(dataclasses).items()
        if type(value).__name__ in ("_FIELD_BASE", "_MISSING_TYPE", "_KW_ONLY_TYPE")
    },
}


def may_be_handed_over(found: type) -> bool:
    """Return True if a program may hand over a class of the standard library. Any other one becomes a proxy, as its own classes do.

    The tests, or a function that they hand over, might call it. So not `type`, which makes classes, nor anything that reaches into the
    interpreter or equals everything, nor an exception by which unittest skips a test.
    """
    if issubclass(found, BaseException):
        return not found.__module__.startswith(("unittest", "doctest"))
    return found in _HARMLESS


_HARMLESS = frozenset(
    (*NEVER_PROXIES, object, enumerate, filter, map, reversed, zip, type(...), type(NotImplemented), types.GeneratorType,
     *(kind for module in (collections.abc, numbers) for kind in vars(module).values() if isinstance(kind, abc.ABCMeta)))
)  # fmt: skip


def same(container: Container, thing: Any, before: list[Any]) -> bool:
    """Return True if a container still holds the same objects in the same order."""
    if container.kind is list and len(before) > _MANY:
        return list.__len__(thing) == len(before) and _same_items(thing, before)
    now = container.read(thing)
    if container.kind is bytearray:
        return now == before
    return len(now) == len(before) and all(map(operator.is_, now, before))


_MANY = 100  # items; shorter lists are not worth a foreign call
_ITEMS_AT = 3 * ctypes.sizeof(ctypes.c_void_p)  # offset of the items' address in a list object, after count, type and size
_libc = ctypes.CDLL(None)
_libc.memcmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


def _address(items: list[Any]) -> int:
    return ctypes.c_void_p.from_address(id(items) + _ITEMS_AT).value or 0


def _compares_memory() -> bool:
    """Return True if this interpreter lays lists out as assumed here."""
    if sys.implementation.name != "cpython" or list.__basicsize__ != 5 * ctypes.sizeof(ctypes.c_void_p):
        return False  # a build with other fields before the items
    probe = [object(), object()]
    return list((ctypes.c_void_p * 2).from_address(_address(probe))) == [*map(id, probe)]


def _same_items(now: list[Any], before: list[Any]) -> bool:
    """Compare the item addresses of two lists of equal length. It must be fast, because a shared list is compared at every call."""
    if _COMPARES_MEMORY:
        return not _libc.memcmp(_address(now), _address(before), len(before) * ctypes.sizeof(ctypes.c_void_p))
    return all(map(operator.is_, now, before))


_COMPARES_MEMORY = _compares_memory()

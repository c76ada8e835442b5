"""Classes that stand for the classes of the other process; their instances, the proxies, stand for its objects.

A proxy forwards attributes, calls and operators to the other side, and the result is a plain value or another proxy. On the tests'
side, no comparison passes a value of the tests to the program: see `_judging`.
"""

from __future__ import annotations

import collections
import contextlib
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .blocks import enter, enter_async, leave, leave_async
from .plain import PLAIN
from .specials import ARITHMETIC, ITERATING, JUDGING, PREDICATES, RUNNING, SPECIALS, STEPS

_NUMBER = "_isocost_number"
_CLASS = "_isocost_class"


class Link(Protocol):
    """The protocol of the peer through which proxies ask."""

    tests: bool
    named: set[type]
    asked: int

    def ask(self, action: str, target: object, /, *arguments: object, **named: object) -> Any:
        """Return the result of an action on an object of the other side."""

    def release(self, number: int) -> None:
        """Record that a proxy no longer exists."""

    def is_check(self, line: int, column: int) -> bool:
        """Return True if the tests raise an exception at this place on a condition."""

    def is_assertion(self, line: int) -> bool:
        """Return True if an assertion of the tests stands on this line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The other side's description of a class."""

    name: str
    module: str
    specials: frozenset[str]
    overrides: tuple[str, ...]
    hashable: bool


_links: list[Link] = []  # the one link of this process, in a list that every method refers to


def ask_by(link: Link) -> None:
    """Make the proxies of this process ask through a link."""
    _links[:] = [link]


def number_of(thing: object) -> int | None:
    """Return the number of a proxy or a mirror; None for an instance without one."""
    if isinstance(thing, Mirror):
        return int(type.__getattribute__(thing, _CLASS))
    try:
        number: int | None = object.__getattribute__(thing, _NUMBER)
    except AttributeError:  # an instance made by a method of its plain type
        return None
    return number


def is_proxy(thing: object) -> bool:
    """Return True if an object is a mirror or a proxy without a plain value."""
    kind = type(thing)
    return kind is Mirror or (type(kind) is Mirror and not PLAIN.intersection(kind.__mro__))


_classes_of, _bases_of = vars(type)["__mro__"].__get__, vars(type)["__bases__"].__get__


class Mirror(type):
    """The metaclass of mirrors. It forwards what the other side's class does as an object: attributes, calls, iteration of an Enum."""

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any], **given: Any) -> Mirror:
        """Make a mirror. Refuse a class statement of the tests that extends one.

        Raises:
            TypeError: the tests extend a class of the program.
        """
        if _CLASS not in names:
            raise TypeError("the tests extend a class of the program, which lives in another process")
        return super().__new__(cls, name, bases, names, **given)

    @property
    def __mro__(cls) -> tuple[type, ...]:
        return tuple(one for one in _classes_of(cls) if one is not Proxy)  # the other side does not know Proxy

    @property
    def __bases__(cls) -> tuple[type, ...]:  # type: ignore[override]
        return tuple(object if one is Proxy else one for one in _bases_of(cls))

    def __getattr__(cls, name: str) -> Any:
        if not number_of(cls):  # `Function`, which is not a class of the other side
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return _links[0].ask("get", cls, name)

    def __setattr__(cls, name: str, value: object) -> None:
        _links[0].ask("set", cls, name, value)

    def __delattr__(cls, name: str) -> None:
        _links[0].ask("delete", cls, name)

    def __call__(cls, /, *arguments: Any, **named: Any) -> Any:
        """Make an object on the other side."""
        return _links[0].ask("call", cls, *arguments, **named)

    def __iter__(cls) -> Any:
        return _links[0].ask("special", cls, "__iter__")

    def __len__(cls) -> int:
        length: int = _links[0].ask("special", cls, "__len__")
        return length

    def __bool__(cls) -> bool:
        return True

    def __getitem__(cls, key: object) -> Any:
        return _links[0].ask("special", cls, "__getitem__", key)

    def __contains__(cls, thing: object) -> bool:
        return any(thing is member or thing == member for member in cls)

    def __dir__(cls) -> list[str]:
        names: list[str] = _links[0].ask("names", cls)
        return names


class _Doc:
    def __get__(self, instance: object, owner: type) -> Any:
        return _links[0].ask("get", owner if instance is None else instance, "__doc__")


def _get(self: object, name: str) -> Any:
    if name == "__signature__":
        return _links[0].ask("signature", self)
    if name == "__dict__" and isinstance(self, types.FunctionType) and not _links[0].tests:  # functools.wraps copies it
        return {name: _links[0].ask("get", self, name) for name in _links[0].ask("names", self) if not name.startswith("__")}
    if name in STEPS and isinstance(self, RUNNING):
        return lambda *arguments: _links[0].ask("step", self, name, *arguments)
    return _links[0].ask("get", self, name)


def _asked(name: str) -> property:
    return property(lambda self: _links[0].ask("get", self, name))


def _predicate(name: str, root: Any) -> property:
    def method(self: Any) -> Any:
        link = _links[0]
        if link.tests and type(self) not in link.named:
            return getattr(root, name).__get__(self)
        return link.ask("get", self, name)

    return property(method)


def _iterating(name: str, root: Any) -> Any:
    if not name.startswith("__"):
        return _predicate(name, root)

    def method(self: Any) -> Any:
        link = _links[0]
        own = getattr(root, name, None)
        return link.ask("special", self, name) if own is None or not link.tests or type(self) in link.named else own(self)

    return method


def _copy(self: object) -> Any:
    return _links[0].ask("copy", self)


def _deep_copy(self: object, memo: object) -> Any:
    return _links[0].ask("deepcopy", self)


def _set(self: object, name: str, value: object) -> None:
    if isinstance(self, BaseException) and name.startswith("__"):  # contextlib sets __traceback__
        object.__setattr__(self, name, value)
    else:
        _links[0].ask("set", self, name, value)


def _delete(self: object, name: str) -> None:
    _links[0].ask("delete", self, name)


def _directory(self: object) -> list[str]:
    names: list[str] = _links[0].ask("names", self)
    return names


def _gone(self: object) -> None:
    number = number_of(self)
    if number is not None:
        object.__setattr__(self, _NUMBER, 0)  # the weak references to it still answer
        _links[0].release(number)


def _bind(self: Any, instance: object, owner: type | None = None) -> Any:
    """Bind a function of the other side as a method, where it is an attribute of a class of this side."""
    return self if instance is None else types.MethodType(self, instance)


def _forward(name: str) -> Callable[..., Any]:
    def method(self: object, /, *arguments: Any, **named: Any) -> Any:
        return _links[0].ask("special", self, name, *arguments, **named)

    return method


def _enter(self: object) -> Any:
    return enter(_links[0], self, number_of(self))


def _exit(self: object, kind: Any, error: Any, traceback: Any) -> Any:
    return leave(_links[0], self, number_of(self), (kind, error, traceback))


async def _enter_async(self: object) -> Any:
    return await enter_async(_links[0], self, number_of(self))


async def _exit_async(self: object, kind: Any, error: Any, traceback: Any) -> Any:
    return await leave_async(_links[0], self, number_of(self), (kind, error, traceback))


def _equals(self: object, other: object) -> Any:
    """Compare an object of the program with a value of the tests: `Money(3) == 3`.

    They are equal if the object's only attribute equals the value, and its own `__eq__` agrees. So the program returns a value before it
    learns what is expected, as a function would.
    """
    link = _links[0]
    try:
        held = link.ask("get", self, "__dict__")
    except Exception:  # noqa: BLE001 - on any error of the program there are no attributes to compare
        return NotImplemented
    if type(held) is not dict or len(held) != 1:
        return NotImplemented
    value = next(iter(held.values()))
    return link.ask("special", self, "__eq__", other) if not is_proxy(value) and value == other else NotImplemented


def _judging(name: str) -> Callable[..., Any]:
    """Return a comparison or operator method.

    On the tests' side the program is asked only if both operands are its own objects, or, for arithmetic, if the tests name the object's
    class. With any other operand, the object that a function returned would itself decide if it is what the test expects.
    """
    arithmetic = name in ARITHMETIC

    def method(self: object, *arguments: Any) -> Any:
        link = _links[0]
        if not link.tests or all(is_proxy(one) for one in arguments) or (arithmetic and type(self) in link.named):
            return link.ask("special", self, name, *arguments)
        if name not in ("__eq__", "__ne__"):
            return NotImplemented
        equal = _equals(self, *arguments)
        return equal if equal is NotImplemented or name == "__eq__" else not equal

    return method


def _contains(self: Any, thing: object) -> bool:
    link = _links[0]
    if not link.tests or is_proxy(thing) or type(self) in link.named:
        return bool(link.ask("special", self, "__contains__", thing))
    return any(thing is one or thing == one for one in self)


_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _judging(name) if name in JUDGING else _forward(name) for name in SPECIALS},
    "__contains__": _contains,
    "__enter__": _enter,
    "__exit__": _exit,
    "__aenter__": _enter_async,
    "__aexit__": _exit_async,
}
# The plain type itself compares, hashes and measures a plain value.
_PLAIN_METHODS = {
    name: method
    for name, method in _METHODS.items()
    if name not in JUDGING and name not in ("__hash__", "__bool__", "__len__", "__index__")
}
_READING = ("__getitem__", "__iter__", "__reversed__", "__missing__")


def _judging_plain(name: str, root: Any) -> Callable[..., Any]:
    """Return a comparison or operator method of a class that extends a plain type: `V(1, 2) + V(3, 4)` of named tuples.

    The program is asked for arithmetic as for other objects, and for comparisons of two values of classes that the tests name.
    """
    arithmetic = name in ARITHMETIC

    def method(self: object, *arguments: Any) -> Any:
        link, named = _links[0], type(self) in _links[0].named
        ours = all(type(type(one)) is Mirror for one in arguments)
        is_asked = (ours or named) if arithmetic else (ours and named)
        if is_asked or not link.tests:
            return link.ask("special", self, name, *arguments)
        own = getattr(root, name, None)
        return NotImplemented if own is None else own(self, *arguments)

    return method


def _plain_names(description: Description, root: type) -> dict[str, Any]:
    """Return the namespace of the mirror of a class that extends a plain type."""
    names: dict[str, Any] = {name: _PLAIN_METHODS[name] for name in description.specials if name in _PLAIN_METHODS}
    names.update({name: _judging_plain(name, root) for name in description.specials if name in JUDGING and name != "__contains__"})
    if root is collections.Counter:  # its comparisons call these methods, with the keys of the other operand
        names = {name: method for name, method in names.items() if name not in _READING}
    if "__eq__" in names:
        names["__hash__"] = root.__hash__
    names.update({name: _asked(name) for name in description.overrides if hasattr(root, name) and name[:1] != "_"})
    names.update({name: _predicate(name, root) for name in PREDICATES if name in names})
    names.update({name: _iterating(name, root) for name in ITERATING if name in names})
    return names


def make_mirror(number: int, description: Description, bases: tuple[Mirror, ...], roots: tuple[type, ...], real: type | None) -> Mirror:
    """Make the class that stands for a class of the other side.

    Args:
        number: The class's number.
        description: The other side's description; special methods that are unknown here are ignored.
        bases: Mirrors of the classes that it extends.
        roots: The plain type that it extends, or the exceptions.
        real: The class of the standard library that it is; `isinstance` then returns True for it.
    """
    root = roots[0] if roots else None
    names: dict[str, Any] = {
        _CLASS: number, "__module__": description.module, "__doc__": _Doc(), "__getattr__": _get, "__setattr__": _set,
        "__delattr__": _delete, "__dir__": _directory, "__copy__": _copy, "__deepcopy__": _deep_copy,
    }  # fmt: skip
    if root is not None and root in PLAIN:
        names.update(_plain_names(description, root))
    else:
        names.update({name: _METHODS[name] for name in description.specials if name in _METHODS})
        names["__del__"] = _gone
        if not description.hashable:
            names["__hash__"] = None
        elif "__eq__" in names and "__hash__" not in names:
            names["__hash__"] = object.__hash__
    if real is not None:
        names["__class__"] = property(lambda self: real)
    if real is types.FunctionType:
        names["__get__"] = _bind
    if root is None:
        return _build(description.name, names | {"__slots__": ()}, bases or (Proxy,), (Proxy,))
    return _build(description.name, names, (*bases, *roots), roots, roots[:1])


def _build(name: str, names: dict[str, Any], *tries: tuple[type, ...]) -> Mirror:
    for bases in tries[:-1]:
        with contextlib.suppress(TypeError):  # without the classes between them on the other side, bases may have no consistent order
            return Mirror(name, bases, names)
    return Mirror(name, tries[-1], names)


class Proxy(metaclass=Mirror):
    """The base of all proxies for objects without a plain value."""

    __slots__ = (_NUMBER, "__weakref__")
    _isocost_class = 0


def make_proxy(mirror: Mirror, number: int, value: object = None) -> Any:
    """Make an instance of a mirror; of a mirror with a root, from its plain value."""
    new: Any = mirror  # untyped, because the type checker finds the metaclass's __new__
    made = new.__new__(new) if value is None else new.__new__(new, value)
    object.__setattr__(made, _NUMBER, number)
    return made


FUNCTION = Description(name="function", module="builtins", specials=frozenset(("__call__", "__repr__")), overrides=(), hashable=True)
Function = make_mirror(0, FUNCTION, (), (), types.FunctionType)  # the class of what most programs define

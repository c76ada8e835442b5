"""Values to JSON: a list of nodes that refer to each other by their place, so that sharing and cycles survive and no depth is too great.

None, booleans, floats, and most integers and strings are written in a node directly; everything else as [place of its node]. A node
is a list that begins with its kind; `decoding` reads the same kinds.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from .claims import CLAIMS
from .mirrors import Mirror
from .plain import KINDS, LARGEST, NAMELESS, SINGLETONS, VALUES, is_copied, is_made, made_kind, may_be_handed_over, root_of
from .specials import SPECIALS
from .table import Numbered, Table, container_of

_INLINE = frozenset((type(None), bool, float))
_NAMES = {id(value): name for name, value in SINGLETONS.items()}
_ROUTINES = (types.BuiltinFunctionType, types.FunctionType, type(str.upper), type(str.__len__), type("".__len__))


class Encoder:
    """The nodes of one message."""

    def __init__(self, table: Table) -> None:
        self.nodes: list[Any] = []
        self._table = table
        self._places: dict[int, int] = {}
        self._left: list[tuple[int, Callable[[Any], list[Any]], Any]] = []
        self._kept: list[object] = []  # keeps objects alive: else a later one could get the id of one that is gone

    def finish(self) -> list[Any]:
        """Return the nodes of all objects that were referred to, and of all that these refer to."""
        # A loop over pending objects, not recursion: a list nested thousands deep must not exceed the recursion limit.
        while self._left:
            place, make, thing = self._left.pop()
            self.nodes[place] = make(thing)
        return self.nodes

    def item(self, thing: Any) -> Any:
        """Return the JSON of a value: the value itself, or [place of its node]."""
        kind = type(thing)
        if kind in _INLINE or (kind is int and -LARGEST < thing < LARGEST) or (kind is str and _is_text(thing)):
            return thing
        return [self._place(thing, self._node, id(thing))]

    def items(self, things: list[Any]) -> list[Any]:
        """Return the JSON of several values; plain numbers and text are checked together, which is faster."""
        kinds = set(map(type, things))
        if kinds <= _INLINE:
            return things
        if (kinds == {int} and min(things) > -LARGEST and max(things) < LARGEST) or (kinds == {str} and _is_text("".join(things))):
            return things
        return [self.item(thing) for thing in things]

    def update(self, number: int) -> None:
        """Add the contents of a shared container that has changed."""
        thing = self._table.objects[number]
        self._place(thing, lambda thing: self._contents(thing, number), -id(thing))

    def _place(self, thing: Any, make: Callable[[Any], list[Any]], key: int) -> int:
        place = self._places.get(key)
        if place is None:
            self._places[key] = place = len(self.nodes)
            self.nodes.append(None)
            self._left.append((place, make, thing))
            self._kept.append(thing)
        return place

    def _node(self, thing: Any) -> list[Any]:
        kind = type(thing)
        number = self._table.number(thing)
        if number is not None and not self._needs_class(thing, number):
            return ["known", number]
        if kind in KINDS:
            return self._contents(thing, None)
        make = _MAKERS.get(kind)
        if make is not None:
            return make(self, thing)
        if id(thing) in _NAMES:
            return ["singleton", _NAMES[id(thing)]]
        if is_made(kind) and (kind is not memoryview or is_copied(thing, tests=self._table.tests)):
            return ["made", kind.__name__, self.items(made_kind(kind.__name__).parts(thing))]
        return self._other(thing, kind)

    def _needs_class(self, thing: Any, number: int) -> bool:
        """Return True if an object must be described again, because the other side may have dropped its proxies."""
        mine = (number % 2 == 0) == self._table.tests
        return mine and number not in self._table.held and not isinstance(thing, type) and root_of(type(thing)) is None

    def _other(self, thing: Any, kind: type) -> list[Any]:
        if isinstance(thing, type):
            name = name_of(thing)
            return ["type", *name] if name and (self._table.tests or may_be_handed_over(thing)) else self._class(thing)
        if isinstance(thing, types.ModuleType):
            return ["module", thing.__name__]
        if isinstance(thing, BaseException):
            return self._error(thing, kind)
        if isinstance(thing, types.CoroutineType) or kind.__name__ in ("async_generator_asend", "async_generator_athrow"):
            return ["awaitable", self._table.export(thing)]
        if isinstance(thing, _ROUTINES) and self._table.tests and (name := name_of(thing)):
            return ["routine", *name]
        root = root_of(kind)
        if root in KINDS:
            return self._contents(thing, None)
        number = self._table.lend(thing) if root is None else self._table.export(thing)
        if kind is types.FunctionType:
            return ["object", number, None]
        mirror = self._mirror(kind)
        if root is not None:
            return ["value", number, mirror, self.item(VALUES[root](thing))]
        return ["object", number, mirror]

    def _contents(self, thing: Any, number: int | None) -> list[Any]:
        """Return the node of a shared container with its contents; from now on both sides have it."""
        kind = type(thing)
        mirror = None if kind in KINDS else self._mirror(kind)
        root = root_of(kind)
        extra = thing.maxlen if root is KINDS_DEQUE else thing.default_factory if root is KINDS_DEFAULT else None
        if number is None:
            number = self._table.export(thing)
        held = container_of(thing).read(thing)
        self._table.held[number] = held
        return ["shared", number, KINDS[root or kind], mirror, self.item(extra), self.items(held)]

    def _error(self, thing: BaseException, kind: type) -> list[Any]:
        own = vars(thing) if name_of(kind) else None
        number = 0 if own is not None else self._table.export(thing)
        listed = [part for pair in own.items() for part in pair] if own else []
        # The program is not told what the tests were handling when one of their functions raised.
        context = None if self._table.tests else thing.__context__
        given = thing.__reduce__()[1] if isinstance(thing, OSError) and own is not None else thing.args  # args lack the file's name
        if isinstance(thing, BaseExceptionGroup):
            given = (thing.message, thing.exceptions)  # a tuple: a list is still empty when the exception is made
        arguments = self.items(list(given))
        return [
            "error",
            number,
            self.item(kind) if own is not None else self._mirror(kind),
            arguments,
            self.items(listed),
            [self.item(thing.__cause__), self.item(context), thing.__suppress_context__],
        ]

    def _mirror(self, kind: type) -> list[int]:
        """Return the node of a class as the class of a proxy: those of the standard library have mirrors too."""
        return [self._place(kind, self._class, -id(kind))]

    def _class(self, kind: type) -> list[Any]:
        known = self._table.classes.get(kind) if type(kind) is not Mirror else self._table.number(kind)
        if known is not None:
            return ["known", known]
        self._table.classes[kind] = number = self._table.export(kind)
        ours = [base for base in kind.__bases__ if name_of(base) is None and base is not object]
        errors = _library_errors(kind)
        error = errors[0] if errors else None
        root = root_of(kind)
        extended = [base for base in kind.__mro__ if base is not object and base is not root and not (error and name_of(base))]
        own = {
            name: value for base in reversed(extended) for name, value in vars(base).items() if root is None or not issubclass(root, base)
        }
        specials = [name for name in SPECIALS if own.get(name) is not None]
        overrides = [name for name in own if not name.startswith("__")]
        fields = {
            "name": kind.__name__ if _is_text(kind.__name__) else "?",
            "specials": specials,
            "overrides": overrides if root else [],  # attributes of other classes are asked of the program anyway
            "hashable": kind.__hash__ is not None,
            "root": root.__name__ if root else "",
            "real": name_of(kind),
            "claims": [CLAIMS[base] for base in kind.__mro__ if base in CLAIMS],
        }
        return ["class", number, fields, [self._mirror(base) for base in ours], [self.item(error) for error in errors]]


KINDS_DEQUE = next(kind for kind, name in KINDS.items() if name == "deque")
KINDS_DEFAULT = next(kind for kind, name in KINDS.items() if name == "defaultdict")
_MAKERS: dict[type, Callable[[Encoder, Any], list[Any]]] = {
    int: lambda encoder, thing: ["int", hex(thing)],
    str: lambda encoder, thing: ["str", thing.encode("utf-32-le", "surrogatepass").hex()],
    bytes: lambda encoder, thing: ["bytes", thing.hex()],
    complex: lambda encoder, thing: ["complex", thing.real, thing.imag],
    tuple: lambda encoder, thing: ["tuple", encoder.items(list(thing))],
    frozenset: lambda encoder, thing: ["frozenset", encoder.items(list(thing))],
    Numbered: lambda encoder, thing: ["known", thing.number],
    types.TracebackType: lambda encoder, thing: ["singleton", "None"],  # its frames are in this process; `throw` takes no proxy
}


def _library_errors(kind: type) -> list[type]:
    """Return the exceptions of the standard library that a class extends, without those that another of them extends."""
    named = [base for base in kind.__mro__ if issubclass(base, BaseException) and name_of(base)]
    # A second one that programs may not hand over is no class on the other side.
    known = named[:1] + [base for base in named[1:] if may_be_handed_over(base)]
    return [base for place, base in enumerate(known) if not any(issubclass(other, base) for other in known[:place])]


def _is_text(text: str) -> bool:
    """Return True if JSON preserves a string: it would join two surrogates into one character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def name_of(thing: Any) -> tuple[str, str] | None:
    """Return the module and name by which an object of the standard library is found again; None for any other object."""
    if type(thing) is Mirror:
        return None
    owner = getattr(thing, "__objclass__", None)
    module = getattr(owner or thing, "__module__", None)
    name = getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module.partition(".")[0] not in sys.stdlib_module_names:
        return ("builtins", thing.__name__) if isinstance(thing, type) and NAMELESS.get(thing.__name__) is thing else None
    try:
        found: Any = sys.modules[module]
        for part in name.split("."):
            found = vars(found)[part] if found is owner else getattr(found, part)
    except (KeyError, AttributeError):
        found = None
    if found is thing:
        return module, name
    return ("builtins", thing.__name__) if isinstance(thing, type) and NAMELESS.get(thing.__name__) is thing else None

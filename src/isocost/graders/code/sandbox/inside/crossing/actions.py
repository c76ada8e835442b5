"""Actions that one side does with its objects because the other side asks for them."""

from __future__ import annotations

import copy
import inspect
import string
import sys
import types
from collections.abc import Callable
from typing import Any

from .specials import RUNNING, SPECIALS, STEPS

_ROUTINES = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_SAID = frozenset(("__name__", "__qualname__", "__doc__", "__module__", "__dict__"))


def perform(action: str, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Do what is asked for, with all that it raises."""
    return _ACTIONS[action](target, *arguments, **named)


def is_allowed(action: str, target: object, arguments: list[Any]) -> bool:
    """Tell whether a program may ask this of an object of the tests.

    It may do what the tests gave it the object for: call a function, iterate, use attributes and methods. It may not reach what is
    behind: special attributes (`__globals__`), frames, code; nor make objects of the library's there: `type(key)("__globals__")` of an
    `attrgetter`, or another mock, that equals everything.
    """
    if action == "call" and isinstance(target, type):
        return _package(target) not in sys.stdlib_module_names and "unittest" not in map(_package, target.__mro__)
    if action in ("call", "await", "names", "signature", "copy", "deepcopy"):
        return True
    name = arguments[0] if arguments else None
    if type(name) is not str:
        return False  # a subclass's methods are the program's: they would answer the questions below
    if action == "special":
        return name in SPECIALS
    if action == "step":
        return isinstance(target, RUNNING) and name in STEPS
    return action in ("get", "set", "delete") and _is_open(target, name, reads=action == "get")


def _is_open(target: object, name: str, *, reads: bool) -> bool:
    """Tell whether a program may read, or change, an attribute of an object of the tests."""
    if isinstance(target, types.FrameType | types.CodeType | types.TracebackType | types.ModuleType):
        return False
    if name.startswith("__") and name.endswith("__"):
        return reads and name in _SAID and (name != "__dict__" or not isinstance(target, (type, *_ROUTINES)))
    if _is_kept(target, name):
        return False
    if isinstance(target, RUNNING):
        return name in STEPS
    if isinstance(target, type):
        return reads
    if not reads:  # `cb.assert_called_once = lambda: None` would answer in place of a method of the tests
        found = inspect.getattr_static(type(target), name, None)
        return not (callable(found) or isinstance(found, classmethod) or _package(_owner(target, name)) == "unittest")
    return not isinstance(target, _ROUTINES) or name in getattr(target, "__dict__", {})


def _is_kept(target: object, name: str) -> bool:
    """Tell whether a class of the standard library keeps an attribute for itself, or for tests: `configure_mock` makes equal to all."""
    owner = _owner(target, name)
    if _package(owner) == "unittest":
        return isinstance(vars(owner)[name], types.FunctionType)
    if owner is string.Formatter:
        return True  # `format` reads attributes by their names
    return name.startswith("_") and _package(owner) in sys.stdlib_module_names and name in vars(owner)


def _owner(target: object, name: str) -> type:
    """The class that has an attribute; `object` where none has."""
    classes = (*(target.__mro__ if isinstance(target, type) else ()), *type(target).__mro__)
    return next((one for one in classes if name in vars(one)), object)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def may_stop(action: str, arguments: tuple[object, ...]) -> bool:
    """Tell whether an action may end an iteration.

    Elsewhere StopIteration would end the loop around a call, `all(map(check, cases))`, as if nothing were left to test.
    """
    return action in ("step", "await") or (action == "special" and arguments[0] in ("__next__", "__anext__"))


def _call(target: Any, /, *arguments: Any, **named: Any) -> Any:
    return target(*arguments, **named)


def _step(target: Any, name: str, *arguments: Any) -> Any:
    return getattr(target, name)(*arguments)


def _special(target: Any, name: str, /, *arguments: Any, **named: Any) -> Any:
    method = getattr(type(target), name, None)
    if method is not None and not (isinstance(target, type) and name == "__call__"):
        return method(target, *arguments, **named)
    if name == "__getitem__":
        return target[arguments[0]]  # list[int]
    raise TypeError(f"{type(target).__name__!r} object has no {name}")


def _signature(target: Any) -> inspect.Signature:
    """The signature, without annotations, which may be anything."""
    found = inspect.signature(target)
    parameters = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    return found.replace(parameters=parameters, return_annotation=inspect.Signature.empty)


def _await(target: Any) -> Any:
    """Run a coroutine to its end: in the loop of this process, or, where that is running, in another thread."""
    import asyncio
    import threading

    async def outer() -> Any:
        return await target

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if not _loops:
            _loops.append(asyncio.new_event_loop())
            asyncio.set_event_loop(_loops[0])
        return _loops[0].run_until_complete(outer())
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(asyncio.run(outer())))
    thread.start()
    thread.join()
    return said[0]


_loops: list[Any] = []


_ACTIONS: dict[str, Callable[..., Any]] = {
    "call": _call,
    "step": _step,
    "get": getattr,
    "set": setattr,
    "delete": delattr,
    "special": _special,
    "names": dir,
    "signature": _signature,
    "await": _await,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}

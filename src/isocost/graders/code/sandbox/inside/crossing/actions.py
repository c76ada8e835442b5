"""Actions that one side does with its objects at the other side's request."""

from __future__ import annotations

import copy
import enum
import inspect
import string
import sys
import types
from collections.abc import Callable
from typing import Any

from .mirrors import Mirror
from .specials import RUNNING, SPECIALS, STEPS

_ROUTINES = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_READABLE = frozenset(("__name__", "__qualname__", "__doc__", "__module__", "__dict__", "__annotations__", "__code__"))
# What a mock was called with: the program could change it afterwards.
_RECORDS = frozenset(("call_args", "call_args_list", "mock_calls", "method_calls", "await_args", "await_args_list"))
_FACTS = ("co_name", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_varnames", "co_flags")


def perform(action: str, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Do an action.

    Raises:
        BaseException: any exception of the action.
    """
    return _ACTIONS[action](target, *arguments, **named)


def is_allowed(action: str, target: object, arguments: list[Any]) -> bool:
    """Return True if a program may ask for this action on an object of the tests.

    It may use the object as the tests meant it: call a function, iterate, use attributes and methods. It may not reach behind it, to
    special attributes (`__globals__`), frames or code. Nor may it make library objects there: `type(key)("__globals__")` of an
    `attrgetter`, or another mock, which equals everything.
    """
    if action == "call" and isinstance(target, type):
        return _package(target) not in sys.stdlib_module_names and "unittest" not in map(_package, target.__mro__)
    if action in ("call", "await", "names", "signature", "copy", "deepcopy"):
        return True
    name = arguments[0] if arguments else None
    if type(name) is not str:
        return False  # the methods of a subclass are the program's, and would decide the tests below
    if action == "special":
        return name in SPECIALS
    if action == "step":
        return isinstance(target, RUNNING) and name in STEPS
    return action in ("get", "set", "delete") and _is_open(target, name, reads=action == "get")


def without_handles(name: str, found: Any) -> Any:
    """Return what a program gets of an attribute of the tests: no dict and no code in which it could put something of its own."""
    if name[:1] == "_" and name[-1:] == "_" and type(found) in (dict, list):
        return found.copy()
    if isinstance(found, types.CodeType):  # decorators ask it how many arguments a function takes
        return types.SimpleNamespace(**{fact: getattr(found, fact) for fact in _FACTS})
    return found


def _is_open(target: object, name: str, *, reads: bool) -> bool:
    """Return True if a program may read, or change, an attribute of an object of the tests."""
    if isinstance(target, types.FrameType | types.CodeType | types.TracebackType | types.ModuleType):
        return False
    if name.startswith("__") and name.endswith("__"):
        return reads and name in _READABLE and (name != "__dict__" or not (isinstance(target, (type, *_ROUTINES)) or _is_mock(target)))
    if _is_kept(target, name):
        return False
    if name[:1] == "_" and name[-1:] == "_" and enum.Enum in _kinds(target):
        return reads  # tables of the members: `without_handles` copies them
    if isinstance(target, RUNNING):
        return name in STEPS
    if isinstance(target, type):
        return reads
    if not reads:  # `cb.assert_called_once = lambda: None` would replace a method of the tests
        found = inspect.getattr_static(type(target), name, None)
        return not (callable(found) or isinstance(found, classmethod) or _package(_owner(target, name)) == "unittest")
    return not isinstance(target, _ROUTINES) or name in getattr(target, "__dict__", {})


def _is_kept(target: object, name: str) -> bool:
    """Return True if the standard library keeps an attribute for itself or for tests: `configure_mock` could make a mock equal anything.

    Mocks keep their state in attributes of each object.
    """
    owner = _owner(target, name)
    if _is_mock(target) and (name.startswith(("_mock_", "_spec_")) or name in _RECORDS):
        return True
    if _package(owner) == "unittest":
        return isinstance(vars(owner)[name], types.FunctionType)
    if owner is string.Formatter:
        return True  # `format` reads attributes by their names
    return name.startswith("_") and _package(owner) in sys.stdlib_module_names and name in vars(owner)


def could_pass_for_a_mock(target: object, value: object) -> bool:
    """Return True for an object of the program that would be an attribute of a mock: its `assert_called_with` may always pass."""
    return _is_mock(target) and any(type(kind) is Mirror for kind in (value, type(value)))


def _is_mock(target: object) -> bool:
    return "unittest" in map(_package, _kinds(target))


def _kinds(target: object) -> tuple[type, ...]:
    return (target if isinstance(target, type) else type(target)).__mro__


def _owner(target: object, name: str) -> type:
    """Return the class that has an attribute; `object` where none has it."""
    classes = (*(target.__mro__ if isinstance(target, type) else ()), *type(target).__mro__)
    return next((one for one in classes if name in vars(one)), object)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def may_stop(action: str, arguments: tuple[object, ...]) -> bool:
    """Return True if an action may end an iteration.

    Elsewhere StopIteration would end the loop around a call, as in `all(map(check, cases))`, as if no tests were left.
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


def _await(target: Any) -> Any:
    """Run a coroutine to its end: in this process's event loop, or in another thread if that loop is running."""
    import asyncio  # here, because few programs need it and its import is slow
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
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(outer())))
    thread.start()
    thread.join()
    return results[0]


_loops: list[Any] = []  # the event loop, made on first use and kept: objects of a coroutine belong to their loop


_ACTIONS: dict[str, Callable[..., Any]] = {
    "call": _call,
    "step": _step,
    "get": getattr,
    "set": setattr,
    "delete": delattr,
    "special": _special,
    "names": dir,
    "signature": inspect.signature,
    "await": _await,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}

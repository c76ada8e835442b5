"""The namespace of the tests: the program's definitions, and the names that belong to the tests or the problem.

A program is asked for its own definitions only. Everything else that a test calls (`abs`, `sorted`, `math.isclose`, a helper of the
prompt) is the tests' own, because otherwise a program could pass by redefining it.
"""

from __future__ import annotations

import ast
import builtins
import dis
import importlib
import re
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

from .checks import assertion_lines, conditional_raises
from .crossing.decoding import Named
from .crossing.mirrors import Function, Mirror
from .crossing.peer import Peer
from .scopes import looked_up, uses_module

_BUILTINS = frozenset((*vars(builtins), "exit", "quit"))  # the server adds these two later
_EXCEPTIONS = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException))
# What tests check results with: the program's only where they use no other name.
_TOOLS = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type)) | frozenset(
    ("abs", "all", "any", "callable", "getattr", "hasattr", "isinstance", "issubclass", "iter", "len", "next", "open", "print", "repr",
     "round", "sorted", "exit", "quit")
)  # fmt: skip


@dataclass(kw_only=True)
class Reference:
    """The tests of a problem, and its parts that say which names are asked of a program."""

    tests: str
    prompt: str = ""
    entry_point: str = ""
    solution: str = ""
    _trusted: dict[str, Any] | None = field(default=None, init=False)

    @cached_property
    def asked(self) -> frozenset[str]:
        """The built-in names that mean the program's.

        The entry point, else names that the solution defines. Without these: all that the tests use, if they use nothing else of the
        program. `assert sum(10, 15) == 6` tests a `sum` of the program's own; `assert sum(f(2)) == 6` does not. Where the tests use
        something else, a name that the solution itself calls is its helper. Exceptions are the tests' own. So are tools of tests where
        they use another name: the `all` of `assert all(sum(x, y) == x + y for x, y in cases)`.
        """
        if self.entry_point:
            return frozenset((self.entry_point,))
        statements = _statements(self.tests)
        used = looked_up(statements)
        alone = not uses_module(statements) and not any(map(self._is_programs, used))
        if not self.solution:
            names = (used & _BUILTINS) - _EXCEPTIONS if alone else frozenset()
            return names if len(names) < 2 else names - _TOOLS
        parts = _statements(self.solution)
        defined = frozenset(_defined(parts))
        return defined if alone else defined - {name for part in parts for name in _read(part).difference(_defined([part]))}

    def _is_programs(self, name: str) -> bool:
        """Return True if a name that the tests look up, no built-in one, is asked of the program."""
        return name not in _BUILTINS and not name.startswith("__") and self.own_module(name) is None

    def hands_over(self, name: str, value: type | types.FunctionType) -> bool:
        """Return True if a program that uses a name of the tests receives its value.

        Classes are handed over unless they assert. Functions are handed over unless they assert or the tests call them themselves: a
        program could try its guesses on a `check`, or ask `expected` for the answer. A name that the problem's own solution uses is always
        handed over.
        """
        if name in self._used_by_solution:
            return True
        if isinstance(value, type):
            return not any(_holds_checks(base) for base in value.__mro__)
        return not _is_checking(value) and name not in self._called

    @cached_property
    def checks(self) -> frozenset[tuple[int, int]]:
        """The places where the tests raise an exception on a condition."""
        return conditional_raises(_statements(self.tests))

    @cached_property
    def last_line(self) -> int:
        """The line of the last statement, if that is an expression; else one behind the tests."""
        statements = _statements(self.tests)
        is_expression = bool(statements) and isinstance(statements[-1], ast.Expr)
        return statements[-1].lineno if is_expression else len(self.tests)

    @cached_property
    def assertions(self) -> frozenset[int]:
        """The lines of the tests' assertions."""
        return assertion_lines(_statements(self.tests))

    @cached_property
    def _used_by_solution(self) -> set[str]:
        return _free(self.solution)

    @cached_property
    def _called(self) -> set[str]:
        """The names that the tests use outside the function of that name."""
        found: set[str] = set()
        for statement in _statements(self.tests):
            own = {statement.name} if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) else set()
            found |= _read(statement) - own
        return found

    def asks_for_class(self, name: str) -> bool:
        """Return True if a program is asked for a class by this name.

        Without a solution or prompt, capitalised names are taken for classes.
        """
        known = f"{self.prompt}\n{self.solution}"
        return bool(re.search(rf"^ *class +{re.escape(name)}\b", known, re.M)) if known.strip() else name[:1].isupper()

    def own(self, name: str) -> Any:
        """Return the problem's own value of a name: a helper before the prompt's function, or an import of the solution.

        Raises:
            KeyError: the problem has no value for it.
        """
        if name == self.entry_point or (name not in self.prompt and name not in self.solution):
            raise KeyError(name)
        if self._trusted is None:
            self._trusted = self._run()
        return self._trusted[name]

    def _run(self) -> dict[str, Any]:
        """Return the names that the prompt defines before its function, and those that the solution imports."""
        names: dict[str, Any] = {"__name__": "solution"}
        found = re.search(rf"^(?:async )?def +{re.escape(self.entry_point)}\b", self.prompt, re.M) if self.entry_point else None
        _execute(self.prompt[: found.start()] if found else "", names)
        defined = set(_defined(_statements(self.solution)))
        for statement in _statements(self.solution):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                _execute(ast.unparse(statement), names)
        return {name: value for name, value in names.items() if name not in defined and not name.startswith("__")}

    def own_module(self, name: str) -> ModuleType | None:
        """Return the standard library module that the tests mean by a name, if it has every attribute that they use; else None."""
        if name not in sys.stdlib_module_names:
            return None
        used = self._of_module(name)
        if used is None:
            return None
        module = importlib.import_module(name)
        return module if all(hasattr(module, attribute) for attribute in used) else None

    def _of_module(self, name: str) -> set[str] | None:
        """Return the attributes that the tests use of a name; None where they use it in a way that no module supports, such as a call."""
        nodes = [*ast.walk(ast.parse(self.tests))]
        uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
        used = [
            node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
        ]
        return set(used) if len(uses) == len(used) else None


class Names(dict[str, Any]):
    """The namespace of the tests. A name that they do not define is looked up in the reference, then asked of the program."""

    def __init__(self, reference: Reference, peer: Peer, defined: Mapping[str, Any]) -> None:
        super().__init__(__name__="solution", __builtins__=_Builtins(self))
        self._reference, self._peer, self._shadows = reference, peer, frozenset(defined["shadows"])
        self._steady = bool(defined["steady"])  # the program never rebinds a name, so each function is looked up once
        self._functions: dict[str, Any] = dict(defined["functions"])
        self._known: dict[str, Any] = {}

    def redefines(self, name: str) -> bool:
        """Return True if a built-in name means the program's."""
        return name in self._shadows and name in self._reference.asked

    def __missing__(self, name: str) -> Any:
        if name in _BUILTINS and not self.redefines(name):
            raise KeyError(name)
        return self._look_up(name)

    def of_module(self, name: str) -> Any:
        """Return an attribute of the program's module. A built-in name means the program's there.

        Raises:
            KeyError: the program does not define it.
        """
        if name in _BUILTINS and name not in self._shadows:
            raise KeyError(name)
        return self._look_up(name) if name in _BUILTINS else self[name]

    def _look_up(self, name: str) -> Any:
        # Python and its libraries look these up by themselves: a package's `__path__` would have files of the program imported here.
        if _is_hook(name) and (name == "__path__" or not re.search(rf"\b{name}\b", self._reference.tests)):
            raise KeyError(name)
        if name not in _BUILTINS:
            try:
                value = self._reference.own(name)
            except KeyError:
                pass
            else:
                self[name] = value
                return value
        if name in self._known:
            return self._known[name]
        value = self._peer.function(self._functions[name]) if name in self._functions else self._peer.ask("name", None, name)
        if isinstance(value, Named):
            return _module(name if name in sys.stdlib_module_names else value.name)
        if isinstance(value, Mirror) and self._reference.asks_for_class(name):
            self._peer.named.add(value)
        own = self._reference.own_module(name)
        value = value if own is None else own
        if self._steady and isinstance(value, Function | Mirror):
            self._known[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def forget(self, name: str) -> None:
        """Drop a name from the cache, so that its next use looks it up again."""
        self._known.pop(name, None)
        self._functions.pop(name, None)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name, from whichever source."""
        try:
            return self[name]
        except KeyError:
            return default


class _Builtins(dict[str, Any]):
    """The builtins of the tests' code, and the names of the program for class bodies.

    A class body reads globals without calling `__missing__` (Python 3.11 and 3.12), then the builtins, where it is called. Built-in
    names are read from the module at each use, because tests patch them. Its attributes are the module's: `__builtins__.input = ...`.
    """

    def __init__(self, names: Names) -> None:
        super().__init__(__import__=builtins.__import__)  # an import statement does not call `__missing__`
        vars(self)["_names"] = names

    def __getattr__(self, name: str) -> Any:
        return getattr(builtins, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(builtins, name, value)

    def __missing__(self, name: str) -> Any:
        names: Names = vars(self)["_names"]
        if name in _BUILTINS and not names.redefines(name):
            return vars(builtins)[name]
        try:
            return names[name]
        except KeyError:
            return vars(builtins)[name]


class SolutionModule(ModuleType):
    """The module object that the tests import as the program."""

    def __init__(self, names: Names, peer: Peer) -> None:
        super().__init__("solution")
        vars(self).update(_names=names, _peer=peer)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":  # without the built-in names that the program redefined for itself
            return [name for name in self._peer.ask("globals", None) if name in self._names]
        try:
            return self._names.of_module(name)
        except KeyError:
            raise AttributeError(f"module 'solution' has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: object) -> None:
        self._names.forget(name)
        self._peer.ask("rename", None, name, value)

    def __delattr__(self, name: str) -> None:
        self._names.forget(name)
        self._peer.ask("unname", None, name)


def _is_hook(name: str) -> bool:
    """Return True if a name means something to Python or to unittest."""
    return name.startswith("__") or name in ("setUpModule", "tearDownModule", "load_tests")


def _holds_checks(kind: type) -> bool:
    """Return True if methods of a class assert, except those that validate an object when it is made."""
    package = kind.__module__.partition(".")[0]
    if package in sys.stdlib_module_names:
        return package == "unittest"
    return any(_is_checking(method) for name, method in vars(kind).items() if name not in ("__init__", "__new__", "__post_init__"))


def _is_checking(function: object) -> bool:
    """Return True if a function asserts, itself or in a nested function: by a statement, or by a method as of unittest."""
    function = getattr(function, "__func__", function)  # of a static or a class method
    parts = [function.__code__] if isinstance(function, types.FunctionType) else []
    while parts:
        code = parts.pop()
        if any(name.startswith(("assert", "Assert")) for name in code.co_names):
            return True
        if any(step.opname == "LOAD_ASSERTION_ERROR" for step in dis.get_instructions(code)):
            return True
        parts += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return False


def _module(name: str) -> ModuleType:
    """Import a module of the standard library.

    Raises:
        KeyError: it is not in the standard library.
    """
    if name.partition(".")[0] not in sys.stdlib_module_names or "__main__" in name:
        raise KeyError(name)
    return importlib.import_module(name)


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # a body that continues the prompt


def _defined(statements: list[ast.stmt]) -> Iterable[str]:
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            yield from (node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _read(statement: ast.stmt) -> set[str]:
    """Return the names that a statement reads."""
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _free(source: str) -> set[str]:
    """Return the names that a source uses and does not define."""
    nodes = [node for statement in _statements(source) for node in ast.walk(statement)]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    stored |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    stored |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    stored |= {
        alias.asname or alias.name.partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return {node.id for node in nodes if isinstance(node, ast.Name)} - stored


def _execute(source: str, names: dict[str, Any]) -> None:
    try:
        exec(compile(source, "prompt", "exec", dont_inherit=True), names)  # noqa: S102 - the problem's own source, in the sandbox
    except Exception:  # noqa: BLE001 - any error: the names that were defined before it are used
        return

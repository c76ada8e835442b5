"""Attributes of the tests' classes that compute what is expected, and which a program may therefore not use.

A class that holds the reference solution is one by how the tests use it: they make an object of it themselves and use its method
(`Ref().solve(x)`). A class of data is not: the tests hand its objects to the program, use those that it returns, or compare whole objects.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator
from typing import Any

from .crossing.mirrors import Mirror

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MAKING = ("__init__", "__post_init__", "__new__")
_PLAIN = (ast.Name, ast.Constant, ast.Attribute, ast.expr_context)
_COPIES = frozenset(("list", "dict", "set", "tuple", "str", "int", "float"))
_STATE = frozenset(("__dict__", "__repr__", "__str__"))  # these show all attributes


class Answers:
    """The answering attributes of the tests' classes, closed to a program in the objects that it makes itself.

    Objects that the tests hand over are open to it, and so is what it reaches from them.
    """

    def __init__(self, closed: dict[str, frozenset[str]]) -> None:
        self._closed = closed
        self._handed: dict[int, Any] = {}  # by id, with the objects, so that no later one gets the id
        self._made: dict[int, Any] = {}

    def note(self, things: Iterable[object], *, handed: bool) -> None:
        """Record objects that cross to the program: handed over by the tests, or what it asked of an object that it made."""
        for thing in things:
            kind = thing if isinstance(thing, type) else type(thing)
            if type(kind) is Mirror or kind.__module__ != "solution":
                continue
            if not handed:
                self._made.setdefault(id(thing), thing)
            elif id(thing) not in self._made:
                self._handed[id(thing)] = thing
                self._handed[id(kind)] = kind

    def is_handed(self, thing: object) -> bool:
        """Return True unless a program made an object, or a class is one of which it was handed no object."""
        if isinstance(thing, types.MethodType):
            return self.is_handed(thing.__self__)
        return id(thing) in self._handed or not (isinstance(thing, type) or id(thing) in self._made)

    def allow(self, action: str, target: object, arguments: list[Any]) -> bool:
        """Return True if a program may do this with an object of the tests."""
        kind = target if isinstance(target, type) else type(target)
        closed = frozenset().union(*(self._closed.get(base.__name__, ()) for base in kind.__mro__ if base.__module__ == "solution"))
        if not closed or self.is_handed(target):
            return True
        if action == "call":
            return isinstance(target, type) or "__call__" not in closed
        return not arguments or arguments[0] not in closed


def answering(statements: list[ast.stmt]) -> dict[str, frozenset[str]]:
    """Return by class of the tests the methods and computed attributes that the tests use of objects that they make themselves.

    Also the methods that these use, and what shows all attributes where one of them is computed. `__call__` and `__getitem__` stand for
    calls and subscripts.
    """
    classes = {node.name: node for statement in statements for node in ast.walk(statement) if isinstance(node, ast.ClassDef)}
    functions = {node.name: node for statement in statements for node in ast.walk(statement) if isinstance(node, _FUNCTIONS)}
    families = {name: {name, *_bases(node, classes)} for name, node in classes.items()}
    found = dict.fromkeys(classes, frozenset[str]())
    for name in classes:
        family = [classes[one] for one in classes if one in families[name] or name in families[one]]
        methods = {part.name: part for node in family for part in node.body if isinstance(part, _FUNCTIONS)}
        computed = {attribute for node in family for attribute in _computed(node)}
        others = [statement for statement in statements if statement is not classes[name]]
        used = set(_used_of_own(name, others, functions)) & (methods.keys() | computed)
        left = [*used]
        while left:
            body = methods.get(left.pop())
            inner = {node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute)} if body else set()
            left += (inner & methods.keys()) - used
            used |= inner & methods.keys()
        for node in family:
            found[node.name] |= used | (_STATE if used & computed else frozenset())
    return {name: names for name, names in found.items() if names}


def _bases(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[str]:
    """Yield the names of the classes of the tests that a class extends."""
    seen = {node.name}
    left = [node]
    while left:
        for base in left.pop().bases:
            if isinstance(base, ast.Name) and base.id in classes and base.id not in seen:
                seen.add(base.id)
                left.append(classes[base.id])
                yield base.id


def _computed(node: ast.ClassDef) -> Iterator[str]:
    """Yield the attributes that are computed when an object is made: not just a parameter, a constant or an empty container."""
    for method in node.body:
        for part in ast.walk(method) if isinstance(method, _FUNCTIONS) and method.name in _MAKING else ():
            targets = (
                part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AugAssign | ast.AnnAssign) else []
            )
            value = getattr(part, "value", None)
            if isinstance(part, ast.AugAssign) or (value is not None and not _is_plain(value)):
                yield from (target.attr for target in targets if isinstance(target, ast.Attribute))


def _is_plain(value: ast.AST) -> bool:
    if isinstance(value, ast.BoolOp | ast.List | ast.Tuple | ast.Set | ast.Dict | ast.IfExp | ast.Starred | ast.boolop):
        return all(map(_is_plain, ast.iter_child_nodes(value)))
    if isinstance(value, ast.Call):  # a copy: list(values)
        return isinstance(value.func, ast.Name) and value.func.id in _COPIES and all(isinstance(one, ast.Name) for one in value.args)
    return isinstance(value, _PLAIN)


def _used_of_own(name: str, statements: Iterable[ast.stmt], functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> Iterator[str]:
    """Yield the attributes that statements use of a class, and of objects that they make of it and keep in variables."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    kept = {name}
    while True:
        before = len(kept)
        for node in nodes:
            kept |= {*_kept_by(node, kept, functions)}
        if len(kept) == before:
            break
    for node in nodes:
        if isinstance(node, ast.Attribute) and _is_of(node.value, kept):
            yield node.attr
        elif isinstance(node, ast.Call) and _name_given(node) and _holds(node.args[0], kept):
            yield _name_given(node)
        elif isinstance(node, ast.Call) and _is_of(node.func, kept) and not (isinstance(node.func, ast.Name) and node.func.id == name):
            yield "__call__"
        elif isinstance(node, ast.Subscript) and _is_of(node.value, kept):
            yield "__getitem__"


def _name_given(call: ast.Call) -> str:
    """Return the name in `getattr(thing, "name")`; else an empty text."""
    found = call.args[1] if isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) > 1 else None
    return found.value if isinstance(found, ast.Constant) and isinstance(found.value, str) else ""


def _kept_by(node: ast.AST, kept: set[str], functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> Iterator[str]:
    """Yield the variables, attributes, parameters and functions by which a node names an object of the class."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None and _holds(node.value, kept):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from _keys(target)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and _holds(node.iter, kept):
        yield from _keys(node.target)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None and _is_of(node.context_expr, kept):
        yield from _keys(node.optional_vars)
    elif isinstance(node, _FUNCTIONS) and any(_holds(part.value, kept) for part in ast.walk(node) if isinstance(part, ast.Return)):
        yield node.name
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
        given = functions[node.func.id].args
        parameters = [one.arg for one in (*given.posonlyargs, *given.args)]
        yield from (parameter for parameter, value in zip(parameters, node.args, strict=False) if _holds(value, kept))
        yield from (keyword.arg for keyword in node.keywords if keyword.arg and _holds(keyword.value, kept))


def _holds(value: ast.expr | None, kept: set[str]) -> bool:
    """Return True if an expression is the class or an object of it, or a container or function of such."""
    if isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return any(_holds(part, kept) for part in (value.values if isinstance(value, ast.Dict) else value.elts))
    if isinstance(value, ast.Lambda):
        return _holds(value.body, kept)
    return value is not None and _is_of(value, kept)


def _is_of(value: ast.expr, kept: set[str]) -> bool:
    """Return True if an expression is the class, an object made of it, or a part of one."""
    while True:
        if _key(value) in kept:
            return True
        if isinstance(value, ast.Attribute | ast.Subscript | ast.Await):
            value = value.value
        elif isinstance(value, ast.Call):
            value = value.func
        else:
            return False


def _keys(target: ast.expr) -> Iterator[str]:
    """Yield the keys of the variables and attributes in a target."""
    yield from filter(None, (_key(part) for part in ast.walk(target) if isinstance(part, ast.expr)))


def _key(target: ast.expr) -> str:
    """Return the name of a variable, or of an attribute of one with a dot before it; else an empty text."""
    return target.id if isinstance(target, ast.Name) else f".{target.attr}" if isinstance(target, ast.Attribute) else ""

"""Names that tests look up outside of themselves, in the order in which their statements run.

A name that the tests bind only later, only in one branch, or only in another scope means the program's where it is read before:
`def run(f): ...`, then `run(f)`.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence

PROGRAM = "solution"  # the module that tests import as the program
ANYTHING = "*"  # stands for names that only running shows: `globals()[name]`, `eval(text)`
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LEAVING = (ast.Raise, ast.Return, ast.Continue, ast.Break)
_IMPORTERS = frozenset(("import_module", "__import__", "modules", "patch", "reload", "find_spec", "resolve_name"))
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def looked_up(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Return the names that statements read at module level, or in functions, without having certainly bound them before.

    Contains `ANYTHING` where the source does not show which names are read.
    """
    flow = _Flow()
    try:
        flow.run(statements)
    except RecursionError:
        return frozenset((ANYTHING,))
    return frozenset(flow.found)


def uses_module(statements: Iterable[ast.stmt]) -> bool:
    """Return True if statements use the program as a module, by an import or by its name. `from solution import *` names nothing."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    for node in nodes:
        if isinstance(node, ast.Import) and any(_is_program(alias.name) for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and _is_program(node.module or "") and node.names[0].name != "*":
            return True
    words = {getattr(node, "id", getattr(node, "attr", getattr(node, "name", ""))) for node in nodes}
    if not words & _IMPORTERS:
        return False
    loaded = {id(one) for node in nodes if isinstance(node, ast.Call) and _name(node.func).startswith("loadTests") for one in node.args}
    return any(
        (isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_program(node.value))
        or (isinstance(node, ast.Subscript) and ast.unparse(node).endswith("modules[__name__]") and id(node) not in loaded)
        for node in nodes
    )


class _Flow(ast.NodeVisitor):
    """Walk statements as they run. The body of a function or of a class's methods runs where its name is first read."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._bound: set[str] = set()
        self._later: dict[str, list[tuple[ast.AST, list[set[str]], set[str]]]] = {}
        self._scopes: list[set[str]] = []  # local names of the functions around
        self._class: set[str] | None = None  # names bound so far in the class body that runs

    def run(self, statements: Iterable[ast.stmt]) -> None:
        """Walk all statements, then the functions that nothing read: a test runner may call them."""
        self._visit(statements)
        known = set(self._later)
        for name in [*self._later]:
            for body, scopes, bound in self._later.pop(name, ()):
                self._bound = bound | known
                self._enter(body, scopes)

    def _visit(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _enter(self, node: ast.AST, scopes: list[set[str]]) -> None:
        """Walk the body of a function with its own local names."""
        kept = self._scopes, self._class
        self._scopes, self._class = [*scopes, _locals(node)], None
        body = node.body if isinstance(node, (*_FUNCTIONS, ast.Lambda)) else []
        self._visit(body if isinstance(body, list) else [body])
        self._scopes, self._class = kept

    def _bind(self, name: str) -> None:
        if self._class is not None:
            self._class.add(name)
        elif not any(name in scope for scope in self._scopes):
            self._bound.add(name)

    def _read(self, name: str) -> None:
        if (self._class is not None and name in self._class) or any(name in scope for scope in self._scopes):
            return
        if name not in self._bound:
            self.found.add(name)
        for body, scopes, _ in self._later.pop(name, ()):
            self._enter(body, scopes)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
            if node.id in ("globals", "locals"):
                self.found.add(ANYTHING)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        else:
            self._bound.discard(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("eval", "exec") and node.args:
            self._visit(_evaluated(node.args[0]) or [ast.Name(ANYTHING, ast.Load())])
        elif name == "vars" and not node.args:
            self.found.add(ANYTHING)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit([node.value, *node.targets])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit([node.annotation, node.value, node.target if node.value else None])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self._visit([node.value, node.target])

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._visit([node.value, node.target])

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            for name in _starred(node.module or "") if alias.name == "*" else (alias.asname or alias.name,):
                self._bind(name)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> None:
        self._visit([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        self._visit([one.annotation for one in ast.walk(node.args) if isinstance(one, ast.arg)])
        if self._scopes or (node.decorator_list and self._class is None):  # a decorator may call it at once
            self._enter(node, self._scopes)
        else:
            self._later.setdefault(owner, []).append((node, [*self._scopes], set(self._bound)))
        self._bind(node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node, self._owner or node.name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node, self._owner or node.name)

    _owner = ""  # the class whose body runs

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        kept = self._class, self._owner
        self._class, self._owner = set(), self._owner or node.name
        self._visit(node.body)
        self._class, self._owner = kept
        self._bind(node.name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit([*node.args.defaults, *node.args.kw_defaults])
        self._enter(node, self._scopes)

    def _comprehension(self, node: _Comprehension) -> None:
        self.visit(node.generators[0].iter)
        kept = self._scopes, self._class
        self._scopes, self._class = [*self._scopes, _locals(node)], None
        for place, part in enumerate(node.generators):
            self._visit([part.iter if place else None, part.target, *part.ifs])
        self._visit([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._scopes, self._class = kept

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def _branches(self, branches: Iterable[Sequence[ast.AST]]) -> None:
        """Walk branches of which one runs. A name is bound after them if each that goes on binds it."""
        before, after = set(self._bound), []
        for branch in branches:
            self._bound = set(before)
            self._visit(branch)
            last: ast.AST | None = branch[-1] if branch else None
            if not isinstance(last.body[-1] if isinstance(last, ast.ExceptHandler) else last, _LEAVING):
                after.append(self._bound)
        self._bound = set.intersection(*after) if after else before

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches([node.body, node.orelse])

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, *first: ast.expr) -> None:
        self._visit(first[:1])
        before = set(self._bound)
        self._visit([*first[1:], *node.body])
        if not (len(first) > 1 and _is_filled(first[0])):
            self._bound = before
        self._visit(node.orelse)

    def visit_For(self, node: ast.For) -> None:
        self._loop(node, node.iter, node.target)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self._loop(node, node.iter, node.target)

    def visit_While(self, node: ast.While) -> None:
        self._loop(node, node.test)

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self._bound)
        self._branches([[*node.body, *node.orelse], *([handler] for handler in node.handlers)])
        after, self._bound = self._bound, before
        self._visit(node.finalbody)
        self._bound |= after

    def visit_Try(self, node: ast.Try) -> None:
        self._try(node)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self._try(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        before = set(self._bound)
        self._visit([node.type])
        if node.name:
            self._bind(node.name)
        self._visit(node.body)
        if node.name and node.name not in before:
            self._bound.discard(node.name)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._visit([item.context_expr, item.optional_vars])
        self._visit(node.body)

    def visit_With(self, node: ast.With) -> None:
        self._with(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self._with(node)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self._bound)
        for case in node.cases:
            self._bound = set(before)
            for part in ast.walk(case.pattern):
                self._visit([part.value if isinstance(part, ast.MatchValue) else part.cls if isinstance(part, ast.MatchClass) else None])
                for name in _captured(part):
                    self._bind(name)
            self._visit([case.guard, *case.body])
        self._bound = before


def _locals(node: ast.AST) -> set[str]:
    """Return the local names of a function, a lambda or a comprehension."""
    names: set[str] = set()
    given: set[str] = set()
    if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
        names |= {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
    left: list[ast.AST] = [*node.body] if isinstance(node, _FUNCTIONS) else [*ast.iter_child_nodes(node)]
    while left:
        part = left.pop()
        if isinstance(part, ast.Global | ast.Nonlocal):
            given |= {*part.names}
        if isinstance(part, (*_FUNCTIONS, ast.ClassDef)):
            names.add(part.name)
        names |= {*_captured(part)}
        if not isinstance(part, _SCOPES):
            left += ast.iter_child_nodes(part)
    return names - given


def _captured(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself binds, a definition apart."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _evaluated(text: ast.expr) -> list[ast.stmt]:
    """Return the statements of a text that is evaluated; none where only running shows them."""
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return []
    try:
        return ast.parse(text.value.strip()).body
    except (SyntaxError, ValueError, MemoryError):
        return [ast.Pass()]


def _is_filled(values: ast.expr) -> bool:
    """Return True if a loop over an expression certainly runs: over a literal that is not empty, or `range(3)`."""
    if isinstance(values, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return bool(values.keys if isinstance(values, ast.Dict) else values.elts)
    return isinstance(values, ast.Call) and _name(values.func) == "range" and len(values.args) == 1 and _is_filled_range(values.args[0])


def _is_filled_range(count: ast.expr) -> bool:
    return isinstance(count, ast.Constant) and isinstance(count.value, int) and count.value > 0


def _starred(module: str) -> Iterable[str]:
    """Return the names of `from module import *`, of the standard library."""
    if module.partition(".")[0] not in sys.stdlib_module_names:
        return ()
    names = vars(importlib.import_module(module))
    return [*names.get("__all__", ())] or [name for name in names if not name.startswith("_")]


def _is_program(name: str) -> bool:
    return name.partition(".")[0] == PROGRAM


def _name(node: ast.expr) -> str:
    """Return the last name of a dotted expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""

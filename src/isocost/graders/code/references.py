"""Check that tests can grade a program: by their source, and by programs that do nothing of use."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache

_LEFT_OUT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MAIN = frozenset(("unittest.main", "unittest.TestProgram", "pytest.main"))
# Names that a probe does not define: its own, and exceptions.
_KEPT = frozenset(
    ("_probe", *(name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)))
)
_OWN = "solution"  # the module that the tests import as the program


@lru_cache(maxsize=1024)
def can_grade(tests: str) -> bool:
    """Return True unless the source of the tests shows that they pass every program, or none.

    Tests that neither assert, raise nor call anything where they run pass every program: `72` or `f(2) == 4`. They do not run as a script:
    code under `if __name__ == "__main__":` does not run, and `unittest.main()` would find no tests and end the process. Nor are doctests of
    the program run, which are no check of it. A module that is not of the standard library is not in the sandbox.
    """
    statements = _parsed(tests)
    if statements is None:
        return True  # the sandbox reports it
    guards = [node for node in statements if isinstance(node, ast.If) and _is_guard(node.test)]
    instead = [node for guard in guards for node in guard.orelse]
    left_out = {id(node) for node in statements if isinstance(node, _LEFT_OUT) and not _is_decorated(node)} | set(map(id, guards))
    run = [node for node in (*statements, *instead) if id(node) not in left_out]
    nodes = [node for statement in run for node in ast.walk(statement)]
    if any(name in tests for name in ("unittest", "pytest")) and _ends_the_process(statements, nodes):
        return False
    if "doctest" in tests and _counts_doctests(statements):
        return False
    # Tests that change where modules are found may have written the module.
    if "sys.path" not in tests and "sys.modules" not in tests and any(map(_is_lacking, _imports(run))):
        return False
    checking = {node.name for node in statements if isinstance(node, _LEFT_OUT) and _asserts(node)}
    if any(isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in checking for node in nodes):
        return True  # `passed = run_tests()`
    return any(isinstance(node, ast.Assert | ast.Raise | ast.Expr) and not _is_vacuous(node) and _may_raise(node) for node in nodes)


def _is_guard(test: ast.expr) -> bool:
    """Return True for `__name__ == "__main__"`, either way round."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    name, text = sorted((test.left, test.comparators[0]), key=lambda side: isinstance(side, ast.Constant))
    return isinstance(name, ast.Name) and name.id == "__name__" and isinstance(text, ast.Constant) and text.value == "__main__"


def _is_decorated(node: ast.stmt) -> bool:
    """Return True for a function that a decorator may call, as one that runs what it decorates."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and bool(node.decorator_list)


def _asserts(node: ast.stmt) -> bool:
    """Return True if a function asserts or raises, and does not catch it itself."""
    left: list[ast.AST] = [node]
    while left:
        part = left.pop()
        if isinstance(part, ast.Assert | ast.Raise) and not _is_vacuous(part):
            return True
        caught = set(map(id, part.body)) if isinstance(part, ast.Try) and part.handlers else set[int]()
        left += [child for child in ast.iter_child_nodes(part) if id(child) not in caught]
    return False


def effective(tests: str) -> str:
    """Return the tests without statements that look like checks and are none: `f(2) == 4` and `assert (f(2) == 4, "message")`."""
    statements = _parsed(tests)
    if statements is None or not any(_is_vacuous(node) for statement in statements for node in ast.walk(statement)):
        return tests
    try:
        return ast.unparse(_Effective().visit(ast.Module(body=statements, type_ignores=[])))
    except RecursionError:
        return tests


def probes(tests: str) -> Iterator[str]:
    """Yield programs of which useful tests fail at least one.

    The names that the tests use are None in the first, functions that raise in the second, and functions that return a function in
    the third. Tests that expect an exception fail the third.
    """
    used = sorted(_used(_parsed(tests) or []))
    # Built-in names only where the tests use no other: these may be asked of a program, `print` is not.
    names = [name for name in used if name not in vars(builtins)] or used
    yield "\n".join(f"{name} = None" for name in names)
    for body in ("1 / 0", "return _probe"):
        yield "\n".join((f"def _probe(*given, **named): {body}", *(f"{name} = _probe" for name in names)))


class _Effective(ast.NodeTransformer):
    """Replace statements that check nothing by `pass`."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the node, or `pass` for a statement that checks nothing."""
        return ast.Pass() if _is_vacuous(node) else self.generic_visit(node)


def _is_vacuous(node: ast.AST) -> bool:
    """Return True for a comparison whose result is dropped, and an assertion of a tuple, which is always true."""
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Tuple) and bool(node.test.elts)
    return isinstance(node, ast.Expr) and _is_comparison(node.value)


def _may_raise(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Expr) or any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))


def _is_comparison(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        return all(map(_is_comparison, node.values))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) and _is_comparison(node.operand)
    return isinstance(node, ast.Compare)


def _parsed(tests: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(tests).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imports(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the modules that are imported by the statements themselves: an import in a `try` may be allowed to fail."""
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _is_lacking(module: str) -> bool:
    package = module.partition(".")[0]
    return package != _OWN and package not in sys.stdlib_module_names


def _imported(statements: Iterable[ast.stmt]) -> dict[str, str]:
    """Return what each imported name means, as `module.name`; names that the tests define later are left out."""
    found: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement, _LEFT_OUT):
            found.pop(statement.name, None)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    package = alias.name.partition(".")[0]
                    found[alias.asname or package] = alias.name if alias.asname else package
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "unittest" and any(alias.name == "*" for alias in node.names):
                    found["main"] = "unittest.main"
    return found


def _ends_the_process(statements: list[ast.stmt], run: list[ast.AST]) -> bool:
    """Return True if nodes that run, or functions that these call, call `unittest.main` or `pytest.main` by any name."""
    meanings = _imported(statements)
    functions = {node.name: node for node in statements if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    left = list(run)
    while left:
        node = left.pop()
        if not isinstance(node, ast.Call):
            continue
        if _meaning(node.func, meanings) in _MAIN:
            return True
        if isinstance(node.func, ast.Name) and node.func.id in functions:
            left += ast.walk(functions.pop(node.func.id))
    return False


def _counts_doctests(statements: list[ast.stmt]) -> bool:
    """Return True if tests require that the program has doctests: by `attempted`, or by the result as a whole."""
    meanings = _imported(statements)
    nodes = [node for statement in statements for node in ast.walk(statement)]
    runs = [node for node in nodes if isinstance(node, ast.Call) and _meaning(node.func, meanings) == "doctest.testmod"]
    given = [value for run in runs for value in (*run.args[:1], *(keyword.value for keyword in run.keywords if keyword.arg == "m"))]
    compared = {id(part) for node in nodes if isinstance(node, ast.Compare) for part in (node.left, *node.comparators)}
    counts = any(isinstance(node, ast.Attribute) and node.attr == "attempted" for node in nodes) or any(id(run) in compared for run in runs)
    return counts and any(_meaning(value, meanings) == _OWN for value in given)


def _meaning(function: ast.expr, meanings: dict[str, str]) -> str:
    """Return the full name of a function that is called, as `unittest.main` for `u.main` after `import unittest as u`."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return ""
    full = ".".join((meanings.get(function.id, function.id), *reversed(parts)))
    return full.replace("unittest.main.", "unittest.")  # the module of the function has the same name


def _used(statements: list[ast.stmt]) -> set[str]:
    """Return the names that the tests may use of a program, without special names and exceptions."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    modules = {name for name, meaning in _imported(statements).items() if meaning == _OWN}
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    names |= {
        node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    }
    names |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) and node.module == _OWN for alias in node.names}
    return {name for name in names if name.isidentifier() and not name.startswith("__") and name not in _KEPT}

"""Places of checks in tests: assertions, and exceptions that are raised on a condition (`if f(2) != 4: raise RuntimeError`)."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def conditional_raises(statements: Iterable[ast.stmt]) -> frozenset[tuple[int, int]]:
    """Return line and column of the `raise` statements that run in one case only: in a branch, or behind one that leaves the function.

    A loop inside a `with` is a branch: `while f(2) != 4: raise ValueError`. One around it repeats the block.
    """
    found: set[tuple[int, int]] = set()
    left: list[tuple[ast.AST, bool, float, bool]] = [(statement, False, math.inf, False) for statement in statements]
    while left:
        node, is_conditional, returns, is_inside = left.pop()  # `returns`: the line of the function's first return
        if isinstance(node, ast.Raise) and (is_conditional or node.lineno > returns):
            found.add((node.lineno, node.col_offset))
        if isinstance(node, _FUNCTIONS):
            is_conditional, returns = False, min((part.lineno for part in ast.walk(node) if isinstance(part, ast.Return)), default=math.inf)
        for name, value in ast.iter_fields(node):
            branches = isinstance(node, ast.If | ast.Match | ast.ExceptHandler) or (isinstance(node, ast.Try) and name == "orelse")
            branches = branches or (is_inside and _may_not_run(node))
            is_in_block = is_inside or isinstance(node, ast.With | ast.AsyncWith)
            parts = value if isinstance(value, list) else [value]
            left += [(part, is_conditional or branches, returns, is_in_block) for part in parts if isinstance(part, ast.AST)]
    return frozenset(found)


def _may_not_run(node: ast.AST) -> bool:
    """Return True for a loop whose condition or members may be the program's, not for `while True` and `for x in (1, 2)`."""
    if isinstance(node, ast.While):
        return not isinstance(node.test, ast.Constant)
    return isinstance(node, ast.For | ast.AsyncFor) and any(isinstance(part, ast.Name | ast.Attribute) for part in ast.walk(node.iter))


def assertion_lines(statements: Iterable[ast.stmt]) -> frozenset[int]:
    """Return the lines of assertions, among them calls of methods such as `assertEqual`."""
    found: set[int] = set()
    for statement in statements:
        for node in ast.walk(statement):
            is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute)
            if isinstance(node, ast.Assert) or (is_call and node.value.func.attr.startswith("assert")):  # type: ignore[attr-defined]
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))  # type: ignore[attr-defined]
    return frozenset(found)

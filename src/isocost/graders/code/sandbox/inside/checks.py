"""Places where tests raise an exception on a condition, as a check does: `if f(2) != 4: raise RuntimeError`."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def conditional_raises(statements: Iterable[ast.stmt]) -> frozenset[tuple[int, int]]:
    """Return line and column of the `raise` statements that run in one case only: in a branch, or behind one that leaves the function."""
    found: set[tuple[int, int]] = set()
    left: list[tuple[ast.AST, bool, float]] = [(statement, False, math.inf) for statement in statements]
    while left:
        node, is_conditional, returns = left.pop()  # `returns`: the line of the function's first return
        if isinstance(node, ast.Raise) and (is_conditional or node.lineno > returns):
            found.add((node.lineno, node.col_offset))
        if isinstance(node, _FUNCTIONS):
            is_conditional, returns = False, min((part.lineno for part in ast.walk(node) if isinstance(part, ast.Return)), default=math.inf)
        for name, value in ast.iter_fields(node):
            branches = isinstance(node, ast.If | ast.Match | ast.ExceptHandler) or (isinstance(node, ast.Try) and name == "orelse")
            parts = value if isinstance(value, list) else [value]
            left += [(part, is_conditional or branches, returns) for part in parts if isinstance(part, ast.AST)]
    return frozenset(found)

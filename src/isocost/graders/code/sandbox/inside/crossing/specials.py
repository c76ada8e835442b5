"""The methods that cross between the two processes, by who decides with them."""

from __future__ import annotations

import types

ARITHMETIC = tuple(
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "or", "xor")
    for prefix in ("", "r", "i")
)
COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
# These receive the expected value, and could answer as the test wants.
JUDGING = frozenset((*ARITHMETIC, *COMPARISONS, "__contains__"))
# These receive no expected value: they return one, which the test compares.
FORWARDED = (
    "__call__", "__len__", "__length_hint__", "__iter__", "__next__", "__reversed__", "__getitem__", "__setitem__", "__delitem__",
    "__bool__", "__int__", "__float__", "__complex__", "__index__", "__str__", "__repr__", "__bytes__", "__format__", "__hash__",
    "__neg__", "__pos__", "__abs__", "__invert__", "__round__", "__trunc__", "__floor__", "__ceil__", "__enter__", "__exit__",
    "__missing__", "__aenter__", "__aexit__", "__aiter__", "__anext__", "__fspath__",
)  # fmt: skip
SPECIALS = (*FORWARDED, *sorted(JUDGING))
# Objects that run in steps, by methods that raise StopIteration at the end.
RUNNING = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
STEPS = frozenset(("send", "throw", "close", "asend", "athrow", "aclose"))
# Methods of plain types that receive the expected value. They return if it matches, leave nothing of it, or could return it.
PREDICATES = (
    "startswith", "endswith", "count", "find", "index", "rfind", "rindex", "removeprefix", "removesuffix", "replace", "translate",
    "strip", "lstrip", "rstrip", "split", "rsplit", "partition", "rpartition", "issubset", "issuperset", "isdisjoint", "intersection",
    "difference", "symmetric_difference", "union", "intersection_update", "difference_update", "symmetric_difference_update", "remove",
    "discard", "subtract", "setdefault", "compare", "compare_signal", "compare_total", "compare_total_mag", "same_quantum", "max", "min",
    "max_mag", "min_mag",
)  # fmt: skip
# Methods of plain types that iterate: a loop has as many checks as the value has members, whatever a program's own method says.
ITERATING = ("__iter__", "__reversed__", "keys", "values", "items")

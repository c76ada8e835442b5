"""Matrices of cases, each of which takes a while: the first of them is tested on every change, the others are slow."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def first_fast(cases: Iterable[object], fast: int = 1) -> list[object]:
    """Mark all cases of a parametrization but the first few as slow. A tuple is a case of several arguments."""
    marked: list[object] = []
    for number, case in enumerate(cases):
        values = case if isinstance(case, tuple) else (case,)
        marked.append(case if number < fast else pytest.param(*values, marks=pytest.mark.slow))
    return marked

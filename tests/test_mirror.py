"""Every room of src has its tests: tests/ROOM/ or tests/test_ROOM.py, and they import it."""

from __future__ import annotations

import ast
import pkgutil
from pathlib import Path

import pytest

import isocost

TESTS = Path(__file__).parent
ROOMS = [module.name for module in pkgutil.iter_modules(isocost.__path__)]


def imported(path: Path) -> set[str]:
    """Return the modules, and the names out of modules, that a file imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_by_tests_of_its_name(room: str) -> None:
    mirrored = [path for path in (TESTS / f"test_{room}.py", *(TESTS / room).rglob("test_*.py")) if path.exists()]
    assert mirrored, f"write tests/test_{room}.py or tests/{room}/test_*.py"
    inside = {name for path in mirrored for name in imported(path) if f"{name}.".startswith(f"isocost.{room}.")}
    assert inside, f"none of {[str(path.relative_to(TESTS)) for path in mirrored]} imports isocost.{room}"

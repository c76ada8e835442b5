"""MBPP, short programs with three tests each (Austin et al. 2021, arXiv 2108.07732).

A row has `text` ("Write a function to find the shared elements from the given two lists."), `code` (a solution), `test_list`
(`assert similar_elements((3, 4, 5, 6),(5, 7, 4, 10)) == (4, 5)`), `test_setup_code` (imports of the tests, nearly always empty) and
`task_id`, from 1 to 974, by which the paper splits it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from isocost.errors import ProblemsError
from isocost.paths import from_home
from isocost.problems.hub import hub_rows
from isocost.problems.rows import read_rows
from isocost.records import Problem

SPLITS = {"prompt": range(1, 11), "test": range(11, 511), "validation": range(511, 601), "train": range(601, 975)}
ALL = range(1, 975)


def load(*, base: Path, path: str | None = None, split: str = "test") -> Iterator[Problem]:
    """Yield the problems of a split, with ids like `mbpp-00011`. The question shows the tests, as in the paper. For the grader `code`.

    Args:
        base: What a relative path starts from.
        path: The file mbpp.jsonl, of all splits; null means that google-research-datasets/mbpp is downloaded.
        split: `prompt` (task ids 1 to 10, the paper's few shots), `test` (11 to 510), `validation` (511 to 600), `train` (601 to 974) or
            `all`.

    Raises:
        ProblemsError: the file or dataset cannot be read, or a row lacks a field.
        MissingExtraError: datasets is not installed, and no path is given.
    """
    if split not in (*SPLITS, "all"):
        raise ProblemsError(f'mbpp has the splits {", ".join(SPLITS)} and all, not "{split}"')
    wanted = SPLITS.get(split, ALL)
    if path is not None:
        rows = read_rows(from_home(base, path))
    else:
        names = SPLITS if split == "all" else (split,)
        # One split at a time, so that no file of another split is fetched.
        rows = (row for name in names for row in hub_rows("google-research-datasets/mbpp", "full", name))
    for where, row in rows:
        number = row.get("task_id")
        # The id decides the split, so it cannot be guessed.
        if isinstance(number, bool) or not isinstance(number, int):
            raise ProblemsError(f'{where}: an MBPP row needs "task_id", a whole number')
        if number in wanted:
            yield _problem(row, where, number)


def _problem(row: Mapping[str, object], where: str, number: int) -> Problem:
    text, code, tests, setup = row.get("text"), row.get("code"), row.get("test_list"), row.get("test_setup_code") or ""
    if not isinstance(text, str) or not isinstance(code, str) or not isinstance(setup, str) or not text.strip():
        raise ProblemsError(f'{where}: an MBPP row needs "text" and "code"')
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) for test in tests):
        raise ProblemsError(f'{where}: an MBPP row needs "test_list", tests in Python')
    shown = "\n".join(tests)
    answer = {"test": f"{setup}\n{shown}" if setup else shown, "solution": code}
    question = f"{text.strip()}\n\nYour code should pass these tests:\n\n{shown}"
    return Problem(id=f"mbpp-{number:05d}", question=question, answer=json.dumps(answer))

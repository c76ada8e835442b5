"""GSM8K, grade-school word problems (Cobbe et al. 2021).

A row has two texts. `question` is a story, such as of clips sold to 48 friends in April and half as many in May. `answer` is a worked
solution in a few lines. Each sum in it is repeated in double angle brackets for a calculator (`48/2 = <<48/2=24>>24`). Its last line is
`#### 72`; the text after the four hashes is the reference answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isocost.errors import ProblemsError
from isocost.paths import from_home
from isocost.problems.hub import hub_rows
from isocost.problems.rows import read_rows
from isocost.records import Problem


def load(*, base: Path, split: str = "train", path: str | None = None) -> Iterator[Problem]:
    """Yield the problems of a split (`train` or `test`), with ids like `gsm8k-train-00012`.

    Args:
        base: Base of a relative path.
        split: `train` or `test`.
        path: A folder with train.jsonl and test.jsonl; null means that the dataset openai/gsm8k is downloaded.

    Raises:
        ProblemsError: the file or dataset cannot be read, or a row has no `####`.
        MissingExtraError: datasets is not installed, and no path is given.
    """
    if split not in ("train", "test"):
        raise ProblemsError(f'gsm8k has the splits train and test, not "{split}"')
    rows = hub_rows("openai/gsm8k", "main", split) if path is None else read_rows(from_home(base, path) / f"{split}.jsonl")
    for index, (where, row) in enumerate(rows):
        question, solution = row.get("question"), row.get("answer")
        if not isinstance(question, str) or not isinstance(solution, str) or not question.strip() or "####" not in solution:
            raise ProblemsError(f'{where}: a GSM8K row needs "question", and "answer" with a line "#### ..."')
        # The last one, because a solution may mention the marker.
        answer = solution.rpartition("####")[2].strip()
        if not answer:
            raise ProblemsError(f"{where}: nothing follows ####")
        yield Problem(id=f"gsm8k-{split}-{index:05d}", question=question.strip(), answer=answer)

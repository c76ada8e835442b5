"""The embedded word problems: an infinite source, generated on demand, with splits that share no question."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from isocost.errors import ProblemsError
from isocost.records import Problem


def load(*, split: str = "train", seed: int = 0) -> Iterator[Problem]:
    """The embedded word problems of a split, without end, with ids like `lab-train-00012`.

    Args:
        split: `pretraining`, `train`, `validation`, `test` or `transfer`.
        seed: Seed of the generator.

    Raises:
        ProblemsError: there is no such split.
    """
    # Imported by name: problem sources and the lab are separate families, and families must not import each other.
    wordproblems = importlib.import_module("isocost.lab.wordproblems")
    problems = wordproblems.generate(split, seed)
    index = 0
    while True:
        try:
            problem = next(problems)
        except ValueError as error:
            raise ProblemsError(f'problems "lab": {error}') from error
        metadata = {"level": problem.level, "scene": problem.scene}
        yield Problem(id=f"lab-{split}-{index:05d}", question=problem.question, answer=str(problem.answer), metadata=metadata)
        index += 1

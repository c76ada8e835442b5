"""Correct draws that are new, for policies whose objective is distinct solutions."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from typing import Protocol

from isocost.config import Study
from isocost.curating import completion
from isocost.dispatch.draws import DrawKey
from isocost.executors.jobs import StoredDraw
from isocost.metrics.diversity import Level, distinct_key
from isocost.planning import cells, objective_of
from isocost.policies.base import KeptPerProblem
from isocost.records import Cell, Verdict
from isocost.store import Log, RunDirectory

_NONE = 0  # digest of a draw that adds nothing to a training set: it is incorrect or cut off


class Solutions:
    """Digests of a pool's correct solutions, equal for solutions that a training set keeps once. They take 8 bytes per draw.

    Args:
        distinct: As in `Curate.distinct`; None keeps duplicates, so every solution has a digest of its own.
        reasoning: The form of the reasoning that is trained on, as in `curating.completion`; None compares solutions alone.

    Attributes:
        repeats: False if no two solutions count as the same.
    """

    def __init__(self, distinct: Level | None, reasoning: str | None = None) -> None:
        self._distinct, self.reasoning = distinct, reasoning
        self.repeats = distinct is not None
        self._digests: dict[str, array[int]] = {}

    @classmethod
    def of(cls, study: Study, directory: RunDirectory) -> Solutions:
        """Return empty digests of solutions as the training sets of a study compare them."""
        return cls(study.curate.distinct, compared_reasoning(study, directory))

    def add(self, key: DrawKey, draw: StoredDraw, verdict: Verdict | None) -> None:
        """Add a draw if a training set may keep it: it is correct and not cut off."""
        if verdict is None or not verdict.correct or draw.finish_reason == "length":
            return
        problem_id, index = key
        text = completion(draw.generation, draw.reasoning, self.reasoning)
        same = draw.id if self._distinct is None else distinct_key(text, self._distinct)
        # Texts of models may hold lone surrogates, which plain UTF-8 refuses.
        digest = hashlib.blake2b(same.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        own = self._digests.setdefault(problem_id, array("Q"))
        own.extend([_NONE] * (index + 1 - len(own)))
        own[index] = int.from_bytes(digest, "big") or 1

    def read(self, stored: Iterable[tuple[DrawKey, StoredDraw, Verdict | None]]) -> None:
        """Add the draws that earlier starts stored."""
        for key, draw, verdict in stored:
            self.add(key, draw, verdict)

    def get(self, problem_id: str, index: int) -> int:
        """Return the digest of a draw; 0 if it adds nothing to a training set."""
        own = self._digests.get(problem_id, ())
        return own[index] if index < len(own) else _NONE


class HasSolutions(Protocol):
    """A pool with digests of its solutions."""

    solutions: Solutions | None


class Novelty:
    """Tell which correct draws of a cell are new: kept in a training set beside those that the cell drew before, from any model.

    Args:
        pools: The pools of the cell's models.
    """

    def __init__(self, pools: Mapping[str, HasSolutions]) -> None:
        self._solutions = {model: pool.solutions for model, pool in pools.items() if pool.solutions is not None}
        self._seen: dict[tuple[str, str], int] = {}  # draws up to the last correct one, by (model, problem id)
        self._digests: dict[str, set[int]] = {}  # of these draws, by problem id

    def is_new(self, model: str, problem_id: str, index: int) -> bool:
        """Return True if a correct draw is new. Call it for all correct draws of the cell, in their order."""
        solutions = self._solutions[model]
        digest = solutions.get(problem_id, index)
        if not solutions.repeats:  # a set would only take memory
            return digest != _NONE
        digests = self._digests.setdefault(problem_id, set())
        is_new = digest != _NONE and digest not in digests
        # Each draw is added once, so that the work is linear in the draws of a problem.
        seen = self._seen.get((model, problem_id), 0)
        digests.update(solutions.get(problem_id, each) for each in range(seen, index + 1))
        self._seen[model, problem_id] = max(seen, index + 1)
        return is_new


def rounds_log(directory: RunDirectory, cell: Cell) -> Log:
    """Return the log of a cell's rounds."""
    return directory.log("arms", cell.name, "rounds.jsonl")


def compared_reasoning(study: Study, directory: RunDirectory) -> str | None:
    """Return the form of the reasoning by which policies compare solutions: the study's, unless a cell has begun with another.

    A policy that observed other solutions as new would propose other rounds, so a run that has begun buys as it began. Earlier versions
    compared solutions alone.
    """
    for cell in cells(study):
        if isinstance(objective_of(cell.arm, study.arms[cell.arm], study), KeptPerProblem):
            for entry in rounds_log(directory, cell).peek():
                return str(form) if (form := entry.get("reasoning")) is not None else None
    return study.compared_reasoning

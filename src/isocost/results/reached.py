"""The value that a set of draws reaches in an objective, by problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isocost.arrays import Bools, Floats, Ints
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.results.drawtable import DrawTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Values of sets of draws in an objective.

    Attributes:
        table: Every draw.
        objective: The objective.
        solutions: For `KeptPerProblem`, the number of each draw's solution, int[draws]: equal for equal solutions of a problem, -1 for
            draws that a training set never keeps.
    """

    table: DrawTable
    objective: Objective
    solutions: Ints | None

    def values(self, which: Bools) -> Floats:
        """Return the value of the draws in a mask, float[problems].

        It is 1 for a problem with a correct draw (coverage) or with a mixed group, and the number of distinct solutions that a training set
        keeps, up to the objective's. Groups are the draws 0 .. G - 1, G .. 2 G - 1, ... of a model; only whole ones count.
        """
        match self.objective:
            case Coverage():
                return (self.table.count(which & self.table.correct) > 0).astype(np.float64)
            case KeptPerProblem(most=most):
                if self.solutions is None:
                    raise ValueError("kept solutions are counted by their numbers")
                fit = which & (self.solutions >= 0)
                first = np.unique(self.solutions[fit], return_index=True)[1]
                kept = np.bincount(self.table.problem[fit][first], minlength=len(self.table.problem_ids))
                return np.minimum(kept, most).astype(np.float64)
            case MixedGroups(size=size):
                return self._mixed(which, size)

    def _mixed(self, which: Bools, size: int) -> Floats:
        table, n = self.table, len(self.table.problem_ids)
        model = table.draws["model"].to_physical().to_numpy()[which].astype(np.int64)
        group = table.draws["sample_index"].to_numpy()[which].astype(np.int64) // size
        pair = model * n + table.problem[which]
        numbers, place = np.unique(group * (pair.max(initial=0) + 1) + pair, return_inverse=True)
        right = np.bincount(place, weights=table.correct[which], minlength=numbers.size)
        wrong = np.bincount(place, weights=(table.graded & ~table.correct)[which], minlength=numbers.size)
        mixed = (np.bincount(place, minlength=numbers.size) == size) & (right > 0) & (wrong > 0)
        found = np.zeros(n)
        found[table.problem[which][mixed[place]]] = 1.0
        return found

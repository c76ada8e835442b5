"""Draws that do not depend on outcomes: what estimators at k draws need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isocost.arrays import Bools
from isocost.policies import FIXED
from isocost.preparing.prepare import Prepared, generators
from isocost.results.drawtable import DrawTable
from isocost.sampling.cells import pilot_allocations


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """The draws that the measures of models rest on.

    Of a model that an arm draws by outcomes these are the draws of the pilot and of cells with a fixed policy; of any other model all.

    Attributes:
        measured: A mask of these draws, bool[draws]. All draws of the models in `by_outcomes` are among them.
        by_outcomes: The models with draws by outcomes alone. Nothing at k can be measured of them.
        parts: Number of draws that count and of all draws, by model, for models with draws of both kinds.
    """

    measured: Bools
    by_outcomes: frozenset[str]
    parts: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, prepared: Prepared, table: DrawTable) -> Independence:
        """Find the draws of a run that do not depend on outcomes."""
        arms = prepared.study.arms
        adaptive = dict.fromkeys(model for arm in arms.values() if arm.policy not in FIXED for model in arm.models)
        pilot = pilot_allocations(prepared, tuple(table.problem_ids), generators(prepared.study))
        fixed = [drawn for cell, drawn in table.cells.items() if arms[cell.arm].policy in FIXED]
        independent: Bools = np.logical_or.reduce([table.drawn_by(pilot), *fixed])
        measured = np.ones(table.draws.height, dtype=np.bool_)
        by_outcomes, parts = set(), {}
        for model in adaptive:
            mine = table.is_of(model)
            count, total = int((mine & independent).sum()), int(mine.sum())
            if count:
                measured &= independent | ~mine
                parts[model] = count, total
            elif total:
                by_outcomes.add(model)
        return cls(
            measured=measured,
            by_outcomes=frozenset(by_outcomes),
            parts={model: (count, total) for model, (count, total) in parts.items() if count < total},
        )

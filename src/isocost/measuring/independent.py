"""The draws of a run that do not depend on outcomes, of models that an arm also draws by outcomes.

They are the pilot's and those that arms with a fixed policy have recorded: the first draws of their problems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocost.arrays import Bools, Ints
from isocost.ids import seeded_choice
from isocost.measuring.draws import Draws
from isocost.policies import FIXED
from isocost.store import RunDirectory

# By model and problem, the number of first draws that do not depend on outcomes.
FirstDraws = Mapping[str, Mapping[str, int]]


def first_draws(run: Path, study: Mapping[str, Any], problems: Sequence[str], models: Collection[str]) -> FirstDraws:
    """Return the first draws of some models that do not depend on outcomes. Models without any are left out.

    Args:
        run: The run directory.
        study: Its resolved study.
        problems: Ids of its training problems.
        models: The models.
    """
    found: dict[str, dict[str, int]] = {}
    if pilot := study.get("pilot"):
        chosen = seeded_choice("pilot", study.get("seed", 0), problems, pilot["problems"])
        found = {model: dict.fromkeys(chosen, pilot["samples_per_problem"]) for model in models}
    for arm, spec in study["arms"].items():
        if spec.get("policy", "uniform") in FIXED:
            for budget in ("number", *(study.get("budgets") or {})):
                for problem, model, first, count in _recorded(run, f"{arm}@{budget}"):
                    own = found.setdefault(model, {}) if model in models else {}
                    # Only without a gap: a line that cannot be read is left out.
                    if first <= own.get(problem, 0):
                        own[problem] = max(own.get(problem, 0), first + count)
    return {model: own for model, own in found.items() if own}


def _recorded(run: Path, cell: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield the allocations of a cell's rounds, under the terms of the last one: under earlier terms it may have had another policy."""
    rounds = list(RunDirectory(run).log("arms", cell, "rounds.jsonl").peek())
    for each in rounds:
        if each.get("terms") == rounds[-1].get("terms"):
            yield from map(tuple, each.get("allocations", ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a table that is measured.

    Attributes:
        rows: bool[rows].
        models: Models of which it has the draws that do not depend on outcomes.
        notes: For each model with other draws, a sentence after its name and a colon.
    """

    rows: Bools
    models: Collection[str]
    notes: Sequence[str]


def independent_part(first: FirstDraws, draws: Draws) -> Part | None:
    """Return the part of a run's samples that does not depend on outcomes; None if no model has draws of both kinds.

    Models without an entry in `first` keep all draws.
    """
    if draws.index is None or not any(model in first for model in draws.models):
        return None
    most: Ints = np.full(draws.model.size, np.iinfo(np.int64).max)
    for group, (model, problem) in enumerate(zip(draws.model.tolist(), draws.problem.tolist(), strict=True)):
        if draws.models[model] in first:
            most[group] = first[draws.models[model]].get(draws.problems[problem], 0)
    rows = draws.index < most[draws.group]
    of_model = draws.model[draws.group]
    notes = []
    for m, name in enumerate(draws.models):
        mine = of_model == m
        kept, total = int((rows & mine).sum()), int(mine.sum())
        if kept < total:
            notes.append(
                f"{name}: from the {kept:,} of its {total:,} draws that do not depend on outcomes: those of the pilot and of arms with a "
                "fixed policy."
            )
    return Part(rows=rows, models=[name for name in draws.models if name in first], notes=notes)

"""Plan a prepared study, with or without a pilot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from isocost.costs.expected import DrawCost, draw_costs
from isocost.costs.unpiloted import awaits_pilot, least_costs, unpiloted_costs
from isocost.engines import ENGINES
from isocost.errors import InputError
from isocost.events import Listener, Note
from isocost.executors.jobs import EngineSpec
from isocost.measuring import rundirs
from isocost.planning import plan_unpiloted
from isocost.predicting.studied import StudyPilot
from isocost.preparing.prepare import Prepared, generators
from isocost.records import CellPlan
from isocost.sampling.cells import longest_prompts, pilot_allocations, plan
from isocost.summaries.choices import find_pilot
from isocost.summaries.status import status_of


def plan_prepared(
    prepared: Prepared, lengths: Mapping[str, tuple[float, float]] = MappingProxyType({})
) -> tuple[Prepared, dict[str, DrawCost], list[CellPlan]]:
    """Return a prepared study with the cost per draw by model and the plan of every cell.

    Args:
        prepared: The study.
        lengths: Mean tokens of a solution and of a prompt, by model, if a pilot has measured them.
    """
    study, ids = prepared.study, tuple(p.id for p in prepared.problems["train"])
    models = generators(study)
    cards, longest = {name: prepared.cards[name] for name in models}, longest_prompts(prepared, models)
    piloted = {(a.problem_id, a.model): a.count for a in pilot_allocations(prepared, ids, models)}
    if awaits_pilot(study, cards) and not lengths:
        at_most = unpiloted_costs(study, cards, longest, prepared.shares)
        return prepared, at_most, plan_unpiloted(study, ids, at_most, least_costs(study, cards, longest, prepared.shares), piloted)
    costs = draw_costs(study, cards, lengths, longest, prepared.shares)
    return prepared, costs, plan(prepared, ids, costs, piloted)


def pilot_of(prepared: Prepared, table: Path | None, run: Path, listener: Listener) -> StudyPilot | None:
    """Return the pilot to forecast from, or None. One in the run directory that says nothing is noted: the plan is made without it."""
    if table is not None:
        return find_pilot(prepared, table, run)
    try:
        found = find_pilot(prepared, None, run)
    except InputError as error:
        listener(Note(text=f"no forecast from the pilot of {run}: {error}", loud=True))
        return None
    if found is None:
        return None
    sampling = status_of(run)["sampling"] or {}
    if sampling.get("doubt"):
        listener(Note(text=str(sampling["doubt"]), loud=True))
    # Once all samples are there, the rate is that of the last start, which may have bought a few.
    return replace(found, tokens_per_second=sampling.get("tokens_per_second")) if rundirs.pilot_of(run) else found


def count_recorded(prepared: Prepared, count_available: Callable[[EngineSpec], Mapping[str, int] | None]) -> dict[str, Mapping[str, int]]:
    """Return the number of recorded samples by problem id of each model that replays them; engines of the user's own may.

    Args:
        prepared: The study.
        count_available: As for `prepare`.
    """
    replaying = [name for name in generators(prepared.study) if (entry := ENGINES.get(prepared.specs[name].name)) is None or entry.replays]
    counts = {name: count_available(prepared.specs[name]) for name in replaying}
    return {name: count for name, count in counts.items() if count is not None}

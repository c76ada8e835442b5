"""The loop of policies: they propose rounds, the draws are bought and judged, the policies observe, until none proposes anything.

All cells advance together, so that a draw that several cells ask for is bought once. The loop touches no disk and no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from isocost.policies.base import Observation, Policy
from isocost.records import Allocation, Cell

Recorded = Callable[[Cell, int], list[Allocation] | None]
Record = Callable[[Cell, int, list[Allocation]], None]


def sample(
    policies: Mapping[Cell, Policy],
    pilot: Mapping[Cell, list[Allocation]],
    *,
    recorded: Recorded,
    record: Record,
    buy: Callable[[list[Allocation]], None],
    observe: Callable[[Cell, list[Allocation]], Iterable[Observation]],
) -> dict[Cell, list[Allocation]]:
    """Run every cell's policy to its end and return the draws of each cell.

    Args:
        policies: A fresh policy for each cell.
        pilot: Draws that each cell's policy observes before its first proposal. They count among the cell's draws.
        recorded: Returns the allocations of a cell's round that an earlier start recorded, or None. They take precedence over the
            policy's proposal, so that another grader's verdicts do not allocate other draws.
        record: Called with a new round before any of it is bought, so that a resumed run finds it.
        buy: Completes the pools so that they hold all these draws, with verdicts.
        observe: Returns the observations of a cell's draws, in the order of its allocations.
    """
    drawn = {cell: list(pilot.get(cell, [])) for cell in policies}
    for cell, allocations in drawn.items():
        if allocations:
            policies[cell].observe(observe(cell, allocations))
    active = list(policies)
    round_number = 0
    while active:
        proposals: dict[Cell, list[Allocation]] = {}
        for cell in active:
            proposed = policies[cell].propose()  # called for recorded rounds too: it advances the policy's state
            earlier = recorded(cell, round_number)
            if earlier is None and proposed:
                record(cell, round_number, proposed)
            if chosen := proposed if earlier is None else earlier:
                proposals[cell] = chosen
        buy([a for allocations in proposals.values() for a in allocations])
        for cell, allocations in proposals.items():
            drawn[cell] += allocations
            policies[cell].observe(observe(cell, allocations))
        active = list(proposals)
        round_number += 1
    return drawn


def required_draws(allocations: Iterable[Allocation]) -> dict[tuple[str, str], int]:
    """Return the number of draws that pools must hold for all these allocations, by (model, problem id)."""
    counts: dict[tuple[str, str], int] = {}
    for a in allocations:
        key = (a.model, a.problem_id)
        counts[key] = max(counts.get(key, 0), a.first_index + a.count)
    return counts


def missing_allocations(allocations: Iterable[Allocation], bought: Callable[[str, str], int]) -> dict[str, list[Allocation]]:
    """Return the draws that no pool has yet, by model.

    Args:
        allocations: The draws that cells ask for. Cells that ask for the same draws share them.
        bought: Returns the number of draws that the pool has or has ordered, of a model and a problem id.
    """
    missing: dict[str, list[Allocation]] = {}
    for (model, problem_id), count in required_draws(allocations).items():
        first = bought(model, problem_id)
        if count > first:
            missing.setdefault(model, []).append(Allocation(problem_id=problem_id, model=model, first_index=first, count=count - first))
    return missing

"""The one loop: policies propose rounds, the draws are bought and judged, the policies observe, until nobody proposes anything.

All cells advance together, so a draw that several cells ask for is bought once.
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
    """Run every cell's policy to its end and return what each cell drew.

    Args:
        policies: One fresh policy a cell.
        pilot: What each cell's policy observes before it first proposes; it counts among the cell's draws.
        recorded: A cell's allocations of a round that an earlier start recorded, or None. They win over what the policy proposes now,
            so that grading again never allocates again.
        record: Called with a new round before anything of it is bought.
        buy: Makes sure that all these draws are in their pools, with verdicts.
        observe: What a cell's draws brought, in the order of its allocations.
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
            proposed = policies[cell].propose()
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


def wanted(allocations: Iterable[Allocation]) -> dict[tuple[str, str], int]:
    """(model, problem id) -> how many draws the pool must hold for all of these allocations."""
    counts: dict[tuple[str, str], int] = {}
    for a in allocations:
        key = (a.model, a.problem_id)
        counts[key] = max(counts.get(key, 0), a.first_index + a.count)
    return counts


def owed(allocations: Iterable[Allocation], bought: Mapping[tuple[str, str], int]) -> dict[str, list[Allocation]]:
    """By model, the draws that no pool has yet.

    Args:
        allocations: What cells ask for; cells that ask for the same draws share them.
        bought: (model, problem id) -> how many draws the pool has or has on order.
    """
    missing: dict[str, list[Allocation]] = {}
    for (model, problem_id), count in wanted(allocations).items():
        first = bought.get((model, problem_id), 0)
        if count > first:
            missing.setdefault(model, []).append(Allocation(problem_id=problem_id, model=model, first_index=first, count=count - first))
    return missing

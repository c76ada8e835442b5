"""The costs and the plan of every cell of a run, as the version that began it made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from isocost.costs.expected import DrawCost, draw_costs
from isocost.errors import BudgetError
from isocost.preparing.prepare import Prepared, generators
from isocost.records import Allocation, CellPlan
from isocost.sampling.cells import all_terms, has_begun, longest_prompts, plan
from isocost.store import RunDirectory


def plan_cells(
    prepared: Prepared,
    ids: tuple[str, ...],
    means: Mapping[str, tuple[float, float]],
    pilot: Sequence[Allocation],
    directory: RunDirectory,
) -> tuple[dict[str, DrawCost], tuple[CellPlan, ...]]:
    """Return the cost of a draw of each model, and the plan of every cell."""
    models = generators(prepared.study)
    cards, longest = {m: prepared.cards[m] for m in models}, longest_prompts(prepared, models)
    costs = draw_costs(prepared.study, cards, means, longest, prepared.shares, prepared.recorded_lengths)
    piloted = {(a.problem_id, a.model): a.count for a in pilot}
    now = all_terms(prepared, ids, costs, piloted)
    # A run that an earlier version began keeps its rounds: others would buy other draws.
    for earlier in _earlier_costs(prepared, costs, partial(draw_costs, prepared.study, cards, means, longest, prepared.shares)):
        before = all_terms(prepared, ids, earlier, piloted)
        changed = [cell for cell in now if now[cell] != before[cell]]
        began_now, began_before = (has_begun(prepared, directory, {cell: of[cell] for cell in changed}) for of in (now, before))
        if began_before and not began_now:
            costs = earlier
            break
    return costs, tuple(plan(prepared, ids, costs, piloted))


def _earlier_costs(
    prepared: Prepared, costs: Mapping[str, DrawCost], unrecorded: Callable[[], Mapping[str, DrawCost]]
) -> Iterator[dict[str, DrawCost]]:
    """Yield the costs as earlier versions planned them: without recorded lengths, and with one reading of a prompt per problem."""
    found = [costs]
    if prepared.recorded_lengths:
        with suppress(BudgetError):  # such a study could not be run
            found.append(unrecorded())
    for each in found[1:]:
        yield dict(each)
    for each in found:
        yield {name: replace(cost, per_request=None) for name, cost in each.items()}

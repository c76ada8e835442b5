"""The table of a pilot's samples, which a plan forecasts from while a run has not finished sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from isocost.config import Study
from isocost.ids import digest
from isocost.records import Allocation, Unit
from isocost.sampling.pools import Pool
from isocost.sampling.verdicts import FAILED
from isocost.store import PILOT, RunDirectory
from isocost.tables import COLUMNS

_STAMP = "pilot.json"


def keep_pilot(directory: RunDirectory, study: Study, pools: Mapping[str, Pool], pilot: Sequence[Allocation]) -> None:
    """Write the pilot's samples with their verdicts as a table of samples, unless an earlier start did.

    Args:
        directory: The run directory.
        study: The study.
        pools: The pools, by model. They hold the pilot, graded.
        pilot: The draws of the pilot.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    if not pilot:
        return
    # Texts are read again only if the table would be another one: verdicts depend on the grader and on reference answers.
    answers = sorted({(a.problem_id, pools[a.model].problems[a.problem_id].answer) for a in pilot})
    stamp = digest("pilot", [[pool.id, pool.grader] for pool in pools.values()], answers, pilot)
    noted = directory.read_derived(_STAMP)
    if noted is not None and noted.get("stamp") == stamp and (directory.path / PILOT).exists():
        return
    counts = {(a.model, a.problem_id): a.count for a in pilot}
    wanted = {model: {problem: count for (name, problem), count in counts.items() if name == model} for model in pools}
    units = [budget.unit for budget in study.budgets.values()] or ["flops", "usd"]
    unit = next((unit for unit in units if all(_is_known(pools[model], own, unit) for model, own in wanted.items())), None)
    # Sorted, because workers store batches in any order.
    rows = [row for model, own in wanted.items() for row in sorted(_rows(pools[model], own, unit), key=lambda row: row[:4])]
    directory.write_frames([pl.DataFrame(rows, schema=COLUMNS, orient="row")], PILOT)
    directory.write_json({"stamp": stamp}, _STAMP)


def _is_known(pool: Pool, counts: Mapping[str, int], unit: Unit) -> bool:
    draws = (pool.get(problem, index) for problem, count in counts.items() for index in range(count))
    return all(draw is None or draw.cost.amount(unit) is not None for draw in draws)


def _rows(pool: Pool, counts: Mapping[str, int], unit: Unit | None) -> Iterator[tuple[Any, ...]]:
    """Yield rows of a table of samples, with the columns of `tables.COLUMNS`."""
    keys = {(problem, index) for problem, count in counts.items() for index in range(count)}
    for (problem, index), text in pool.texts(keys):
        draw = pool.get(problem, index)
        if draw is None:
            continue
        cost, verdict = (None if unit is None else draw.cost.amount(unit)), draw.verdict or FAILED
        tokens = draw.num_prompt_tokens, draw.num_generated_tokens
        answers = pool.problems[problem].answer or None, verdict.predicted_answer
        yield (problem, pool.card.name, pool.id, index, text, *tokens, cost, unit, draw.finish_reason, *answers, verdict.correct)

"""Tables of draws made by hand, for tests of what is worked out from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from isocost.ids import digest
from isocost.records import Allocation, Cell, Outcome
from isocost.results.drawtable import DrawTable

Draw = dict[str, Any]
PROBLEMS = ("p10", "p2", "p1")  # in the study's order, which is not that of their names
MODELS = ("weak", "strong")


def draw(model: str, problem: str, index: int, outcome: Outcome = Outcome.CORRECT, **changes: Any) -> Draw:
    made: Draw = {
        "id": digest(model, problem, index),
        "model": model,
        "pool": f"pool of {model}",
        "problem_id": problem,
        "sample_index": index,
        "generation": f"{model} {problem} {index}",
        "num_prompt_tokens": 9,
        "num_generated_tokens": 10 + index,
        "finish_reason": "stop",
        "expected_answer": "1",
        "predicted_answer": "1",
        "outcome": outcome,
        "correct": None if outcome is Outcome.UNGRADED else outcome is Outcome.CORRECT,
        "cost_flops": 0.1 * (10 + index),
        "cost_usd": None,
        "cost_seconds": 0.01,
    }
    return made | changes


def table(
    folder: Path,
    draws: Sequence[Draw],
    allocations: Mapping[Cell, Sequence[Allocation]] | None = None,
    *,
    a_part: int = 4,
    extras: Sequence[str] = (),
) -> DrawTable:
    """The table of these draws in the order given, so many to a part."""
    return DrawTable.write(
        (pl.DataFrame(draws[i : i + a_part], schema_overrides={"cost_usd": pl.Float64}) for i in range(0, len(draws), a_part)),
        folder / "samples.parquet",
        "flops",
        models=MODELS,
        problem_ids=PROBLEMS,
        allocations=allocations or {},
        extras=extras,
    )


def all_of(draws: Sequence[Draw]) -> list[Allocation]:
    """Allocations of all of them, one by one."""
    return [Allocation(problem_id=d["problem_id"], model=d["model"], first_index=d["sample_index"], count=1) for d in draws]

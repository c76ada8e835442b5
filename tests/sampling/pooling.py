"""A pool on a disk of the test's own, and the worker's part in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from isocost.engines.base import Request
from isocost.executors.jobs import Answers, EngineFacts, EngineSpec
from isocost.executors.storing import rows_of
from isocost.prompts.base import Template
from isocost.records import Allocation, ModelCard, Problem, SamplingParams, Verdict
from isocost.sampling.orders import Batch
from isocost.sampling.pools import Pool
from isocost.store import BatchLog, RunDirectory
from tests.executors.engines import generation

CARD = ModelCard(
    name="weak",
    engine="scripted",
    source="weak",
    parameters=1,
    parameters_are="",
    flops_per_token=2.0,
    usd_per_million={"input": 1, "output": 2},
)
FACTS = EngineFacts(identity="weights", size=None)


def problems(*ids: str, answer: str = "1", **questions: str) -> dict[str, Problem]:
    return {i: Problem(id=i, question=questions.get(i, f"What is {i}?"), answer=answer) for i in ids}


def pool_in(folder: Path, asked: Mapping[str, Problem], *, grader: str = "number-1", facts: EngineFacts = FACTS, load: bool = True) -> Pool:
    pool = Pool(
        card=CARD,
        facts=facts,
        spec=EngineSpec(name="scripted", options=(), base=folder),
        params=SamplingParams(max_tokens=16),
        template=Template(form="Q: {question}\nA:"),
        study_seed=0,
        directory=RunDirectory(folder),
        problems=asked,
        grader=grader,
    )
    if load:
        pool.load(())
    return pool


class Cutting:
    """Cuts every two requests into a batch, as an engine would in a worker."""

    cores = workers = 1

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        _, requests = args
        future: Future[Any] = Future()
        future.set_result([tuple(requests[i : i + 2]) for i in range(0, len(requests), 2)])
        return future


def order(pool: Pool, *asked: tuple[str, int, int]) -> None:
    allocations = [Allocation(problem_id=p, model="weak", first_index=first, count=count) for p, first, count in asked]
    pool.order(allocations, Cutting())  # type: ignore[arg-type]


def wanted(**counts: int) -> dict[tuple[str, str], int]:
    return {("weak", problem): count for problem, count in counts.items()}


def stored(pool: Pool) -> list[tuple[str, int, str, str, int, Verdict | None]]:
    """Problem, index, id, text, seed and verdict of every draw of the study's problems, as they are stored."""
    rows = pool.directory.batches("pools", pool.card.name, pool.id).rows()
    keyed = [(row, pool.get(row["problem_id"], row["sample_index"])) for row in rows]
    return [(row["problem_id"], row["sample_index"], row["id"], row["generation"], row["seed"], d.verdict) for row, d in keyed if d]


def text_of(request: Request, index: int) -> str:
    return f"{request.prompt} {index} #### 1"


def work(pool: Pool, batch: Batch, *, counts: Sequence[int] | None = None, writer: str = "w0") -> Answers:
    """Answer and commit a batch; of each request so many draws, or all."""
    made = [
        [generation(text_of(r, r.first_index + i)) for i in range(r.count if counts is None else counts[n])]
        for n, r in enumerate(batch.requests)
    ]
    storing = pool._calls.storing(batch)
    rows, stored = rows_of(batch.requests, batch.seed, storing, made, 1.0)
    if rows:
        BatchLog(storing.stem, writer).append(batch.key, rows)
    return Answers(generations=(), stored=stored, seconds=1.0)


def buy_all(pool: Pool, asked: Mapping[tuple[str, str], int]) -> int:
    """Buy everything that is missing; how many batches that was."""
    bought = 0
    for batch in list(pool.missing(asked)):
        pool.add_answers(batch, work(pool, batch))
        bought += 1
    return bought


def keys(pool: Pool) -> set[tuple[str, int]]:
    return {key for key, _ in pool.draws()}

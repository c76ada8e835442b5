"""The stored rows of a pool: how a worker writes a draw, and the ids of draws."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from isocost.costs.draws import cost_of
from isocost.engines.base import Generation, Request, sound
from isocost.executors.jobs import StoredDraw, Storing
from isocost.ids import text_hash
from isocost.store import Row

# The columns that only endpoints fill, with their types; rows without a value lack them.
EXTRAS: dict[str, type[str] | type[int]] = {
    "reasoning": str,
    "num_reasoning_tokens": int,
    "num_cache_write_tokens": int,
    "answered_by": str,
    "failure": str,
}
FAILED_GENERATION = Generation(text="", num_prompt_tokens=0, num_generated_tokens=0, finish_reason="error")


def rows_of(
    requests: Sequence[Request], seed: int, storing: Storing, answers: Sequence[Sequence[Generation]], seconds: float
) -> tuple[list[Row], list[list[StoredDraw]]]:
    """Return the rows to commit for a batch, and the draws in the form that the driver receives.

    Each draw is charged an equal part of the engine time of its batch.
    """
    rows: list[Row] = []
    stored: list[list[StoredDraw]] = []
    # An endpoint may return nothing at all.
    each = seconds / max(1, sum(map(len, answers)))
    for request, asked, generations in zip(requests, storing.asked, answers, strict=True):
        ids = SampleIds(storing.pool, request.problem_id, asked)
        draws: list[StoredDraw] = []
        for index, g in enumerate(generations, request.first_index):
            cost = cost_of(
                storing.card,
                prompt_tokens=g.num_prompt_tokens,
                generated_tokens=g.num_generated_tokens,
                cached_tokens=g.num_cached_tokens,
                cache_write_tokens=g.num_cache_write_tokens,
                sharing=g.sharing,
            )
            text = sound(g.text)  # Parquet holds UTF-8 only, and a lone surrogate has no encoding in it
            row: Row = {
                "id": ids.at(index),
                "problem_id": request.problem_id,
                "sample_index": index,
                "generation": text,
                "num_prompt_tokens": g.num_prompt_tokens,
                "num_cached_tokens": g.num_cached_tokens,
                "num_generated_tokens": g.num_generated_tokens,
                "finish_reason": g.finish_reason,
                "seed": seed if g.seed is None else g.seed,
                "cost_flops": cost.flops,
                "cost_usd": cost.usd,
                "cost_seconds": each,
                "text_hash": text_hash(text),
            }
            if g.reported_usd is not None:  # absent unless reported, so that rows of other engines keep the columns of earlier versions
                row["cost_usd_reported"] = g.reported_usd
            found = {name: getattr(g, name) for name in EXTRAS}
            row.update((name, sound(value) if isinstance(value, str) else value) for name, value in found.items() if value)
            rows.append(row)
            draws.append(to_stored(row, with_reasoning=storing.with_reasoning))
        stored.append(draws)
    return rows, stored


def to_stored(row: Row, *, with_reasoning: bool) -> StoredDraw:
    """Return the draw of a row in the form that the driver receives."""
    tokens = row["num_prompt_tokens"], row["num_generated_tokens"]
    costs = row["cost_flops"], row["cost_usd"], row.get("cost_usd_reported")
    # None in a sealed part whose other rows have the column.
    return StoredDraw(
        row["id"],
        row["generation"],
        *tokens,
        row["finish_reason"],
        *costs,
        num_reasoning_tokens=row.get("num_reasoning_tokens") or 0,
        answered_by=row.get("answered_by") or "",
        reasoning=(row.get("reasoning") or "") if with_reasoning else "",
    )


class SampleIds:
    """Computes the ids of the draws of one problem: digests of pool, problem, request and sample index.

    The common prefix is hashed once, which matters for a million draws.
    """

    def __init__(self, pool: str, problem_id: str, asked: str) -> None:
        parts = json.dumps(["sample", pool, problem_id, asked], ensure_ascii=False, separators=(",", ":"))
        self._begun = hashlib.sha256(parts[:-1].encode("utf-8", "surrogatepass"))

    def at(self, index: int) -> str:
        """Return the id of the draw with this sample index."""
        # A copy of the hash state costs less than hashing the prefix again.
        whole = self._begun.copy()
        whole.update(b",%d]" % index)
        return whole.hexdigest()[:16]

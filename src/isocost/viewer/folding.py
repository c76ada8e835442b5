"""A problem's solutions by model; equal texts are merged into one with a count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import polars as pl

from isocost.equations import audit_steps
from isocost.viewer.rundata import KINDS

_TEXTS = 24  # distinct texts shown at first, over all models
_CHARACTERS = 3000  # shown at first of each text


def columns(
    samples: pl.DataFrame,
    models: Sequence[str],
    notes: Mapping[tuple[str, int], Sequence[str]],
    query: Callable[..., str],
    *,
    whole: bool,
) -> list[dict[str, Any]]:
    """Return the content of each model's column: counts and distinct texts, sorted by kind (correct first), then by count.

    Args:
        samples: A problem's samples, with their kind.
        models: Models in the order of the columns.
        notes: Verdicts on a sample, by model and index.
        query: Formats the list's parameters and the given ones as a URL's query.
        whole: Show all texts, not only the first ones.
    """
    asked = [model for model in models if model in set(samples["model"])]
    most = max(4, _TEXTS // max(1, len(asked)))
    return [
        _column(place, model, samples.filter(pl.col("model") == model), notes, query, None if whole else most)
        for place, model in enumerate(asked)
    ]


def _column(
    place: int,
    model: str,
    samples: pl.DataFrame,
    notes: Mapping[tuple[str, int], Sequence[str]],
    query: Callable[..., str],
    most: int | None,
) -> dict[str, Any]:
    noted = [index for owner, index in notes if owner == model]
    texts = (
        samples.sort("sample_index")
        .with_columns(pl.col("generation").fill_null(""), noted=pl.col("sample_index").is_in(noted))
        .with_columns(count=pl.len().over("generation", "kind"))
        # Equal texts are shown once. The sample with notes is shown, so that its notes are not lost.
        .sort("noted", descending=True, maintain_order=True)
        .unique(["generation", "kind"], keep="first", maintain_order=True)
        .sort(pl.col("kind").cast(pl.Enum(KINDS)), -pl.col("count").cast(pl.Int64), "sample_index")
    )
    shown = texts.head(most) if most else texts
    problem_id = samples["problem_id"][0]
    return {
        "name": model,
        "n": samples.height,
        "correct": int((samples["kind"] == "correct").sum()),
        "distinct": texts.filter(pl.col("kind") == "correct").height,
        "solutions": [_solution(place, row, notes.get((model, row["sample_index"]), ())) for row in shown.iter_rows(named=True)],
        "left": texts.height - shown.height,
        "more": "/problem" + query(id=problem_id, all="1"),
    }


def _solution(place: int, row: Mapping[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    text, index = row["generation"], row["sample_index"]
    return {
        "anchor": f"s-{place}-{index}",
        "index": index,
        "kind": row["kind"],
        "word": _word(row),
        "count": row["count"],
        "tokens": row["num_generated_tokens"],
        "answer": row["predicted_answer"],
        "first_false": audit_steps(text)[1],
        "notes": notes,
        "text": text[:_CHARACTERS],
        "more": max(0, len(text) - _CHARACTERS),
        "whole": "/solution?" + urlencode({"id": row["problem_id"], "model": row["model"], "index": index}),
    }


def _word(row: Mapping[str, Any]) -> str:
    """Return the kind of a sample, in more detail than the list: not graded, no answer."""
    if row["kind"] == "failed":
        return "failed" if row["finish_reason"] == "error" else "not graded"
    return "no answer" if row["kind"] == "wrong" and row["predicted_answer"] is None else row["kind"]

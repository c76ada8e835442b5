"""Answers from a recorded table of samples: studies without a model, in tests and for pools that somebody published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import polars as pl

from isocost.engines.base import Generation, Request
from isocost.engines.batching import cut
from isocost.engines.options import Options, read_options
from isocost.errors import EngineError, ModelError
from isocost.ids import digest
from isocost.records import FinishReason, SamplingParams

_FINISH_REASONS: tuple[FinishReason, ...] = get_args(FinishReason)
_BATCH = 1024  # generations; a batch only bounds what is committed at once


class ReplayOptions(Options):
    """What a study may say about a recorded model.

    Attributes:
        table: A table of samples, Parquet or JSONL (from the study file's folder).
        model: Its name in the table's `model` column.
        pool: Its pool, where the table holds several of this model.
    """

    table: Path
    model: str
    pool: str | None = None


def open_engine(options: Mapping[str, object], base: Path) -> ReplayEngine:
    """The engine for a study's model section; reads the table."""
    given = read_options(ReplayOptions, options)
    return ReplayEngine(base / given.table, given.model, given.pool)


class ReplayEngine:
    """The samples of one model in a table, found by problem and index. Prompts and sampling parameters are not compared.

    Samples that do not say so finished by `stop`; where `num_prompt_tokens` is not in the table it is 0.

    Raises:
        ModelError: the table cannot be read, lacks a column, or does not hold the model.
    """

    remote = False
    concurrency = 1
    shares_prompts = False

    def __init__(self, table: Path, model: str, pool: str | None = None) -> None:
        self._table, self._model = table, model
        rows = _rows(table, model, pool)
        self._recorded = _by_problem_and_index(rows, f"{table}, model {model!r}")
        self.identity = f"replay:{digest(model, sorted([*key, sample] for key, sample in self._recorded.items()), length=64)}"

    def size(self) -> None:
        """A table does not say."""

    def render(self, request: Request) -> str:
        """The prompt as it stands."""
        return request.prompt

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        """Batches of about a thousand generations."""
        return cut(requests, _BATCH)

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Look the samples up; `params` and `seed` are those of whoever recorded them.

        Raises:
            EngineError: the table lacks a sample.
        """
        return [[self._look_up(r.problem_id, index) for index in range(r.first_index, r.first_index + r.count)] for r in batch]

    def close(self) -> None:
        """Nothing to give back."""

    def _look_up(self, problem_id: str, index: int) -> Generation:
        try:
            return self._recorded[problem_id, index]
        except KeyError:
            raise EngineError(
                f"{self._table}: model {self._model!r} has no sample {index} of problem {problem_id!r}\n"
                "  ask for fewer samples a problem, or record more: replay invents nothing"
            ) from None


def _rows(table: Path, model: str, pool: str | None) -> pl.DataFrame:
    """The table's rows of one model and pool, checked for the columns that are needed."""
    try:
        rows = pl.read_parquet(table) if table.suffix == ".parquet" else pl.read_ndjson(table, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ModelError(f"{table}: cannot be read as a table of samples: {str(error).partition(chr(10))[0]}") from error
    for column in ("problem_id", "model", "generation", "num_generated_tokens"):
        if column not in rows.columns:
            raise ModelError(f"{table}: no column {column!r}; replay needs it{_NEEDED_FOR.get(column, '')}")
    names = rows["model"].unique().drop_nulls().sort().to_list()
    rows = rows.filter(pl.col("model") == model)
    if pool is not None and "pool" in rows.columns:
        rows = rows.filter(pl.col("pool") == pool)
    if rows.is_empty():
        raise ModelError(f"{table}: no samples of model {model!r}" + (f" in pool {pool!r}" if pool else "") + f"; its models: {names}")
    return rows


_NEEDED_FOR = {"generation": " for the solutions", "num_generated_tokens": " for their cost"}


def _by_problem_and_index(rows: pl.DataFrame, where: str) -> dict[tuple[str, int], Generation]:
    if "sample_index" not in rows.columns:
        rows = rows.with_columns(pl.int_range(pl.len()).over("problem_id").alias("sample_index"))
    recorded: dict[tuple[str, int], Generation] = {}
    for row in rows.iter_rows(named=True):
        key = (str(row["problem_id"]), row["sample_index"])
        if key in recorded:
            raise ModelError(f"{where}: sample {key[1]} of problem {key[0]!r} stands twice; name a pool, or renumber")
        recorded[key] = _generation(row, f"{where}, sample {key[1]} of problem {key[0]!r}")
    return recorded


def _generation(row: Mapping[str, Any], where: str) -> Generation:
    named = row.get("finish_reason") or "stop"
    reason: FinishReason | None = next((known for known in _FINISH_REASONS if known == named), None)
    if reason is None:
        raise ModelError(f"{where}: finish_reason {named!r} is none of {', '.join(_FINISH_REASONS)}")
    text, tokens = row["generation"], row["num_generated_tokens"]
    if (text is None and reason != "error") or tokens is None:
        raise ModelError(f"{where}: {'generation' if text is None else 'num_generated_tokens'} is empty")
    return Generation(
        text=text or "", num_prompt_tokens=row.get("num_prompt_tokens") or 0, num_generated_tokens=tokens, finish_reason=reason
    )

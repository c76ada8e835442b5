from pathlib import Path

import polars as pl
import pytest

from isocost.engines import load_engine
from isocost.engines.base import Generation, Request
from isocost.errors import EngineError, ModelError
from isocost.records import SamplingParams

PARAMS = SamplingParams()


def look_up(table: Path, problem: str, first: int, count: int, **options: object) -> list[Generation]:
    engine = load_engine("replay", {"table": table.name, "model": "gemma", **options}, base=table.parent)
    return engine.generate([Request(problem_id=problem, prompt="", first_index=first, count=count)], PARAMS, 0)[0]


def test_gives_back_what_was_recorded(table: Path) -> None:
    assert look_up(table, "p2", 2, 2) == [
        Generation(text="p2 solution 2", num_prompt_tokens=11, num_generated_tokens=7, finish_reason="stop"),
        Generation(text="p2 solution 3", num_prompt_tokens=11, num_generated_tokens=8, finish_reason="length"),
    ]


def test_invents_nothing(table: Path) -> None:
    with pytest.raises(EngineError, match=r"samples\.parquet: model 'gemma' has no sample 4 of problem 'p1'"):
        look_up(table, "p1", 2, 3)


def test_reads_jsonl_numbering_rows_where_it_must(table: Path, tmp_path: Path) -> None:
    lines = tmp_path / "samples.jsonl"
    pl.read_parquet(table).drop("sample_index", "finish_reason", "num_prompt_tokens").write_ndjson(lines)
    second = look_up(lines, "p1", 1, 1)[0]
    assert second == Generation(text="p1 solution 1", num_prompt_tokens=0, num_generated_tokens=6, finish_reason="stop")


@pytest.mark.parametrize("column", ["problem_id", "model", "generation", "num_generated_tokens"])
def test_says_which_column_is_missing(table: Path, column: str) -> None:
    pl.read_parquet(table).drop(column).write_parquet(table)
    with pytest.raises(ModelError, match=f"no column '{column}'"):
        look_up(table, "p1", 0, 1)


def test_unknown_model_and_unreadable_tables_are_told(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no samples of model 'gemini'; its models: \['gemma', 'other'\]"):
        look_up(table, "p1", 0, 1, model="gemini")
    with pytest.raises(ModelError, match="cannot be read"):
        look_up(tmp_path / "nothing.parquet", "p1", 0, 1)
    (tmp_path / "broken.jsonl").write_text('{"problem_id": ')
    with pytest.raises(ModelError, match="cannot be read"):
        look_up(tmp_path / "broken.jsonl", "p1", 0, 1)


def test_pools_are_kept_apart(table: Path) -> None:
    rows = pl.read_parquet(table)
    hot = rows.with_columns(pool=pl.lit("hot"), generation=pl.lit("hot"))
    pl.concat([rows.with_columns(pool=pl.lit("cold")), hot]).write_parquet(table)
    with pytest.raises(ModelError, match="sample 0 of problem 'p1' stands twice; name a pool"):
        look_up(table, "p1", 0, 1)
    assert look_up(table, "p1", 0, 1, pool="hot")[0].text == "hot"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("generation", None, "generation is empty"), ("num_generated_tokens", None, "is empty"), ("finish_reason", "eos", "is none of")],
)
def test_bad_cells_are_refused(table: Path, column: str, value: object, message: str) -> None:
    pl.read_parquet(table).with_columns(pl.lit(value, dtype=pl.Int64 if "num" in column else pl.String).alias(column)).write_parquet(table)
    with pytest.raises(ModelError, match=message):
        look_up(table, "p1", 0, 1)


def test_identity_is_the_models_content_alone(table: Path) -> None:
    def identity() -> str:
        return load_engine("replay", {"table": str(table), "model": "gemma"}, base=table.parent).identity

    before = identity()
    rows = pl.read_parquet(table)
    rows.reverse().filter(pl.col("model") == "gemma").write_parquet(table)
    assert identity() == before
    rows.with_columns(pl.col("generation") + "!").write_parquet(table)
    assert identity() != before

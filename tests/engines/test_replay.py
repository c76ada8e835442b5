import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: b"\xef\xbb\xbf" + text, r":1: not JSON: Unexpected UTF-8 BOM"),
        (lambda text: text.replace(b"p1 solution 1", b"p1 \0"), r":2: not JSON: Invalid control character"),
        (lambda text: text.replace(b"p1 solution 1", b"p1 \xff"), r":2: not UTF-8, at byte "),
        (lambda text: text[:-20], r"not JSON: "),
    ],
)
def test_the_line_of_a_table_that_cannot_be_read_is_named(table: Path, tmp_path: Path, change: Callable[[bytes], bytes], why: str) -> None:
    lines = tmp_path / "samples.jsonl"
    pl.read_parquet(table).write_ndjson(lines)
    lines.write_bytes(change(lines.read_bytes()))
    with pytest.raises(ModelError, match=f"cannot be read as a table of samples: .*{why}"):
        look_up(lines, "p1", 0, 1)


def test_pools_are_kept_apart(table: Path) -> None:
    rows = pl.read_parquet(table)
    hot = rows.with_columns(pool=pl.lit("hot"), generation=pl.lit("hot"))
    pl.concat([rows.with_columns(pool=pl.lit("cold")), hot]).write_parquet(table)
    with pytest.raises(ModelError, match="sample 0 of problem 'p1' occurs twice; name a pool"):
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


def test_the_first_bad_row_of_the_table_is_named(table: Path) -> None:
    rows = pl.read_parquet(table).reverse()
    place = pl.int_range(pl.len())
    tokens = pl.when(place == 5).then(None).otherwise("num_generated_tokens").alias("num_generated_tokens")
    text = pl.when(place == 3).then(None).otherwise("generation").alias("generation")
    rows.with_columns(tokens, text).write_parquet(table)  # place 0 is the other model's
    with pytest.raises(ModelError, match="sample 1 of problem 'p2': generation is empty"):
        look_up(table, "p1", 0, 1)
    rows.with_columns(tokens).write_parquet(table)
    with pytest.raises(ModelError, match="sample 3 of problem 'p1': num_generated_tokens is empty"):
        look_up(table, "p1", 0, 1)
    pl.concat([rows, rows.filter(pl.col("sample_index") == 2)]).write_parquet(table)
    with pytest.raises(ModelError, match="sample 2 of problem 'p2' occurs twice"):
        look_up(table, "p1", 0, 1)


@pytest.mark.parametrize(("column", "value"), [("problem_id", None), ("sample_index", None), ("sample_index", 0.5), ("sample_index", -1)])
def test_rows_without_a_name_are_refused(table: Path, column: str, value: float | None) -> None:
    given = pl.lit(value, dtype=pl.String if column == "problem_id" else pl.Float64)
    pl.read_parquet(table).with_columns(given.alias(column)).write_parquet(table)
    with pytest.raises(ModelError, match=f"{column} is empty or cannot be read|below zero"):
        look_up(table, "p1", 0, 1)


def test_what_a_row_leaves_open(table: Path) -> None:
    changed = {"num_prompt_tokens": pl.lit(None, dtype=pl.Int64), "finish_reason": pl.lit("")}
    rows = pl.read_parquet(table).with_columns(**changed, problem_id=pl.col("problem_id").str.slice(1).cast(pl.Int64))
    rows.write_parquet(table)
    assert look_up(table, "2", 0, 1) == [
        Generation(text="p2 solution 0", num_prompt_tokens=0, num_generated_tokens=5, finish_reason="stop")
    ]
    failed = {"generation": pl.lit(None, dtype=pl.String), "finish_reason": pl.lit("error")}
    rows.with_columns(**failed).write_parquet(table)
    assert look_up(table, "2", 0, 1)[0].text == ""


def test_batches_of_many_problems_with_gaps(table: Path) -> None:
    rows = pl.DataFrame(
        [
            {"problem_id": f"q{p}", "model": "gemma", "sample_index": i * (p % 3 + 1), "generation": f"é{p} {i}"}
            for p in range(20)
            for i in range(9)
        ]
    ).with_columns(num_generated_tokens=pl.lit(1))
    rows.sample(fraction=1.0, shuffle=True, seed=0).write_parquet(table)
    engine = load_engine("replay", {"table": table.name, "model": "gemma"}, base=table.parent)
    asked = [(3, 0, 9), (19, 2, 1), (0, 4, 5), (3, 8, 1), (2, 3, 1), (4, 0, 0)]
    found = engine.generate([Request(problem_id=f"q{p}", prompt="", first_index=f, count=n) for p, f, n in asked], PARAMS, 0)
    assert [[one.text for one in some] for some in found] == [[f"é{p} {i // (p % 3 + 1)}" for i in range(f, f + n)] for p, f, n in asked]
    for problem, first, missing in (("q19", 2, 3), ("q0", 7, 9), ("q", 0, 0), ("z", 1, 1), ("q1", -1, -1)):
        with pytest.raises(EngineError, match=f"has no sample {missing} of problem '{problem}'"):
            engine.generate([Request(problem_id=problem, prompt="", first_index=first, count=6)], PARAMS, 0)
    assert engine.generate([], PARAMS, 0) == []


def test_more_tokens_than_were_asked_for_are_refused(table: Path) -> None:
    engine = load_engine("replay", {"table": table.name, "model": "gemma"}, base=table.parent)
    request = Request(problem_id="p2", prompt="", first_index=0, count=4)
    assert len(engine.generate([request], SamplingParams(max_tokens=8), 0)[0]) == 4
    with pytest.raises(EngineError, match=r"sample 2 of problem 'p2' has 7 tokens, above max_tokens 6\n.*at least 8"):
        engine.generate([request], SamplingParams(max_tokens=6), 0)
    assert engine.generate([Request(problem_id="p2", prompt="", first_index=0, count=2)], SamplingParams(max_tokens=6), 0)


def test_identity_is_the_digest_that_is_described(table: Path, tmp_path: Path) -> None:
    lines = tmp_path / "samples.jsonl"
    pl.read_parquet(table).write_ndjson(lines)
    texts = [f"{problem} solution {index}".encode() for problem in ("p1", "p2") for index in range(4)]
    columns = [[0, 4, 8], [0, 1, 2, 3] * 2, [11] * 8, [5, 6, 7, 8] * 2, [0, *np.cumsum([len(text) for text in texts])]]
    content = b'["gemma",["p1","p2"]]\n' + b"".join(np.array(column, dtype="<i8").tobytes() for column in columns)
    expected = hashlib.sha256(content + bytes([0, 0, 0, 1] * 2) + b"".join(texts)).hexdigest()
    for path in (table, lines):
        assert load_engine("replay", {"table": path.name, "model": "gemma"}, base=tmp_path).identity == f"replay:{expected}"


def test_identity_is_the_models_content_alone(table: Path) -> None:
    def identity() -> str:
        return load_engine("replay", {"table": str(table), "model": "gemma"}, base=table.parent).identity

    before = identity()
    rows = pl.read_parquet(table)
    rows.reverse().filter(pl.col("model") == "gemma").write_parquet(table)
    assert identity() == before
    rows.with_columns(pl.col("generation") + "!").write_parquet(table)
    assert identity() != before

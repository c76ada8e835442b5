import json
import os
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import TableError
from isocost.tables import COLUMNS, scan_table
from isocost.tables.reading import records_of
from tests.builders import read_table

ROW: dict[str, Any] = {"problem_id": "p", "model": "m", "correct": True}


def jsonl(folder: Path, *rows: object) -> str:
    path = folder / "table.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def parquet(folder: Path, frame: pl.DataFrame) -> str:
    path = folder / "table.parquet"
    frame.write_parquet(path)
    return str(path)


def refusal(path: str) -> str:
    with pytest.raises(TableError) as caught:
        read_table(path)
    assert len(str(caught.value).splitlines()) <= 3
    return str(caught.value).removeprefix(str(Path(path).parent) + "/")


def test_three_columns_are_enough(tmp_path: Path) -> None:
    rows = [{"problem_id": 1, "model": "m", "correct": c} for c in (True, False, None)] + [
        {"problem_id": "two", "model": "n", "correct": True}
    ]
    found = read_table(jsonl(tmp_path, *rows))
    assert found.columns == ["problem_id", "model", "pool", "correct"]
    assert found["problem_id"].to_list() == ["1", "1", "1", "two"]
    assert found["pool"].to_list() == ["m", "m", "m", "n"]
    assert found["correct"].to_list() == [True, False, None, True]


def test_both_formats_read_the_same(tmp_path: Path) -> None:
    rows = [{**ROW, "sample_index": i, "generation": f"text {i}", "num_generated_tokens": i, "expected_answer": "3"} for i in (3, 0)]
    assert read_table(jsonl(tmp_path, *rows)).equals(read_table(parquet(tmp_path, pl.DataFrame(rows))))


def test_every_column_has_its_type_whatever_the_file_has(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"problem_id": [1], "model": ["m"], "correct": [None], "sample_index": [0]}, schema_overrides={"sample_index": pl.Int8}
    )
    found = read_table(parquet(tmp_path, frame.with_columns(pl.col("model").cast(pl.Categorical))))
    assert all(found.schema[name] == COLUMNS[name] for name in found.columns)


def test_only_wanted_columns_are_loaded(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**ROW, "generation": "long", "num_generated_tokens": 3, "other": 1})
    assert "generation" in read_table(path).columns
    assert "other" not in read_table(path).columns
    assert read_table(path, columns=[]).columns == ["problem_id", "model", "pool", "correct"]
    assert "num_generated_tokens" in read_table(path, columns=["num_generated_tokens", "finish_reason"]).columns


def test_a_missing_column_names_a_near_one(tmp_path: Path) -> None:
    assert refusal(jsonl(tmp_path, ROW, {"problem_id": "p", "model": "m", "corect": True})) == (
        'table.jsonl:2: missing column correct\n  did you mean "corect"? needed: problem_id, model, correct'
    )
    assert refusal(parquet(tmp_path, pl.DataFrame({"problem_id": ["p"], "correct": [True]}))).startswith(
        "table.parquet: missing column model\n"
    )


@pytest.mark.parametrize("value", [2, "true", 0.5, []])
def test_correct_is_true_false_or_null(tmp_path: Path, value: object) -> None:
    assert refusal(jsonl(tmp_path, ROW, "", {**ROW, "correct": value})).startswith(
        "table.jsonl:3: correct must be true, false or null, found "
    )


def test_a_parquet_row_is_counted_from_one(tmp_path: Path) -> None:
    frame = pl.DataFrame({"problem_id": ["p", "q"], "model": ["m", None], "correct": [True, True]})
    assert refusal(parquet(tmp_path, frame)) == "table.parquet: row 2: model must be text, found null"
    numbers = frame.with_columns(model=pl.lit("m"), correct=pl.lit(2))
    assert refusal(parquet(tmp_path, numbers)).startswith("table.parquet: row 1: correct must be true, false or null, found 2\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"problem_id": None}, "problem_id must be text, found null"),
        ({"problem_id": 1.5}, "problem_id must be text, found 1.5"),
        ({"problem_id": True}, "problem_id must be text, found true"),
        ({"sample_index": -1}, "sample_index must be a whole number of at least 0, found -1"),
        ({"sample_index": "0"}, 'sample_index must be a whole number of at least 0, found "0"'),
        ({"generation": 5}, "generation must be text, found 5"),
        ({"num_generated_tokens": 2**70}, "num_generated_tokens must be a whole number"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    assert words in refusal(jsonl(tmp_path, {**ROW, **change}))


def test_two_models_may_share_a_pool(tmp_path: Path) -> None:
    shared = [{**ROW, "model": model, "pool": "a"} for model in ("one", "two")]
    assert read_table(jsonl(tmp_path, *shared))["pool"].to_list() == ["a", "a"]


def test_a_sample_numbered_twice_is_refused_at_its_second_place(tmp_path: Path) -> None:
    rows = [{**ROW, "sample_index": 0}, {**ROW, "sample_index": 1}, {**ROW, "pool": None, "sample_index": 0}]
    with_pools = [{**row, "pool": "a"} for row in rows[:2]] + [
        {**ROW, "pool": "b", "sample_index": 0},
        {**ROW, "pool": "a", "sample_index": 1},
    ]
    assert refusal(jsonl(tmp_path, *with_pools)).startswith('table.jsonl:4: sample_index 1 occurs twice in pool "a", problem "p"\n')
    assert read_table(jsonl(tmp_path, *with_pools[:3])).height == 3


@pytest.mark.parametrize("line", ["{", "[1]", "3", '{"a": 1}}', "[" * 100_000])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    assert refusal(jsonl(tmp_path, ROW, line)).startswith("table.jsonl:2: not ")


def test_tables_without_rows_are_refused(tmp_path: Path) -> None:
    assert refusal(jsonl(tmp_path)) == "table.jsonl: the table is empty"
    schema = {"problem_id": pl.String, "model": pl.String, "correct": pl.Boolean}
    assert refusal(parquet(tmp_path, pl.DataFrame(schema=schema))) == "table.parquet: the table is empty"


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for name in ("absent.jsonl", "absent.parquet", "table.csv", "bad.parquet", "latin.jsonl"):
        path = tmp_path / name
        if name.startswith(("bad", "latin", "table")):
            path.write_bytes(b'{"problem_id": "caf\xe9"}\n')
        assert re.match(rf"{name}:(\d+:)? ", refusal(str(path)))


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize("spread", [1, 10**9])
def test_duplicates_are_found_in_any_order_and_however_samples_are_numbered(tmp_path: Path, order: str, spread: int) -> None:
    frame = pl.DataFrame({"problem_id": [f"p{i // 50}" for i in range(5000)], "sample_index": [i % 50 * spread for i in range(5000)]})
    frame = frame.with_columns(model=pl.lit("m"), correct=pl.lit(value=True))
    frame = frame.sample(fraction=1, shuffle=True, seed=0) if order == "shuffled" else frame
    assert read_table(parquet(tmp_path, frame)).height == 5000
    twice = pl.concat([frame, frame[1234:1235], frame[:10]])
    index, problem = frame["sample_index"][1234], frame["problem_id"][1234]
    assert f'row 5001: sample_index {index} occurs twice in pool "m", problem "{problem}"' in refusal(parquet(tmp_path, twice))


def test_many_names_do_not_overflow(tmp_path: Path) -> None:
    names = [f"n{i}" for i in range(3000)]
    frame = pl.DataFrame({"problem_id": names, "model": names, "pool": names, "sample_index": [2**62] * 3000, "correct": [True] * 3000})
    assert read_table(parquet(tmp_path, frame)).height == 3000
    assert "row 3001: " in refusal(parquet(tmp_path, pl.concat([frame, frame[:1]])))


def test_large_row_groups_are_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame([{**ROW, "problem_id": f"p{i}", "sample_index": i, "generation": f"text {i}"} for i in range(200)])
    path = parquet(tmp_path, frame.with_columns(pl.col("model").cast(pl.Categorical)))
    whole = read_table(path)
    monkeypatch.setattr("isocost.tables.parquet._HEAVY", 0)
    monkeypatch.setattr("isocost.tables.parquet._BATCH", 7)
    assert read_table(path).equals(whole)
    lazy = scan_table(path)
    assert lazy.filter(pl.col("sample_index") >= 150).select("generation").collect(engine="streaming")["generation"][0] == "text 150"
    assert lazy.head(9).collect(engine="streaming").height == 9


def test_a_table_is_recognised_by_its_first_bytes(tmp_path: Path) -> None:
    named_lines, named_parquet = tmp_path / "lines.parquet", tmp_path / "frame.jsonl"
    named_lines.write_bytes(Path(jsonl(tmp_path, ROW)).read_bytes())
    named_parquet.write_bytes(Path(parquet(tmp_path, pl.DataFrame([ROW]))).read_bytes())
    assert [read_table(str(path))["model"].to_list() for path in (named_lines, named_parquet)] == [["m"], ["m"]]


def test_lines_that_carriage_returns_end_are_records(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_bytes(b'{"a": 1}\r{"a": 2}\r\n\n{"a": 3}')
    assert [record.at.rpartition(":")[2] for record in records_of(path)] == ["1", "2", "4"]


def test_costs_are_numbers_of_at_least_0(tmp_path: Path) -> None:
    assert read_table(jsonl(tmp_path, {**ROW, "cost": 2}, {**ROW, "cost": 0.5}, ROW))["cost"].to_list() == [2.0, 0.5, None]
    for value in (-1, "1", True):
        assert ":2: cost must be a number of at least 0" in refusal(jsonl(tmp_path, ROW, {**ROW, "cost": value}))
    for column in ([1.0, -0.5], [1.0, float("nan")], [1.0, float("inf")], [1, -3]):
        frame = pl.DataFrame({"problem_id": ["p", "q"], "model": "m", "correct": True, "cost": column})
        assert "row 2: cost must be a number of at least 0" in refusal(parquet(tmp_path, frame))
    frame = pl.DataFrame({"problem_id": ["p", "q"], "model": "m", "correct": True, "cost": [0.5, 5e-324]})
    assert "row 2: cost must be 0 or from 1e-60 to 1e+60, found 5e-324" in refusal(parquet(tmp_path, frame))


@pytest.mark.parametrize("name", ["sample_index", "num_prompt_tokens", "num_generated_tokens"])
def test_counts_are_not_below_0(tmp_path: Path, name: str) -> None:
    said = f"{name} must be a whole number of at least 0, found -3"
    assert f":2: {said}" in refusal(jsonl(tmp_path, {**ROW, name: 0}, {**ROW, name: -3}))
    for dtype in (pl.Int64, pl.Int8):
        frame = pl.DataFrame({"problem_id": ["p", "q"], "model": "m", "correct": True, name: [1, -3]}, schema_overrides={name: dtype})
        assert f"row 2: {said}" in refusal(parquet(tmp_path, frame))


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path, ending: str) -> None:
    os.mkfifo(tmp_path / f"table.{ending}")
    assert refusal(str(tmp_path / f"table.{ending}")).startswith(f"table.{ending}: is not an ordinary file")


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = Path(jsonl(tmp_path, ROW))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_table(str(path)).height == 1


def test_a_column_of_the_user_s_own_is_text(tmp_path: Path) -> None:
    for path in (jsonl(tmp_path, {**ROW, "level": 3}), parquet(tmp_path, pl.DataFrame([{**ROW, "level": 3}]))):
        assert scan_table(path, columns=["level"]).collect()["level"].to_list() == ["3"]


def test_a_column_of_the_wrong_type_may_be_empty(tmp_path: Path) -> None:
    frame = pl.DataFrame({"problem_id": ["p"], "model": ["m"], "correct": [True], "generation": [None], "num_generated_tokens": [None]})
    found = read_table(parquet(tmp_path, frame.with_columns(pl.col("num_generated_tokens").cast(pl.Float64))))
    assert found.schema["generation"] == pl.String
    assert found["num_generated_tokens"].to_list() == [None]


def test_numbers_beyond_64_bits_are_refused(tmp_path: Path) -> None:
    frame = pl.DataFrame({"problem_id": ["p", "q"], "model": "m", "correct": True, "num_generated_tokens": [1, 2**63]})
    path = parquet(tmp_path, frame.with_columns(pl.col("num_generated_tokens").cast(pl.UInt64)))
    assert "row 2: num_generated_tokens must be a whole number" in refusal(path)
    assert read_table(parquet(tmp_path, frame[:1].with_columns(pl.col("num_generated_tokens").cast(pl.UInt64)))).height == 1

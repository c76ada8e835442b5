"""What may stand for `correct`, and the unit of costs, in both formats."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.measuring import survey_file
from isocost.tables import scan_table
from tests.builders import read_table
from tests.test_tables import ROW, jsonl, parquet, refusal

NAMES = {"problem_id": "p", "model": "m"}


def rows(name: str, values: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [{**NAMES, **more, name: value} for value in values]


@pytest.mark.parametrize("values", [[1, 0, None, 1], [1.0, 0.0, None, 1], [True, 0, None, 1.0], [1, -0.0, None, True]])
def test_numbers_0_and_1_are_read_in_jsonl(values: list[Any], tmp_path: Path) -> None:
    assert read_table(jsonl(tmp_path, *rows("correct", values)))["correct"].to_list() == [True, False, None, True]


@pytest.mark.parametrize(
    "dtype",
    [
        pl.Int8,
        pl.Int16,
        pl.Int32,
        pl.Int64,
        pl.UInt8,
        pl.UInt16,
        pl.UInt32,
        pl.UInt64,
        pl.Float32,
        pl.Float64,
        pl.Decimal(10, 2),
    ],
)
def test_numbers_0_and_1_are_read_in_parquet(dtype: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame(rows("correct", [1, 0, None, 1])).cast({"correct": dtype})
    assert read_table(parquet(tmp_path, frame))["correct"].to_list() == [True, False, None, True]
    bad = pl.DataFrame(rows("correct", [1, None, 2, 1])).cast({"correct": dtype})
    assert refusal(parquet(tmp_path, bad)).startswith("table.parquet: row 3: correct must be true, false or null, found ")


@pytest.mark.parametrize("value", [2, -1, 0.5, 1e300, float("nan"), float("inf"), 2**70, "1", "true", "True", "", [], {}])
def test_what_is_neither_true_nor_false_is_refused_at_its_line(value: Any, tmp_path: Path) -> None:
    words = refusal(jsonl(tmp_path, ROW, "", *rows("correct", [0, value])))
    assert words.startswith("table.jsonl:4: correct must be true, false or null, found ")
    assert ("without quotes" in words) == isinstance(value, str)


@pytest.mark.parametrize("value", [-1.0, 0.5, float("nan"), float("inf")])
def test_floats_between_are_refused_at_their_row(value: float, tmp_path: Path) -> None:
    words = refusal(parquet(tmp_path, pl.DataFrame(rows("correct", [0.0, value]))))
    assert words.startswith("table.parquet: row 2: correct must be true, false or null, found ")


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["true", "false"])])
def test_booleans_in_text_are_refused_with_a_hint(dtype: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame(rows("correct", [None, "true"])).cast({"correct": dtype})
    assert refusal(parquet(tmp_path, frame)) == (
        'table.parquet: row 2: correct must be true, false or null, found "true"\n  write it without quotes'
    )


OUTCOMES = ["correct", "incorrect", "no_answer", "ungraded"]


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(OUTCOMES)])
def test_outcomes_are_read_as_correct(dtype: Any, tmp_path: Path) -> None:
    given = rows("outcome", OUTCOMES, reason="equal", predicted_answer="3")
    frame = pl.DataFrame(given).cast({"outcome": dtype})
    for path in (jsonl(tmp_path, *given), parquet(tmp_path, frame)):
        found = read_table(path)
        assert found["correct"].to_list() == [True, False, False, None]
        assert found["predicted_answer"].to_list() == ["3"] * 4
        assert scan_table(path, ["outcome"]).collect()["outcome"].to_list() == OUTCOMES


def test_an_outcome_fills_what_correct_leaves_open_and_may_repeat_it(tmp_path: Path) -> None:
    pairs = [("correct", True), ("correct", None), ("no_answer", False), ("ungraded", None), ("incorrect", None)]
    for as_number in (False, True):
        given = [
            {**NAMES, "outcome": outcome, "correct": correct if correct is None or not as_number else int(correct)}
            for outcome, correct in pairs
        ]
        for path in (jsonl(tmp_path, *given), parquet(tmp_path, pl.DataFrame(given))):
            assert read_table(path)["correct"].to_list() == [True, True, False, None, False]


@pytest.mark.parametrize(
    ("outcome", "correct"), [("correct", False), ("incorrect", True), ("no_answer", 1), ("ungraded", True), ("ungraded", 0)]
)
def test_an_outcome_that_contradicts_correct_is_refused(outcome: str, correct: Any, tmp_path: Path) -> None:
    fine = {**NAMES, "outcome": "correct", "correct": type(correct)(True)}
    bad = {**NAMES, "outcome": outcome, "correct": correct}
    said = f"correct is {json.dumps(bool(correct))} and outcome is {json.dumps(outcome)}\n"
    assert refusal(jsonl(tmp_path, fine, "", bad)).startswith(f"table.jsonl:3: {said}")
    assert refusal(parquet(tmp_path, pl.DataFrame([fine, bad, bad]))).startswith(f"table.parquet: row 2: {said}")


def test_an_outcome_of_the_users_own_is_left_alone_beside_correct(tmp_path: Path) -> None:
    for values in (["win", "Correct", None], [1, 2, 3]):
        given = [{**row, "correct": i > 0} for i, row in enumerate(rows("outcome", values))]
        for path in (jsonl(tmp_path, *given), parquet(tmp_path, pl.DataFrame(given))):
            assert read_table(path)["correct"].to_list() == [False, True, True]


@pytest.mark.parametrize("value", ["Correct", "", None, 1])
def test_an_outcome_that_says_nothing_is_refused_where_there_is_no_correct(value: Any, tmp_path: Path) -> None:
    words = "missing column correct"
    assert f"table.jsonl:2: {words}" in refusal(jsonl(tmp_path, *rows("outcome", ["correct", value])))
    if not isinstance(value, int):
        frame = pl.DataFrame(rows("outcome", ["correct", value]))
        assert refusal(parquet(tmp_path, frame)).startswith(f"table.parquet: row 2: {words}, and outcome must be correct, incorrect, ")


def test_large_row_groups_hold_outcomes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.tables.parquet._HEAVY", 0)
    path = parquet(tmp_path, pl.DataFrame(rows("outcome", OUTCOMES)))
    assert read_table(path)["correct"].to_list() == [True, False, False, None]


def test_what_verify_writes_is_measured(tmp_path: Path) -> None:
    lines = [
        {**NAMES, "problem_id": f"p{i}", "sample_index": j, "gold": str(i), "prediction": f"#### {i + (i + j) % 2}" if j else "none"}
        for i in range(4)
        for j in range(3)
    ]
    source = tmp_path / "solutions.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-m", "isocost", "verify", str(source), "--grader", "number", "-j", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    (tmp_path / "graded.jsonl").write_text(done.stdout)
    (found,) = survey_file(tmp_path / "graded.jsonl", [1]).measures.values()
    assert (found["pass@1"].value, found["pass@1"].n_ungraded) == (1 / 3, 0)


def test_the_unit_of_costs_is_that_of_the_table(tmp_path: Path) -> None:
    for unit in ("flops", "usd", None):
        given = [{**ROW, "cost": cost, "cost_unit": unit if cost else None} for cost in (1.5, None, 2.5)]
        for path in (jsonl(tmp_path, *given), parquet(tmp_path, pl.DataFrame(given))):
            assert survey_file(Path(path), [1]).unit == (unit or "cost")


@pytest.mark.parametrize(("first", "second"), [("flops", "usd"), ("usd", None), (None, "flops")])
def test_costs_in_two_units_are_refused_at_the_row(first: Any, second: Any, tmp_path: Path) -> None:
    given = [{**ROW, "cost": 1.0, "cost_unit": unit} for unit in (first, first, second, first)]
    said = f"cost_unit is {json.dumps(second)}, and {json.dumps(first)} in "
    assert refusal(jsonl(tmp_path, "", *given)).startswith(f"table.jsonl:4: {said}table.jsonl:2\n")
    assert refusal(parquet(tmp_path, pl.DataFrame(given))).startswith(f"table.parquet: row 3: {said}table.parquet: row 1\n")


def test_a_unit_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    given = [{**ROW, "cost": 1.0, "cost_unit": unit} for unit in ("usd", "USD")]
    assert refusal(jsonl(tmp_path, *given)) == 'table.jsonl:2: cost_unit must be flops or usd, found "USD"'
    assert read_table(jsonl(tmp_path, *rows("cost_unit", ["eur"], correct=True)))["cost_unit"].to_list() == ["eur"]


def test_decimals_are_numbers(tmp_path: Path) -> None:
    frame = pl.DataFrame(rows("correct", [Decimal("1.00"), Decimal("0.00")]))
    assert read_table(parquet(tmp_path, frame))["correct"].to_list() == [True, False]

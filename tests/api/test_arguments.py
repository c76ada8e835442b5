"""Arguments of the functions: what is accepted, and what is refused in the words of Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import isocost
from isocost.errors import InputError, StudyError
from isocost.running import runs
from tests.builders import InlineExecutor, raw_study

ROWS = [
    {"problem_id": f"p{i}", "model": model, "sample_index": j, "correct": (i + j) % 2 == 0, "num_generated_tokens": 4}
    for i in range(6)
    for model in ("a", "b")
    for j in range(4)
]
FRAME = pl.DataFrame(ROWS)


def test_tables_are_frames_of_any_kind_and_lists_of_dicts(tmp_path: Path) -> None:
    expected = isocost.measure(FRAME, k=(1,)).to_dict()
    assert isocost.measure(ROWS, k=1).to_dict() == expected
    assert isocost.measure(FRAME.lazy(), k=[1]).to_dict() == expected
    assert isocost.read_samples(isocost.write_samples(ROWS, tmp_path / "rows.jsonl")).height == len(ROWS)


def test_a_frame_of_pandas_is_accepted() -> None:
    pytest.importorskip("pandas")
    assert isocost.measure(FRAME.to_pandas(), k=1).to_dict() == isocost.measure(FRAME, k=1).to_dict()


def test_one_value_alone_is_accepted() -> None:
    one = isocost.backtest(FRAME, policies="uniform", targets=0.5, seeds=3).to_dict()
    assert one == isocost.backtest(FRAME, policies=("uniform",), targets=(0.5,), seeds=3).to_dict()


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: isocost.measure([FRAME, FRAME]), r"^table: must be a path, a run, .*, not a list of DataFrame"),  # type: ignore[list-item]
    (lambda: isocost.measure(3), r"^table: must be a path, .*, not int"),  # type: ignore[arg-type]
    (lambda: isocost.write_samples(3, "x.parquet"), r"^samples: must be a polars .*, not int"),  # type: ignore[arg-type]
    (lambda: isocost.read_samples(FRAME), r"^table: must be a path, not DataFrame"),  # type: ignore[arg-type]
    (lambda: isocost.measure(FRAME, k="1,3"), r"^k: must be a whole number"),  # type: ignore[arg-type]
    (lambda: isocost.measure(FRAME, cost={"a": "1/draw", "b": 1}), r"^cost: that of a must be a number above 0"),  # type: ignore[dict-item]
    (lambda: isocost.measure(FRAME, cost={"a": 1}), r'^cost: no cost for model "b"'),
    (lambda: isocost.measure(FRAME.drop("correct")), r"^the frame: missing column correct"),
    (lambda: isocost.measure(FRAME, by=""), r"^by: is empty"),
    (lambda: isocost.forecast(FRAME, pilot=0), r"^pilot: must be a whole number of at least 1"),
    (lambda: isocost.forecast(FRAME, objective="x"), r'^objective: "x" is no objective'),
    (lambda: isocost.forecast(FRAME, pilot=9), r"^pilot=9: model a has at most 4"),
    (lambda: isocost.forecast(FRAME, budgets=1), r"^budgets=1 .*per problem: the pilot alone costs"),
    (lambda: isocost.forecast(FRAME, false_positives={"c": 0.1}), r'^false_positives: the table has no model "c"'),
    (lambda: isocost.forecast(FRAME, false_positives={"a": 2}), r'such as false_positives={"weak": 0.07}$'),
    (lambda: isocost.measure(FRAME, by="correct"), r'^the frame: by: column "correct" belongs to a sample'),
    (lambda: isocost.backtest(FRAME, policies="unifrm"), r'^policies: there is no policy "unifrm"'),
    (lambda: isocost.Study(raw_study(arms={"x": {"models": "weak"}})), r"arms\.x\.models: input should be a list, got 'weak'"),
    (lambda: isocost.Study(3), "^a study is a file, a dict or keywords, not int"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[message for _, message in WRONG])
def test_others_are_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_mistakes_of_a_study_that_is_no_file_have_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    with pytest.raises(StudyError, match=r"^problems") as refused:
        isocost.Study(raw_study()).run("out", progress=False)
    assert "out.yaml" not in str(refused.value)


def test_a_mistake_in_settings_is_named_by_the_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"^settings: seed: input should be a valid integer"):
        isocost.Study(raw_study()).run("out", settings=["seed=many"], progress=False)

"""Notes and errors of a start whose problems differ from those of the last one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from isocost.errors import LimitReachedError, RunDirectoryError
from isocost.running import Note, run, runs
from tests.builders import InlineExecutor, write_study


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def rewrite(folder: Path, change: Mapping[str, Mapping[str, str] | None], more: Sequence[str] = ()) -> None:
    """Change fields of problems by id; None removes one."""
    path = folder / "problems.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [row | found for row in rows if (found := change.get(row["id"], {})) is not None]
    kept += [{"id": id_, "question": f"What is new in {id_}?", "answer": "1"} for id_ in more]
    path.write_text("".join(json.dumps(row) + "\n" for row in kept))


def notes(study: Path, out: Path) -> list[str]:
    found: list[str] = []
    run(study, out, until="sample", listener=lambda event: found.append(event.text) if isinstance(event, Note) else None)
    return [text for text in found if text.startswith("problems changed")]


def draws(out: Path, *ids: str) -> int:
    return pl.read_parquet(out / "samples.parquet").filter(pl.col("problem_id").is_in(ids)).height


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = write_study(tmp_path, n_problems=8, arms={"weak": {"models": ["weak"], "samples_per_problem": 2}})
    rewrite(tmp_path, {"p06": None, "p07": None})
    assert notes(path, tmp_path / "run") == []
    assert notes(path, tmp_path / "run") == []
    return path


def test_a_changed_question_says_how_many_draws_no_longer_count(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = draws(out, "p01", "p02")
    rewrite(tmp_path, {"p01": {"question": "What is 1 + 7, in words?"}, "p02": {"question": "And 2 + 7?", "answer": "10"}})
    assert before > 0
    assert notes(study, out) == [
        "problems changed since the last start: train: 2 with another question; "
        f"a changed question is bought again: {before} stored draws of these problems no longer count"
    ]
    assert notes(study, out) == []


def test_a_changed_answer_is_graded_again(study: Path, tmp_path: Path) -> None:
    rewrite(tmp_path, {"p01": {"answer": "9"}})
    said = "problems changed since the last start: train: 1 with another answer; a changed answer is graded again, not bought"
    assert notes(study, tmp_path / "run") == [said]


def test_new_gone_and_renamed_problems(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    lost = draws(out, "p00", "p05")
    rewrite(tmp_path, {"p00": None, "p05": {"id": "p06"}}, more=["p07"])
    assert notes(study, out) == [
        f"problems changed since the last start: train: 2 new, 2 gone; {lost} stored draws of problems that are gone no longer count"
    ]


def test_a_run_directory_of_an_older_version_is_compared_by_its_table(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    (out / "problems" / "digests.json").unlink()
    rewrite(tmp_path, {"p03": {"question": "Other?"}})
    (said,) = notes(study, out)
    assert "train: 1 with another question" in said
    (out / "problems" / "digests.json").unlink()
    (out / "problems" / "train.parquet").unlink()
    assert notes(study, out) == []


def test_a_split_that_was_not_there_is_no_change(study: Path, tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"id": "t", "question": "Why?", "answer": "1"}\n')
    with_test = study.with_name("with_test.yaml")
    with_test.write_text(study.read_text().replace("problems:\n", "problems:\n  test: {source: jsonl, path: test.jsonl}\n"))
    assert notes(with_test, tmp_path / "run") == []
    (tmp_path / "test.jsonl").write_text('{"id": "t", "question": "Why not?", "answer": "1"}\n')
    assert notes(with_test, tmp_path / "run") == ["problems changed since the last start: test: 1 with another question"]


def shifted(folder: Path) -> None:
    """Put another problem above the others of a file without ids, where the line is the id."""
    path = folder / "problems.jsonl"
    path.write_text(json.dumps({"question": "What is the first?", "answer": "1"}) + "\n" + path.read_text())


@pytest.fixture
def without_ids(tmp_path: Path) -> Path:
    study = write_study(tmp_path, n_problems=8, arms={"weak": {"models": ["weak"], "samples_per_problem": 2}})
    rows = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
    table = pl.read_parquet(tmp_path / "table.parquet")
    ids = {row.pop("id"): f"problems-{i}" for i, row in enumerate(rows, start=1)}
    pl.concat(
        [
            table.with_columns(pl.col("problem_id").replace(ids)),
            table.head(48).with_columns(pl.lit("problems-9").alias("problem_id"), sample_index=pl.int_range(48)),
        ]
    ).write_parquet(tmp_path / "table.parquet")
    (tmp_path / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return study


def test_questions_under_other_ids_are_not_bought_again_unasked(without_ids: Path, tmp_path: Path) -> None:
    assert notes(without_ids, tmp_path / "run") == []
    (paid, lines) = (tmp_path / "run" / "ledger.jsonl").read_bytes(), (tmp_path / "problems.jsonl").read_text().splitlines()
    shifted(tmp_path)
    for _ in range(2):  # a second start does not take the first one's problems for granted
        with pytest.raises(RunDirectoryError, match='first "problems-1" as "problems-2": their 16 stored draws would be'):
            notes(without_ids, tmp_path / "run")
    assert (tmp_path / "run" / "ledger.jsonl").read_bytes() == paid
    rows = [{"id": "first", "question": "What is the first?", "answer": "1"}]
    rows += [{"id": f"problems-{i}", **json.loads(line)} for i, line in enumerate(lines, start=1)]
    (tmp_path / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[1:]))
    assert notes(without_ids, tmp_path / "run") == []
    assert (tmp_path / "run" / "ledger.jsonl").read_bytes() == paid


def test_questions_that_were_not_bought_may_have_other_ids(tmp_path: Path, without_ids: Path) -> None:
    with pytest.raises(LimitReachedError):
        run(without_ids, tmp_path / "run", settings=["limit.unit=flops", "limit.amount=1"], until="sample")
    shifted(tmp_path)
    (said,) = notes(without_ids, tmp_path / "run")
    assert "stored draws" not in said.replace("0 stored draws", "")

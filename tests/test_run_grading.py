"""Whole runs and their grader: graded again without buying, never mixed, and what happens to references that it refuses."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from isocost import cli
from isocost.errors import InputError, StudyError
from isocost.grading import GradingPool
from isocost.preparing.gold import drop_refused
from isocost.preparing.prepare import Prepared
from isocost.running import run, run_stage, runs
from tests.builders import InlineExecutor, recorded, write_study, write_table

PERCENT = "grader.percent=value"


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


def outcomes(out: Path) -> dict[tuple[str, str, int], bool | None]:
    rows = pl.read_parquet(out / "samples.parquet").iter_rows(named=True)
    return {(r["model"], r["problem_id"], r["sample_index"]): r["correct"] for r in rows}


def verdict_folders(out: Path) -> set[str]:
    return {folder.name for folder in (out / "verdicts").iterdir()}


def spent(out: Path) -> list[bytes]:
    """What only buying changes: the bill and the recorded rounds."""
    return [(out / "ledger.jsonl").read_bytes(), *(path.read_bytes() for path in sorted(out.glob("*/*/rounds.jsonl")))]


def percents() -> list[dict[str, object]]:
    """Draws in which an answer of n is written n%."""
    return [{**row, "generation": f"{row['generation']}%"} for row in recorded(30, 12)]


def test_grading_again_with_another_grader_buys_nothing(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path)
    write_table(tmp_path, percents())
    run(study, out)
    paid, first, headline = spent(out), outcomes(out), json.loads((out / "measures.json").read_text())
    assert any(first.values())
    run(study, out, settings=["grader.name=exact"])
    assert spent(out) == paid
    assert outcomes(out).keys() == first.keys()
    assert not any(outcomes(out).values())
    assert json.loads((out / "measures.json").read_text()) != headline
    assert len(verdict_folders(out)) == 2
    run(study, out)
    assert spent(out) == paid
    assert outcomes(out) == first
    assert json.loads((out / "measures.json").read_text()) == headline


@pytest.mark.slow
def test_another_option_of_a_grader_is_another_grader(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, grader={"name": "math"})
    write_table(tmp_path, percents())
    run(study, out)
    paid, forgiving = spent(out), outcomes(out)
    assert any(forgiving.values())
    run(study, out, settings=[PERCENT])
    assert spent(out) == paid
    assert not any(outcomes(out).values())
    assert len(verdict_folders(out)) == 2
    assert "percent: value" in (out / "study.yaml").read_text()
    assert run_stage(out, "grade", force=True).directory == out
    assert not any(outcomes(out).values())


def test_a_wrong_option_is_a_mistake_of_the_study_file(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, grader={"name": "math", "percent": "often", "ordr": "any"})
    with pytest.raises(StudyError, match=r"(?s)study.yaml:\d+: grader.percent: .*not 'often'.*study.yaml:\d+: grader.ordr: unknown key"):
        run(study, out)
    assert not out.exists()


def with_references(tmp_path: Path, **answers: str) -> Path:
    study = write_study(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
    lines = [json.dumps({**row, "answer": answers.get(row["id"], row["answer"])}) for row in rows]
    (tmp_path / "problems.jsonl").write_text("\n".join(lines))
    return study


@pytest.mark.slow
def test_refused_references_are_all_written_down(tmp_path: Path, out: Path) -> None:
    study = with_references(tmp_path, p03="ten", p05="a dozen")
    run(study, out)
    where = tmp_path / "problems.jsonl"
    assert [json.loads(line) for line in (out / "excluded.jsonl").read_text().splitlines()] == [
        {"split": "train", "id": "p03", "answer": "ten", "reason": "bad_reference", "where": f"{where}:4"},
        {"split": "train", "id": "p05", "answer": "a dozen", "reason": "bad_reference", "where": f"{where}:6"},
    ]
    report = (out / "report.md").read_text()
    assert all(f"| {problem} | bad_reference |" in " ".join(report.split()) for problem in ("p03", "p05"))
    assert set(pl.read_parquet(out / "problems" / "train.parquet")["id"]).isdisjoint({"p03", "p05"})
    run(study, out, settings=["grader.name=exact"])
    assert not (out / "excluded.jsonl").exists()


def test_a_split_without_problems_has_none_refused() -> None:
    study: Any = SimpleNamespace(is_judged=False)
    prepared = Prepared(study=study, problems={"train": []}, cards={}, specs={}, identities={}, facts={}, templates={})
    with GradingPool("number", workers=1, time_limit=1.0) as pool:
        assert drop_refused(prepared, pool) == prepared


def test_strict_refuses_them(tmp_path: Path, out: Path) -> None:
    study = with_references(tmp_path, **{f"p{i:02d}": f"number {'x' * i}" for i in range(12)})
    with pytest.raises(InputError) as caught:
        run(study, out, strict=True)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the grader number refuses 12 of 30 reference answers"
    assert lines[1] == "  problems.train: p00 ('number', problems.jsonl:1) is refused with 'bad_reference'"
    assert lines[11:] == ["  and 2 more", "  correct them, choose another grader, or leave out --strict to go on without these problems"]
    assert not out.exists()
    run(study, out)
    with pytest.raises(InputError, match="refuses 12 of 30"):
        run_stage(out, "grade", strict=True)


@pytest.mark.slow
def test_the_grader_is_named_with_its_conventions(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = write_study(tmp_path, grader={"name": "math"})
    write_table(tmp_path, percents())
    run(study, out, settings=[PERCENT])
    assert json.loads((out / "manifest.json").read_text())["grader"]["name"] == "math"
    version = json.loads((out / "manifest.json").read_text())["grader"]["version"]
    assert version.endswith("+percent=value")
    assert f"math-{version}" in (out / "report.md").read_text()
    assert f"math-{version}" in (out / "report.html").read_text()
    cli.app(["grade", str(out)], standalone_mode=False)
    said = capsys.readouterr()
    assert f" samples by math-{version}: 0 correct, " in next(text for text in said.err.splitlines() if text.startswith("grade "))
    assert said.out == ""
    finished = run_stage(out, "grade")
    rows = pl.read_parquet(out / "samples.parquet").height
    assert finished.graded.startswith(f"{rows} samples by math-{version}: 0 correct, ")
    assert finished.graded.endswith(" 0 ungraded")
    assert run_stage(out, "audit").graded == ""

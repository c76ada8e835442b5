import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.events import Note, StageProgress
from isocost.running import run, run_stage
from isocost.running.stages import StudyRun
from tests.builders import write_study
from tests.matrices import first_fast

AGAIN = "nothing has changed since the last report"
Change = Callable[[Path, Path], None]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `finished`, a copy of `work`: a study and its run that has ended."""
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / "work").mkdir()
    run(write_study(folder / "work", n_problems=6, n_samples=6), folder / "work" / "out")
    shutil.copytree(folder / "work", folder / "finished")
    return folder


@pytest.fixture
def study(kept: Path) -> Path:
    """A study whose run has ended, in `out` beside it, where it was made."""
    shutil.rmtree(kept / "work")
    shutil.copytree(kept / "finished", kept / "work")
    return kept / "work" / "study.yaml"


def is_reused(study: Path, **options: Any) -> bool:
    """Whether the next report is written from the results of the last one."""
    notes: list[str] = []
    run_stage(
        study.parent / "out", "report", listener=lambda event: notes.append(event.text) if isinstance(event, Note) else None, **options
    )
    return any(note.startswith(AGAIN) for note in notes)


def test_a_report_of_an_unchanged_run_reads_no_sample_and_is_the_same(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = study.parent / "out"
    before = {name: (out / name).read_text(encoding="utf-8") for name in ("report.md", "results.json", "measures.json")}
    for name in ("report.html", "report.md"):
        (out / name).unlink()
    monkeypatch.setattr(StudyRun, "sample", lambda self, **more: pytest.fail("samples were read"))
    assert is_reused(study)
    assert {name: (out / name).read_text(encoding="utf-8") for name in before} == before
    assert (out / "report.html").exists()
    assert is_reused(study)  # writing it changed nothing
    assert run(study, out).report == out / "report.html"


def test_writing_the_report_has_a_progress_line_of_its_own(study: Path) -> None:
    heard: list[StageProgress] = []
    run_stage(
        study.parent / "out", "report", force=True, listener=lambda event: heard.append(event) if isinstance(event, StageProgress) else None
    )
    assert [(event.done, event.total, event.finished) for event in heard if event.stage == "report"] == [
        (0, 1, False),
        (1, 1, False),
        (1, 1, True),
    ]


def add_label(out: Path, study: Path) -> None:
    labels = out / "audits" / "labels.jsonl"
    labels.write_text("", encoding="utf-8")


def remove_training_set(out: Path, study: Path) -> None:
    (out / "trainsets" / "weak@low" / "train.parquet").unlink()


def rewrite_samples(out: Path, study: Path) -> None:
    pl.read_parquet(out / "samples.parquet").write_parquet(out / "samples.parquet")


def correct_a_problem(out: Path, study: Path) -> None:
    problems = study.parent / "problems.jsonl"
    first, *rest = problems.read_text(encoding="utf-8").splitlines()
    problems.write_text("\n".join([json.dumps(json.loads(first) | {"answer": "8"}), *rest]) + "\n", encoding="utf-8")


def damage_results(out: Path, study: Path) -> None:
    (out / "results.json").write_text("{", encoding="utf-8")


def damage_the_record(out: Path, study: Path) -> None:
    (out / "reported.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    first_fast([add_label, damage_results, remove_training_set, rewrite_samples, correct_a_problem, damage_the_record], 2),
    ids=lambda c: c.__name__,
)
def test_any_change_makes_a_report_read_all_again_once(study: Path, change: Change) -> None:
    change(study.parent / "out", study)
    assert not is_reused(study)
    assert is_reused(study)


def test_another_setting_or_force_makes_a_report_read_all_again(study: Path) -> None:
    assert not is_reused(study, force=True)
    assert is_reused(study)
    assert not is_reused(study, settings=["seed=3"])
    assert is_reused(study)


@pytest.mark.slow
def test_a_label_that_is_given_while_the_run_goes_on_is_a_change(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, audit = study.parent / "out", StudyRun.audit

    def label_afterwards(self: StudyRun, *args: Any, **options: Any) -> Any:
        found = audit(self, *args, **options)
        add_label(out, study)
        return found

    monkeypatch.setattr(StudyRun, "audit", label_afterwards)
    assert not is_reused(study, force=True)
    monkeypatch.undo()
    assert not is_reused(study)
    assert is_reused(study)


def test_a_study_with_code_of_its_own_is_read_again(tmp_path: Path) -> None:
    path = write_study(tmp_path, n_problems=4, n_samples=6, grader={"name": "isocost.graders.number:NumberGrader"})
    run(path, tmp_path / "out")
    assert not is_reused(path)

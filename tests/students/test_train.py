"""Which students are trained on what, and what is not trained again; `isocost.finetuning` itself is tested apart."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocost.curating import Curated
from isocost.events import Note
from isocost.executors.training import TrainingJob
from isocost.finetuning import Candidate, Trained
from isocost.planning import cells
from isocost.records import Cell, ModelCard
from isocost.store import RunDirectory
from isocost.students import train
from tests.students.setting import prepared

TRAINED = Trained(
    best=Candidate(learning_rate=1e-6, step=2, score=None), candidates=(), n_rows=1, n_too_long=0, steps=2, tokens=9, seconds=1.0
)
WEAK = Cell(arm="weak", budget="low")
CARD = ModelCard(name="strong", engine="", source="", parameters=1, parameters_are="", flops_per_token=None, usd_per_million=None)


class Noting:
    """Trains nothing: notes the jobs."""

    cores = workers = 1

    def __init__(self) -> None:
        self.jobs: list[TrainingJob] = []

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs.append(args[0])
        future: Future[Any] = Future()
        future.set_result(TRAINED)
        return future


def test_cells_of_the_arms_and_budgets_that_the_study_names(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    assert train.trained_cells(made, cells(made.study)) == [WEAK]
    assert train.trained_cells(replace(made, study=made.study.model_copy(update={"finetune": None})), cells(made.study)) == []


def finetuned(folder: Path, kept: list[int]) -> tuple[Noting, list[train.Training], list[str]]:
    executor, told = Noting(), list[str]()
    with RunDirectory(folder / "out") as directory:
        trainings = train.finetune(
            replace(prepared(folder, seeds=[0, 1]), cards={"strong": CARD}),
            directory,
            {WEAK: Curated(kept=np.array(kept, dtype=np.uint32), by_problem={}, by_model={}, funnel=())},
            lambda curated, student: [{"prompt": "Q", "completion": str(place)} for place in curated.kept],
            executor,  # type: ignore[arg-type]  # no jobs for engines here
            lambda event: told.append(event.text) if isinstance(event, Note) else None,
        )
    return executor, list(trainings.done), told


def test_a_student_is_trained_once_a_cell_and_seed(tmp_path: Path) -> None:
    executor, trainings, told = finetuned(tmp_path, [1])
    assert [(t.student, t.cell, t.seed, t.folder) for t in trainings] == [
        ("strong", WEAK, seed, executor.jobs[seed].out) for seed in (0, 1)
    ]
    assert [job.settings.seed for job in executor.jobs] == [0, 1]
    assert not told


def test_what_is_recorded_as_trained_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "recorded", lambda folder: TRAINED)
    executor, trainings, _ = finetuned(tmp_path, [1])
    assert (executor.jobs, len(trainings)) == ([], 2)


def test_no_student_is_trained_on_a_cell_without_a_solution(tmp_path: Path) -> None:
    executor, trainings, told = finetuned(tmp_path, [])
    assert (executor.jobs, trainings) == ([], [])
    assert told == ["weak@low has no correct solution to train on; no student is trained on it"]

"""Which students are trained on what, and what is not trained again; `isocost.finetuning` itself is tested apart."""

import datetime as dt
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isocost.curating import Curated
from isocost.errors import ModelError, RunError, StorageError
from isocost.events import Note
from isocost.executors.training import TrainingJob
from isocost.finetuning import Candidate, Diverged, Trained
from isocost.planning import cells
from isocost.records import Cell, FailedTraining, ModelCard
from isocost.store import RunDirectory
from isocost.students import train
from tests.students.setting import TEST, prepared

TRAINED = Trained(
    best=Candidate(learning_rate=1e-6, step=2, score=None), candidates=(), n_rows=1, n_too_long=0, steps=2, tokens=9, seconds=1.0
)
WEAK = Cell(arm="weak", budget="low")
CARD = ModelCard(name="strong", engine="", source="", parameters=1, parameters_are="", flops_per_token=None, usd_per_million=None)


class Noting:
    """Trains nothing: notes the jobs. A job whose seed is in `errors` fails."""

    cores = workers = 1

    def __init__(self, errors: dict[int, Exception]) -> None:
        self.jobs: list[TrainingJob] = []
        self.errors = errors

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        (job,) = args
        self.jobs.append(job)
        future: Future[Any] = Future()
        if error := self.errors.get(job.settings.seed):
            future.set_exception(error)
        else:
            future.set_result(TRAINED)
        return future


def test_cells_of_the_arms_and_budgets_that_the_study_names(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    assert train.trained_cells(made, cells(made.study)) == [WEAK]
    assert train.trained_cells(replace(made, study=made.study.model_copy(update={"finetune": None})), cells(made.study)) == []


def run(folder: Path, kept: list[int], errors: dict[int, Exception], **finetune: Any) -> tuple[Noting, train.Trainings, list[str]]:
    executor, told = Noting(errors), list[str]()
    with RunDirectory(folder / "out") as directory:
        trainings = train.finetune(
            replace(prepared(folder, seeds=[0, 1], **finetune), cards={"strong": CARD}),
            directory,
            {WEAK: Curated(kept=np.array(kept, dtype=np.uint32), by_problem={}, by_model={}, funnel=())},
            lambda curated, student: [{"prompt": "Q", "completion": str(place)} for place in curated.kept],
            executor,  # type: ignore[arg-type]  # no jobs for engines here
            lambda event: told.append(event.text) if isinstance(event, Note) else None,
        )
    return executor, trainings, told


def finetuned(folder: Path, kept: list[int]) -> tuple[Noting, list[train.Training], list[str]]:
    executor, trainings, told = run(folder, kept, {})
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


def test_a_training_that_fails_leaves_the_others_standing(tmp_path: Path) -> None:
    error = RunError("the loss was not a number at step 3\n  give smaller finetune.learning_rates")
    _, trainings, told = run(tmp_path, [1], {1: error})
    assert [t.seed for t in trainings.done] == [0]
    assert trainings.failed == (FailedTraining(student="strong", cell="weak@low", seed=1, reason="the loss was not a number at step 3"),)
    assert told == [f"training of strong on weak@low, seed 1, failed: {error}"]


@pytest.mark.parametrize("error", [RunError("out of memory"), ModelError("no such model")])
def test_where_every_training_fails_the_first_error_is_kept_for_the_end_of_the_run(tmp_path: Path, error: Exception) -> None:
    _, trainings, _ = run(tmp_path, [1], {0: error, 1: error})
    assert (trainings.done, str(trainings.error), trainings.have_failed) == ((), str(error), True)
    assert trainings.error is not None
    assert trainings.error.__traceback__ is None  # its frames would keep all draws in memory
    assert [each.reason for each in trainings.failed] == [str(error)] * 2
    assert not run(tmp_path / "other", [1], {1: error})[1].have_failed


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="full"):
        run(tmp_path, [1], {1: StorageError("the disk is full")})


def test_what_a_training_found_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(
        TRAINED,
        n_too_long=4,
        n_with_end=2,
        n_with_stop=3,
        diverged=(Diverged(learning_rate=1e-2, step=7),),
        remarks=("its template is odd",),
    )
    monkeypatch.setattr(train, "recorded", lambda folder: found)
    _, _, told = finetuned(tmp_path, [1])
    assert told[:5] == [
        "4 rows of weak@low were too long to train strong on and left out",
        "2 rows of weak@low have an end token of strong in their middle and were left out",
        "3 rows of weak@low contain a stop string of strong and were left out",
        "strong on weak@low, seed 0, learning rate 0.01: the loss was not a number at step 7; only checkpoints before it count",
        "strong: its template is odd",
    ]


def test_the_settings_of_the_study_reach_the_training(tmp_path: Path) -> None:
    given = {"warmup": 0.2, "scheduler": "cosine", "weight_decay": 0.1, "max_length": 99, "batch_size": 8, "gradient_accumulation": 4}
    lora = {"method": "lora", "lora": {"rank": 2, "alpha": 3, "targets": ["q_proj"]}, "gradient_checkpointing": True}
    executor, _, _ = run(tmp_path, [1], {}, **given, **lora, report_to=["tensorboard"])
    settings = executor.jobs[0].settings
    assert {key: getattr(settings, key) for key in given} == given
    assert (settings.method, settings.lora_rank, settings.lora_alpha, settings.lora_targets) == ("lora", 2, 3, ("q_proj",))
    assert (settings.gradient_checkpointing, executor.jobs[0].report_to) == (True, ("tensorboard",))


def test_the_stop_strings_of_the_student_reach_the_training(tmp_path: Path) -> None:
    assert run(tmp_path, [1], {})[0].jobs[0].stop == prepared(tmp_path).templates["strong"].stop != ()
    assert run(tmp_path, [1], {}, format="chat")[0].jobs[0].stop == ()


def test_a_training_of_earlier_defaults_is_not_repeated(tmp_path: Path) -> None:
    def name(**finetune: Any) -> str:
        return run(tmp_path, [1], {}, **finetune)[0].jobs[0].out.name

    former = name(warmup=0.0, max_length=1024, learning_rates=[1e-6])
    assert name() != former
    (tmp_path / "out" / "models" / former).mkdir(parents=True)
    assert name() == former
    assert name(warmup=0.3) != former


def test_number_matched_arms_belong_to_every_budget(tmp_path: Path) -> None:
    made = prepared(tmp_path, arms=["weak", "equal"], budgets=["low"])
    assert [cell.name for cell in train.trained_cells(made, cells(made.study))] == ["weak@low", "equal@number"]


def test_checkpoints_are_scored_with_the_special_tokens_and_the_date_of_the_student(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    spec = replace(made.specs["strong"], options=(("model", "base"), ("special_tokens", ("[THINK]",))), chat_date=dt.date(2026, 12, 1))
    made = replace(made, specs={"strong": spec}, problems={**made.problems, "validation": TEST})
    assert made.study.finetune is not None
    scoring = train._scoring(made, made.study.finetune.model_copy(update={"checkpoints": 2}), "strong")
    assert scoring is not None
    assert scoring.engine_options == {"special_tokens": ("[THINK]",)}
    assert scoring.chat_date == dt.date(2026, 12, 1)

"""A training that is killed goes on from its last optimizer state, and ends with the bytes of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from isocost.errors import RunDirectoryError
from isocost.finetuning import Logged, checkpoints, finetune, watching, work_folder
from isocost.finetuning.checkpoints import complete, resumable
from isocost.finetuning.work import open_work
from tests.finetuning.setting import QUICK, ROWS, weights
from tests.matrices import first_fast

SIX = replace(QUICK, steps=6, checkpoints=3, learning_rates=(1e-3, 5e-3), warmup=0.2, weight_decay=0.1)


class KilledError(BaseException):
    """Stands in for a kill: nothing catches it."""


def score(folder: Path) -> float:
    """A score that differs between checkpoints."""
    return int(weights(folder)[:6], 16) / 16**6


@pytest.fixture(scope="module")
def uninterrupted(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    finetune(base, ROWS, out, SIX, score=score)
    return out


def killed_at(base: Path, out: Path, step: int) -> list[int]:
    """Start and kill at a step (over both rates); return the steps that were done."""
    seen: list[int] = []

    def progress(logged: Logged) -> None:
        seen.append(logged.step)
        if logged.step == step:
            raise KilledError

    with pytest.raises(KilledError):
        finetune(base, ROWS, out, SIX, score=score, progress=progress)
    return seen


@pytest.mark.parametrize("step", first_fast([9, 1, 3, 6, 12]))
def test_a_resumed_training_is_equal_to_an_uninterrupted_one(base: Path, tmp_path: Path, uninterrupted: Path, step: int) -> None:
    out, again = tmp_path / "out", list[int]()
    killed_at(base, out, step)
    trained = finetune(base, ROWS, out, SIX, score=score, progress=lambda logged: again.append(logged.step))
    last_saved = (step - 1) // 2 * 2  # saved after every second step
    assert again == list(range(last_saved + 1, 13))
    assert weights(out) == weights(uninterrupted)
    assert json.loads((out / "trained.json").read_text())["trained"]["candidates"] == [
        {"learning_rate": c.learning_rate, "step": c.step, "score": c.score} for c in trained.candidates
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in uninterrupted.iterdir())
    assert not work_folder(out).exists()


@pytest.mark.slow
def test_a_kill_while_checkpoints_are_scored_loses_no_step(base: Path, tmp_path: Path, uninterrupted: Path) -> None:
    def kill(folder: Path) -> float:
        raise KilledError

    with pytest.raises(KilledError):
        finetune(base, ROWS, tmp_path / "out", SIX, score=kill)
    again: list[int] = []
    finetune(base, ROWS, tmp_path / "out", SIX, score=score, progress=lambda logged: again.append(logged.step))
    assert again == list(range(7, 13))
    assert weights(tmp_path / "out") == weights(uninterrupted)


@pytest.mark.slow
def test_a_checkpoint_that_was_torn_is_not_resumed_from(base: Path, tmp_path: Path, uninterrupted: Path) -> None:
    out = tmp_path / "out"
    killed_at(base, out, 5)
    run = work_folder(out) / "rate-0"
    assert [each.step for each in complete(run)] == [2, 4]
    (run / "checkpoint-4" / "complete.json").unlink()
    (run / "checkpoint-4" / "model.safetensors").write_bytes(b"torn")
    # The optimizer of step 2 went when step 4 was complete.
    assert resumable(run) is None
    finetune(base, ROWS, out, SIX, score=score)
    assert weights(out) == weights(uninterrupted)


def test_the_optimizer_of_the_last_checkpoint_alone_is_kept(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SAVE_EVERY", 0.0)  # saves every step
    killed_at(base, tmp_path / "out", 6)
    run = work_folder(tmp_path / "out") / "rate-0"
    found = {path.name: bool(list(path.glob("optimizer*"))) for path in run.glob("checkpoint-*")}
    assert found == {"checkpoint-2": False, "checkpoint-4": False, "checkpoint-5": True}


def test_checkpoints_of_another_training_are_refused_and_kept(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed_at(base, out, 5)
    for rows, settings in ((ROWS[:2], SIX), (ROWS, replace(SIX, seed=1))):
        with pytest.raises(RunDirectoryError, match=r"\.out\.part: holds the checkpoints of another training") as caught:
            finetune(base, rows, out, settings, score=score)
        assert len(str(caught.value).splitlines()) == 2
    assert [each.step for each in complete(work_folder(out) / "rate-0")] == [2, 4]


@pytest.mark.parametrize("state", [None, "", "[]", '{"stamp": '])
def test_checkpoints_whose_state_is_lost_are_refused_and_kept(tmp_path: Path, state: str | None) -> None:
    folder = work_folder(tmp_path / "out")
    (folder / "rate-0" / "checkpoint-4").mkdir(parents=True)
    if state is not None:
        (folder / "training.json").write_text(state)
    with pytest.raises(RunDirectoryError, match=r"\.out\.part: holds checkpoints, and training\.json in it is missing or damaged"):
        open_work(tmp_path / "out", "stamp")
    assert (folder / "rate-0" / "checkpoint-4").is_dir()


def test_a_folder_that_a_kill_left_without_a_state_begins_anew(tmp_path: Path) -> None:
    folder = work_folder(tmp_path / "out")
    folder.mkdir(parents=True)
    (folder / ".training.json.tmp").write_text("{")
    assert open_work(tmp_path / "out", "stamp").rates == 0
    assert open_work(tmp_path / "out", "stamp").stamp == "stamp"


@pytest.mark.slow
def test_adapters_resume_too(base: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, steps=4, checkpoints=2, method="lora", lora_rank=4, learning_rates=(1e-2,))
    finetune(base, ROWS, tmp_path / "whole", settings, score=score)

    def progress(logged: Logged) -> None:
        if logged.step == 3 and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            raise KilledError

    with pytest.raises(KilledError):
        finetune(base, ROWS, tmp_path / "out", settings, score=score, progress=progress)
    finetune(base, ROWS, tmp_path / "out", settings, score=score, progress=progress)
    assert weights(tmp_path / "out") == weights(tmp_path / "whole")


SCRIPT = """
import sys
from pathlib import Path
from isocost.finetuning import finetune
from tests.matrices import first_fast
from tests.finetuning.setting import ROWS
from tests.finetuning.test_resuming import SIX, score
import os, time, torch
torch.set_num_threads(1)

def progress(logged):
    print(logged.step, flush=True)
    if logged.step == int(os.environ.get("HOLD_AT", "0")):
        time.sleep(600)

finetune(Path(sys.argv[1]), ROWS, Path(sys.argv[2]), SIX, score=score, progress=progress)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_goes_on(base: Path, tmp_path: Path, uninterrupted: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", SCRIPT, str(base), str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**environment, "HOLD_AT": "8"}) as process:
        assert process.stdout
        for line in process.stdout:
            if int(line) == 8:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert int(done.stdout.split()[0]) in (7, 9)  # after step 6 or, if it was saved before the signal came, step 8
    assert weights(out) == weights(uninterrupted)


@pytest.mark.parametrize("text", ["", "[]", '{"step": "x", "seconds": 1}', '{"step": 2}'])
def test_a_damaged_mark_makes_no_checkpoint_complete(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "checkpoint-2"
    folder.mkdir()
    (folder / "complete.json").write_text(text)
    assert complete(tmp_path) == []


def test_only_the_model_of_a_chosen_checkpoint_stays(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint-2"
    folder.mkdir()
    names = ["model.safetensors", "tokenizer.json", "optimizer.pt", "scheduler.pt", "rng_state_1.pth", "trainer_state.json"]
    for name in [*names, "training_args.bin"]:
        (folder / name).touch()
    checkpoints.mark_complete(tmp_path, 2, 1.5, keep=(2,))
    assert resumable(tmp_path) == (2, folder, 1.5)
    checkpoints.to_model(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "tokenizer.json"]


def test_a_work_folder_is_beside_its_model() -> None:
    assert work_folder(Path("models/a")) == Path("models/.a.part")

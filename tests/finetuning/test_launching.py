"""Training in the processes of accelerate: one process and two give the same model."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from isocost.errors import RunError
from isocost.finetuning import Encoded, Logged, finetune
from isocost.finetuning.launching import read_job, write_job
from isocost.finetuning.trainer import Course, load_tokenizer
from tests.finetuning.setting import QUICK, ROWS
from tests.finetuning.test_trainer import assert_close

pytest.importorskip("accelerate")
# MULTI_CPU would need MPI; MULTI_GPU with use_cpu starts its processes with torch, on the CPU.
TWO = {"compute_environment": "LOCAL_MACHINE", "distributed_type": "MULTI_GPU", "use_cpu": True, "num_machines": 1, "num_processes": 2}
SETTINGS = replace(QUICK, steps=4, batch_size=8, checkpoints=2, learning_rates=(3e-4,))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "accelerate.yaml"
    path.write_text(yaml.safe_dump({**TWO, "machine_rank": 0, "mixed_precision": "no", "main_process_port": 0}), encoding="utf-8")
    return path


@pytest.mark.slow
def test_two_processes_train_as_one_does(base: Path, tmp_path: Path, config: Path) -> None:
    logged: dict[str, list[Logged]] = {"one": [], "two": []}
    trained = {
        name: finetune(base, ROWS, tmp_path / name, SETTINGS, score=lambda _: 0.5, progress=logged[name].append, launch=file)
        for name, file in (("one", None), ("two", config))
    }
    assert [each.step for each in logged["two"]] == [1, 2, 3, 4]
    assert [each.loss for each in logged["two"]] == pytest.approx([each.loss for each in logged["one"]], rel=1e-4)
    assert trained["two"].candidates == trained["one"].candidates
    assert_close(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_a_process_that_fails_is_told_in_one_line(base: Path, tmp_path: Path, config: Path) -> None:
    with pytest.raises(RunError, match=r"status 1: InputError: .* 9 rows .* on 2 processes\n  its configuration is .*yaml$"):
        finetune(base, ROWS, tmp_path / "out", replace(SETTINGS, batch_size=9), score=lambda _: 0.5, launch=config)


def test_a_job_file_has_all_that_a_training_needs(base: Path, tmp_path: Path) -> None:
    data = [Encoded(input_ids=[1, 2, 3], labels=[-100, 2, 3])]
    settings = replace(SETTINGS, lora_targets=("q_proj",), gradient_checkpointing=True)
    course: Any = Course(model_path=base, tokenizer=load_tokenizer(base), data=data, settings=settings, report_to=("tensorboard",))
    path = write_job(course, 2e-4, tmp_path)
    found, rate = read_job(path)
    assert (rate, found.data, found.settings, found.report_to, found.model_path) == (2e-4, data, settings, ("tensorboard",), base.resolve())
    assert json.loads(path.read_text())["rate"] == 2e-4

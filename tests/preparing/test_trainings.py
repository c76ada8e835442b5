"""Trainings that cannot work are found before anything is paid."""

from __future__ import annotations

from pathlib import Path

from isocost.preparing.trainings import training_mistakes
from tests.builders import study


def test_a_configuration_that_saves_no_whole_models_is_refused_where_students_are_trained(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("distributed_type: DEEPSPEED\n")
    executor = {"name": "accelerate", "config": "a.yaml"}
    finetune = {"students": ["strong"], "arms": ["weak"], "checkpoints": 1}
    sets = {split: {"source": "jsonl", "path": f"{split}.jsonl"} for split in ("train", "test")}
    found = list(training_mistakes(study(executor=executor, finetune=finetune, problems=sets), tmp_path))
    assert found[0].startswith(
        "executor.config: a.yaml: distributed_type: DEEPSPEED may save no whole models\n  use distributed_type: NO, "
    )
    assert list(training_mistakes(study(executor=executor), tmp_path)) == []

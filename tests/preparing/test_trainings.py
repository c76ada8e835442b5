"""Trainings that cannot work are found before anything is paid."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from isocost.engines.base import Request
from isocost.errors import ModelError
from isocost.executors.jobs import EngineSpec
from isocost.preparing.trainings import Attempt, launch_mistakes, training_mistakes, unusable_students
from isocost.prompts import make_template
from isocost.records import SamplingParams
from tests.builders import study


def test_a_configuration_that_saves_no_whole_models_is_refused_where_students_are_trained(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("distributed_type: DEEPSPEED\n")
    executor = {"name": "accelerate", "config": "a.yaml"}
    finetune = {"students": ["strong"], "arms": ["weak"], "checkpoints": 1}
    sets = {split: {"source": "jsonl", "path": f"{split}.jsonl"} for split in ("train", "test")}
    found = list(launch_mistakes(study(executor=executor, finetune=finetune, problems=sets), tmp_path))
    assert found[0].startswith(
        "executor.config: a.yaml: distributed_type: DEEPSPEED may save no whole models\n  use distributed_type: NO, "
    )
    assert list(launch_mistakes(study(executor=executor), tmp_path)) == []
    # A run that has trained its students goes on with it.
    others = training_mistakes(study(executor=executor, finetune=finetune, problems=sets), tmp_path)
    assert not [mistake for mistake in others if "executor" in mistake]


def told(attempt: Attempt, **changes: Any) -> list[str]:
    """What is found with students that are loaded by `attempt`."""
    finetune = {"students": ["strong", "weak"], "arms": ["weak"], "checkpoints": 1, "format": "chat"}
    sets = {split: {"source": "jsonl", "path": f"{split}.jsonl"} for split in ("train", "test")}
    made = study(finetune=finetune, problems=sets, prompt={"template": "gsm8k", "chat": True, "system": "Be brief."}, **changes)
    specs = {name: EngineSpec(name=name, options=(), base=Path()) for name in made.models}
    templates = {name: make_template(made.prompt_of(name)) for name in made.models}
    params = {name: SamplingParams(max_tokens=64, stop=("\n\n",)) for name in made.models}
    return list(unusable_students(made, specs, templates, params, attempt))


def test_each_student_writes_one_token_in_the_form_in_which_it_is_trained() -> None:
    asked: list[tuple[str, Request, SamplingParams]] = []
    assert told(lambda spec, request, params: asked.append((spec.name, request, params))) == []
    assert [name for name, _, _ in asked] == ["strong", "weak"]
    assert {(request.chat, request.system, request.prompt) for _, request, _ in asked} == {(True, "Be brief.", "Question: ?\nAnswer:")}
    assert {(params.max_tokens, params.stop) for _, _, params in asked} == {(1, ("\n\n",))}


def test_every_student_that_cannot_be_used_is_named() -> None:
    def fail(spec: EngineSpec, request: Request, params: SamplingParams) -> None:
        raise ModelError(f"{spec.name}.safetensors: damaged\n  download it again")

    assert told(fail) == [
        f"finetune.students: {name} cannot be used: {name}.safetensors: damaged\n  download it again" for name in ("strong", "weak")
    ]


def test_a_student_that_kills_its_process_is_named_once() -> None:
    def die(spec: EngineSpec, request: Request, params: SamplingParams) -> None:
        raise BrokenProcessPool

    (only,) = told(die)
    assert only.startswith("finetune.students: strong cannot be loaded: the process died, probably out of memory\n")


def test_nothing_is_loaded_here_for_a_cluster() -> None:
    def fail(spec: EngineSpec, request: Request, params: SamplingParams) -> None:
        raise AssertionError

    assert told(fail, executor="ray") == []

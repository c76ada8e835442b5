"""Chats from the study file to what a model is asked: found out to be impossible before anything is paid, and shown by a dry run."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isocost.engines.base import Request
from isocost.errors import ModelError, StudyError
from isocost.executors.engineworker import describe
from isocost.executors.jobs import EngineSpec
from isocost.preparing.parts import known_parts
from isocost.preparing.prepare import Prepared, prepare
from isocost.studyfile import load_study
from isocost.summaries.plans import first_prompts
from tests.builders import write_study

CHAT = {"template": "gsm8k", "chat": True, "system": "Be brief."}


def prepared(folder: Path, render: Callable[[EngineSpec, Request], str] | None = None, **changes: Any) -> Prepared:
    path = write_study(folder, n_problems=3, **changes)
    return prepare(load_study(path, [], known_parts()), folder, describe, to_spend=True, render=render)


def test_a_model_without_a_chat_format_is_found_before_anything_is_paid(tmp_path: Path) -> None:
    def refuse(spec: EngineSpec, request: Request) -> str:
        raise ModelError(f"{dict(spec.options)['model']}: has no chat template; leave out prompt.chat")

    with pytest.raises(StudyError) as caught:
        prepared(tmp_path, refuse, prompt=CHAT)
    assert caught.value.mistakes == tuple(
        f"models.{name}: {name}: has no chat template; leave out prompt.chat" for name in ("weak", "strong")
    )
    prepared(tmp_path, refuse)  # text needs no chat format


def test_a_probe_is_asked_as_the_study_will_ask(tmp_path: Path) -> None:
    asked: list[Request] = []

    def note(spec: EngineSpec, request: Request) -> str:
        asked.append(request)
        return ""

    prepared(tmp_path, note, prompt=CHAT)
    assert [(request.chat, request.system) for request in asked] == [(True, "Be brief.")] * 2


def test_a_dry_run_shows_what_the_models_read(tmp_path: Path) -> None:
    def shout(name: str, request: Request) -> str:
        return f"<{name}|{request.system}|{request.prompt.upper()}>"

    text = first_prompts(prepared(tmp_path, prompt=CHAT), shout)
    assert "<weak|Be brief.|QUESTION: WHAT IS 0 + 7?\nANSWER:>\n<end of prompt>" in text
    assert "<strong|Be brief.|" in text


def test_without_a_model_a_dry_run_shows_who_says_what(tmp_path: Path) -> None:
    chat = first_prompts(prepared(tmp_path, prompt=CHAT))
    assert "[system]\nBe brief.\n[user]\nQuestion: What is 0 + 7?\nAnswer:\n[assistant]\n<end of prompt>" in chat
    plain = first_prompts(prepared(tmp_path))
    assert ":\nQuestion: What is 0 + 7?\nAnswer:\n<end of prompt>" in plain


def test_a_dry_run_shows_each_models_own_sampling(tmp_path: Path) -> None:
    text = first_prompts(prepared(tmp_path, sampling={"temperature": 0.5, "max_tokens": 64}))
    assert re.search(r"first prompt to weak \(temperature 0\.5, .*\) and strong \(temperature 0\.5, .*\):\n", text)
    assert text.count("What is 0 + 7?") == 1  # one text for both
    models = {
        name: {"engine": "replay", "table": "table.parquet", "model": name, "params": 1, "sampling": {"temperature": heat}}
        for name, heat in (("weak", 0.25), ("strong", 1))
    }
    own = first_prompts(prepared(tmp_path, sampling={"temperature": 0.5, "max_tokens": 64}, models=models))
    assert "temperature 0.25" in own
    assert "temperature 1" in own
    assert "temperature 0.5" not in own


def test_a_student_that_is_trained_in_a_chat_needs_a_chat_format(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"id": "t", "question": "What is 1 + 1?", "answer": "2"}\n')
    problems = {"train": {"source": "jsonl", "path": "problems.jsonl"}, "test": {"source": "jsonl", "path": "test.jsonl"}}
    models = {name: {"engine": "replay", "table": "table.parquet", "model": name, "params": 1} for name in ("weak", "strong")}
    models["student"] = {"engine": "transformers", "model": "lab:tiny"}
    finetune = {"students": ["student"], "arms": ["weak"], "checkpoints": 1, "format": "chat"}
    asked: list[str] = []

    def refuse(spec: EngineSpec, request: Request) -> str:
        asked.append(spec.name)
        raise ModelError("tiny: has no chat template")

    with pytest.raises(StudyError) as caught:
        prepared(tmp_path, refuse, problems=problems, models=models, finetune=finetune)
    assert caught.value.mistakes == ("finetune.format: chat: tiny: has no chat template\n  set format: plain",)
    prepared(tmp_path, refuse, problems=problems, models=models, finetune={**finetune, "format": "auto"})
    assert asked == ["transformers"]
    plain = {**finetune, "format": "plain"}
    with pytest.raises(StudyError) as caught:
        prepared(tmp_path, refuse, problems=problems, models={"student": models["student"], **models}, finetune=plain, prompt=CHAT)
    assert "models.student: tiny: has no chat template\n  give models.student.prompt: {chat: false}" in caught.value.mistakes


def test_a_package_that_training_lacks_is_found_before_anything_is_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test.jsonl").write_text('{"id": "t", "question": "What is 1 + 1?", "answer": "2"}\n')
    problems = {"train": {"source": "jsonl", "path": "problems.jsonl"}, "test": {"source": "jsonl", "path": "test.jsonl"}}
    models = {name: {"engine": "replay", "table": "table.parquet", "model": name, "params": 1} for name in ("weak", "strong")}
    models["student"] = {"engine": "transformers", "model": "lab:tiny"}
    finetune = {"students": ["student"], "arms": ["weak"], "checkpoints": 1}
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in ("trl", "trackio") else find(name, *rest))
    render = lambda spec, request: ""  # noqa: E731
    for executor, error in (("local", "trl is not installed"), ("ray", "")):
        if error:
            with pytest.raises(StudyError, match=error):
                prepared(tmp_path, render, problems=problems, models=models, finetune=finetune, executor=executor)
        else:
            prepared(tmp_path, render, problems=problems, models=models, finetune=finetune, executor=executor)
    prepared(tmp_path, problems=problems, models=models, finetune=finetune)  # of a run that began, only what is missing is trained


def test_a_configuration_of_accelerate_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"executor\.config: a\.yaml: no such file\n  write it with: accelerate config"):
        prepared(tmp_path, executor={"name": "accelerate", "config": "a.yaml"})
    (tmp_path / "a.yaml").write_text("distributed_type: MULTI_GPU\n")
    prepared(tmp_path, executor={"name": "accelerate", "config": "a.yaml"})

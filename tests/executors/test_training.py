"""Scores of checkpoints while a student is trained."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants
from safetensors.torch import save_file

from isocost.config import GraderSpec
from isocost.engines.base import Generation, ModelSize, Request
from isocost.errors import ModelError
from isocost.executors import training
from isocost.executors.jobs import EngineSpec
from isocost.executors.training import Scoring, TrainingJob
from isocost.finetuning import TrainingSettings
from isocost.prompts.base import Template
from isocost.records import Delimiters, Problem, SamplingParams
from isocost.store import RunDirectory

TEXTS = ("[r] 2 and 7 is 9", "[r] 2 and 7 is 8 [/r] The answer is 9.", "[r] 2 and 7 is 9 [/r] The answer is 8.")


class Reasoner:
    """Answers each problem with its text of `TEXTS`."""

    identity, remote, concurrency, shares_prompts = "reasoner", False, 1, False

    def size(self) -> ModelSize | None:
        return None

    def render(self, request: Request) -> str:
        return request.prompt

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        return [tuple(requests)]

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        texts = [TEXTS[int(request.problem_id)] for request in batch]
        return [[Generation(text=text, num_prompt_tokens=1, num_generated_tokens=1, finish_reason="stop")] for text in texts]

    def close(self) -> None:
        """Nothing is open."""


def open_engine(options: Mapping[str, object], base: Path) -> Reasoner:
    return Reasoner()


def scoring_with(reasoning: Delimiters | None) -> Scoring:
    return Scoring(
        problems=tuple(Problem(id=str(i), question="What is 2 + 7?", answer="9") for i in range(len(TEXTS))),
        template=Template(form="{question}"),
        params=SamplingParams(),
        engine="tests.executors.test_training:open_engine",
        engine_options={},
        grader=GraderSpec(name="number"),
        reasoning=reasoning,
    )


def test_an_answer_that_is_not_graded_counts_as_wrong_for_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ungraded(texts: list[Generation]) -> list[Generation]:
        return [replace(each, finish_reason="error") for each in texts]

    answer = Reasoner.generate
    monkeypatch.setattr(Reasoner, "generate", lambda self, *given: [*answer(self, *given)[:2], ungraded(answer(self, *given)[2])])
    log = RunDirectory(tmp_path).log("logs", "training.jsonl")
    assert training._scorer(scoring_with(None), log)(tmp_path) == pytest.approx(2 / 3)


def test_the_variables_of_a_launcher_around_the_run_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(variable, "2")
    monkeypatch.setattr(
        training.finetuning, "finetune", lambda *_, **__: {name for name in os.environ if "RANK" in name or "MASTER" in name}
    )
    settings = TrainingSettings(steps=1, batch_size=1, learning_rates=(1e-3,))
    job = TrainingJob(model=str(tmp_path), rows=(), out=tmp_path / "out", settings=settings, scoring=None, progress=tmp_path / "log.jsonl")
    assert training.train(job) == set()  # type: ignore[comparison-overlap]
    assert "WORLD_SIZE" not in os.environ


@pytest.mark.parametrize(("reasoning", "score"), [(None, 2 / 3), (Delimiters(open="[r]", close="[/r]"), 1 / 3)])
def test_what_stands_in_a_students_own_delimiters_is_no_answer(tmp_path: Path, reasoning: Delimiters | None, score: float) -> None:
    """Without them the number in reasoning that was cut off would count as the answer."""
    log = RunDirectory(tmp_path).log("logs", "training.jsonl")
    assert training._scorer(scoring_with(reasoning), log)(tmp_path) == pytest.approx(score)


def test_a_student_that_is_tried_stays_in_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Reasoner] = []
    monkeypatch.setattr(Reasoner, "close", lambda self: closed.append(self))
    monkeypatch.setattr(training.finetuning, "load_tokenizer", lambda path: None)
    spec = EngineSpec(name="tests.executors.test_training:open_engine", options=(("model", "student"),), base=tmp_path)
    training.try_student(spec, Request(problem_id="0", prompt="?", first_index=0, count=1), SamplingParams(max_tokens=1))
    with pytest.raises(ValueError, match="damaged"):
        training.try_student(spec, Request(problem_id="damaged", prompt="?", first_index=0, count=1), SamplingParams(max_tokens=1))
    assert len(closed) == 2
    assert training.source_of(spec) == "student"  # a name on the hub
    (tmp_path / "student").mkdir()
    assert training.source_of(spec) == str(tmp_path / "student")


def test_a_student_of_the_hub_is_trained_from_the_commit_that_was_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / "models--org--student"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("b" * 40)  # the branch has moved
    for commit in ("a" * 40, "b" * 40):
        (cached / "snapshots" / commit).mkdir(parents=True)
        (cached / "snapshots" / commit / "config.json").write_text("{}")
    name = "org/student"
    downloaded: list[str] = []

    def download(name: str, *, revision: str) -> str:
        downloaded.append(revision)
        if revision == "c" * 40:
            raise OSError("no network")
        return str(tmp_path / "downloaded")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert training._folder_of(name, "a" * 40) == tmp_path / "downloaded"  # a worker of another machine, without the weights
    with pytest.raises(ModelError, match=r"commit c+ is not on this machine, and the hub does not give it: no network"):
        training._folder_of(name, "c" * 40)
    save_file({}, cached / "snapshots" / ("a" * 40) / "model.safetensors")
    assert training._folder_of(name, "a" * 40) == cached / "snapshots" / ("a" * 40)
    assert downloaded == ["a" * 40, "c" * 40]
    assert training._folder_of(name, None) == Path(name)  # of a run that an earlier version began
    assert training._folder_of(str(tmp_path), None) == tmp_path

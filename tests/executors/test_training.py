"""Scores of checkpoints while a student is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from isocost.config import GraderSpec
from isocost.engines.base import Generation, ModelSize, Request
from isocost.executors import training
from isocost.executors.training import Scoring
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


@pytest.mark.parametrize(("reasoning", "score"), [(None, 2 / 3), (Delimiters(open="[r]", close="[/r]"), 1 / 3)])
def test_what_stands_in_a_students_own_delimiters_is_no_answer(tmp_path: Path, reasoning: Delimiters | None, score: float) -> None:
    """Without them the number in reasoning that was cut off would count as the answer."""
    scoring = Scoring(
        problems=tuple(Problem(id=str(i), question="What is 2 + 7?", answer="9") for i in range(len(TEXTS))),
        template=Template(form="{question}"),
        params=SamplingParams(),
        engine="tests.executors.test_training:open_engine",
        engine_options={},
        grader=GraderSpec(name="number"),
        reasoning=reasoning,
    )
    log = RunDirectory(tmp_path).log("logs", "training.jsonl")
    assert training._scorer(scoring, log)(tmp_path) == pytest.approx(score)

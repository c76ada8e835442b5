"""A model made of rules, for tests of studies that a model judges: it solves sums, rightly or not, and judges solutions of them.

Everything it is asked is noted in a file, so that a test can see what was asked twice.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isocost.engines.base import Generation, ModelSize, Request
from isocost.engines.batching import cut
from isocost.errors import EngineError
from isocost.records import SamplingParams

SUM = re.compile(r"What is (\d+) \+ (\d+)\?")
ANSWER = re.compile(r"#### (\d+)")
JUDGING = "You are grading a solution"


class Rules:
    """`errs`: of so many solutions one is wrong (0: none). `seconds`: how long it judges a batch. `fails`: a file; while it is there, it
    cannot judge.
    """

    remote = shares_prompts = False
    concurrency = 1

    def __init__(self, base: Path, *, errs: int = 0, seconds: float = 0.0, fails: str = "no such file") -> None:
        self.identity = f"rules-{errs}"
        self._errs, self._seconds = errs, seconds
        self._told, self._fails = base / "told.jsonl", base / fails

    def size(self) -> ModelSize | None:
        return None

    def render(self, request: Request) -> str:
        return request.prompt

    def batches(self, requests: Sequence[Request]) -> list[tuple[Request, ...]]:
        return cut(requests, 4)

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        judging = [JUDGING in request.prompt for request in batch]
        if any(judging) and self._fails.exists():
            raise EngineError("the judge is not there")
        time.sleep(self._seconds if any(judging) else 0.0)
        self._note([f"{request.system or ''}{request.prompt}" for request, judges in zip(batch, judging, strict=True) if judges])
        return [
            [self._judged(request.prompt)] if judges else [self._solved(request, request.first_index + i) for i in range(request.count)]
            for request, judges in zip(batch, judging, strict=True)
        ]

    def close(self) -> None: ...

    def _note(self, prompts: list[str]) -> None:
        if prompts:
            with os.fdopen(os.open(self._told, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "w") as file:
                file.write("".join(json.dumps(prompt) + "\n" for prompt in prompts))

    def _solved(self, request: Request, index: int) -> Generation:
        a, b = (int(number) for number in SUM.findall(request.prompt)[-1])
        wrong = self._errs and (a + index) % self._errs == 0
        return _said(f" Way {index}: {a} + {b}\n#### {a + b + bool(wrong)}", request.prompt)

    def _judged(self, prompt: str) -> Generation:
        ((a, b),) = SUM.findall(prompt)
        right = ANSWER.findall(prompt)[-1] == str(int(a) + int(b))
        return _said(f"It adds up: {right}.\nverdict: {'correct' if right else 'incorrect'}", prompt)


def _said(text: str, prompt: str) -> Generation:
    return Generation(text=text, num_prompt_tokens=len(prompt.split()), num_generated_tokens=len(text.split()), finish_reason="stop")


def open_engine(options: Mapping[str, Any], base: Path) -> Rules:
    return Rules(base, **options)

"""Greedy pass@1 that verified solutions teach an embedded model, on validation problems (docs/embedded-models.md).

Samples solutions of training problems from one embedded model, keeps those with the correct answer and without duplicates (or, with
`--unfiltered`, as many whatever their answer), and trains another one on them. Prints the pass@1 of the untrained model under both prompts
and of the trained one under the plain form, each with its 95% interval.

    python benchmarks/teaching.py --student weak --generator weak --samples 3 --steps 150
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from isocost.engines import load_engine
from isocost.engines.base import Generation, Request
from isocost.finetuning import TrainingSettings, finetune
from isocost.graders import load_grader
from isocost.lab import MODELS, weights
from isocost.metrics.intervals import proportion
from isocost.problems.lab import load
from isocost.prompts.base import Template
from isocost.prompts.lab import PLAIN, TWO_SHOT
from isocost.records import Problem, SamplingParams

BATCH = 256


def answer(folder: Path, problems: Sequence[Problem], template: Template, temperature: float, samples: int) -> list[list[Generation]]:
    """Return the answers of a model to each problem."""
    engine: Any = load_engine("transformers", {"model": str(folder), "batch_size": BATCH}, base=Path())
    params = SamplingParams(temperature=temperature, max_tokens=96, stop=template.stop)
    found: list[list[Generation]] = []
    for start in range(0, len(problems), max(1, BATCH // samples)):
        part = problems[start : start + max(1, BATCH // samples)]
        requests = [Request(problem_id=p.id, prompt=template.render(p.question), first_index=0, count=samples) for p in part]
        found += engine.generate(requests, params, start)
    return found


def is_correct(problem: Problem, generation: Generation) -> bool:
    return bool(load_grader("number", {}).grade(problem.answer, generation.text).correct)


def solved(folder: Path, problems: Sequence[Problem], template: Template) -> str:
    """Return pass@1 under greedy decoding as text."""
    answers = answer(folder, problems, template, 0.0, 1)
    right = sum(is_correct(problem, own[0]) for problem, own in zip(problems, answers, strict=True))
    found = proportion(right, len(problems))
    value, low, high = (100 * (end or 0.0) for end in (found.value, found.low, found.high))
    return f"{value:.1f}% [{low:.1f}, {high:.1f}]"


def training_rows(problems: Sequence[Problem], answers: Sequence[Sequence[Generation]], *, unfiltered: bool) -> list[dict[str, str]]:
    """Return prompt-completion rows without duplicates: the correct ones, or as many whatever their answer."""
    kept: list[dict[str, str]] = []
    every: list[dict[str, str]] = []
    for problem, own in zip(problems, answers, strict=True):
        for generation in {each.text: each for each in own if each.finish_reason == "stop"}.values():
            every.append({"prompt": PLAIN.plain(problem.question), "completion": generation.text})
            if is_correct(problem, generation):
                kept.append(every[-1])
    return random.Random(0).sample(every, len(kept)) if unfiltered else kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--student", choices=MODELS, default="weak")
    parser.add_argument("--generator", choices=MODELS, default="weak")
    for name, default in (("problems", 1500), ("samples", 3), ("steps", 150), ("batch-size", 32), ("validation", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--unfiltered", action="store_true")
    given = parser.parse_args()
    train, validation = (
        list(itertools.islice(load(split=split), n)) for split, n in (("train", given.problems), ("validation", given.validation))
    )
    rows = training_rows(train, answer(weights(given.generator), train, TWO_SHOT, 0.8, given.samples), unfiltered=given.unfiltered)
    print(f"{given.student}, greedy pass@1 on {len(validation)} validation problems")
    print(f"untrained, two-shot: {solved(weights(given.student), validation, TWO_SHOT)}", flush=True)
    print(f"untrained, plain form: {solved(weights(given.student), validation, PLAIN)}", flush=True)
    settings = TrainingSettings(
        steps=given.steps, batch_size=given.batch_size, learning_rates=(given.rate,), checkpoints=1, warmup=0.1, scheduler="linear"
    )
    with TemporaryDirectory() as folder:
        out = Path(folder) / "trained"
        finetune(weights(given.student), rows, out, settings, score=None)
        print(f"trained on {len(rows)} rows of {given.generator}: {solved(out, validation, PLAIN)}")


if __name__ == "__main__":
    main()

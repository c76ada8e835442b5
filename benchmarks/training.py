"""Tokens a second of a training beside a plain TRL script, and of an evaluation beside bare sampling, on an embedded model.

The TRL script is what one would write: rows with prompt and completion in the order in which isocost shows them, SFTTrainer with the same
settings, the model saved at the end. Losses must be equal step by step. Steps alone are compared (what isocost saves during them counts),
and everything from the rows to the saved model. An evaluation is the score of a checkpoint on validation problems as a training takes it:
engine opened, answers generated and graded; bare sampling is the engine's `generate` on the same prompts. All run in this process, in turn,
so that a change in the machine's speed hits both. Prints ratios of medians, by the wall clock and by CPU seconds.

    python benchmarks/training.py [--rounds 5] [--steps 30] [--parts 1]
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback
from transformers.utils import logging as bars
from trl import SFTConfig, SFTTrainer

from isocost.config import GraderSpec
from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.executors.training import Scoring, _scorer
from isocost.finetuning import TrainingSettings, cycled, encode, finetune, trainer
from isocost.finetuning.trainer import load_tokenizer
from isocost.lab import weights
from isocost.problems import load_problems
from isocost.prompts.lab import PLAIN
from isocost.records import SamplingParams
from isocost.store import Log

MODEL, ROWS, PROBLEMS, BATCH, RATE = "student", 400, 200, 32, 3e-4


class Clock:
    """Seconds of the wall and of the CPU for one name."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def per_second(self, amount: float) -> str:
        return f"{amount / statistics.median(self.wall):,.0f} tokens/s, {amount / statistics.median(self.cpu):,.0f} per CPU second"


class Both:
    """The clocks of a side: its steps, and everything."""

    def __init__(self) -> None:
        self.steps, self.all = Clock(), Clock()


def rows(tokenizer: Any) -> list[dict[str, str]]:
    """Problems with solutions of two to twelve steps, whose lengths differ as those of real data do."""
    problems = load_problems("lab", {"split": "train", "limit": ROWS}, base=Path())
    made = []
    for n, problem in enumerate(problems):
        steps = "".join(f"{n} + {k} = {n + k}\n" for k in range(2 + n * n % 11))
        made.append({"prompt": PLAIN.plain(problem.question), "completion": f"{steps}#### {problem.answer}"})
    return made


def by_trl(data: Sequence[dict[str, str]], settings: TrainingSettings, model: Path, out: Path, clocks: Both) -> list[float]:
    """Train with a plain script and return the losses."""
    arguments = SFTConfig(
        output_dir=str(out),
        max_steps=settings.steps,
        per_device_train_batch_size=BATCH // settings.gradient_accumulation,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=RATE,
        warmup_steps=round(settings.warmup * settings.steps),
        lr_scheduler_type="linear",
        train_sampling_strategy="sequential",
        logging_steps=1,
        save_strategy="no",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
    )
    with clocks.all.running():
        peer = SFTTrainer(
            model=str(model), args=arguments, train_dataset=Dataset.from_list(list(data)), processing_class=load_tokenizer(model)
        )
        peer.remove_callback(PrinterCallback)
        with clocks.steps.running():
            peer.train()
        peer.save_model(str(out / "last"))
    return [float(line["loss"]) for line in peer.state.log_history if "loss" in line]


def by_isocost(data: Sequence[dict[str, str]], settings: TrainingSettings, model: Path, out: Path, clocks: Both) -> list[float]:
    """Train with isocost and return the losses."""
    losses: list[float] = []
    run_here = trainer.run_here

    def timed(*given: Any) -> int | None:
        # From the trainer's construction on, which TRL's own clock leaves out.
        with clocks.steps.running():
            return run_here(*given)

    trainer.run_here = timed
    with clocks.all.running():
        finetune(model, data, out, settings, score=None, progress=lambda logged: losses.append(logged.loss))
    trainer.run_here = run_here
    return losses


def evaluations(model: Path, folder: Path, rounds: int) -> tuple[Clock, Clock]:
    """Time evaluations and bare sampling of the same prompts."""
    problems = tuple(load_problems("lab", {"split": "validation", "limit": PROBLEMS}, base=Path()))
    params = SamplingParams(temperature=0.0, max_tokens=96, stop=PLAIN.stop)
    scoring = Scoring(
        problems=problems, template=PLAIN, params=params, engine="transformers", engine_options={}, grader=GraderSpec(name="number")
    )
    requests = [Request(problem_id=p.id, prompt=PLAIN.plain(p.question), first_index=0, count=1) for p in problems]
    score, ours, bare = _scorer(scoring, Log(folder / "scores.jsonl")), Clock(), Clock()

    def sample() -> None:
        engine = load_engine("transformers", {"model": str(model)}, base=model)
        for batch in engine.batches(requests):
            engine.generate(batch, params, 0)

    turns: list[tuple[Clock, Callable[[], object]]] = [(Clock(), sample), *[(bare, sample), (ours, lambda: score(model))] * rounds]
    for clock, work in turns:
        with clock.running():
            work()
    return ours, bare


def ratio(left: Clock, right: Clock) -> str:
    """Return the ratio of the medians, by the wall clock and by CPU seconds."""
    found = [statistics.median(a) / statistics.median(b) for a, b in ((left.wall, right.wall), (left.cpu, right.cpu))]
    return f"{found[0]:.3f} by the wall clock, {found[1]:.3f} by CPU seconds"


def main(rounds: int, steps: int, parts: int) -> None:
    """Run both comparisons and print them."""
    torch.set_num_threads(1)
    bars.disable_progress_bar()
    bars.set_verbosity_error()
    model = weights(MODEL)
    settings = TrainingSettings(
        steps=steps, batch_size=BATCH, learning_rates=(RATE,), checkpoints=1, warmup=0.1, gradient_accumulation=parts
    )
    tokenizer = load_tokenizer(model)
    data = rows(tokenizer)
    encoded = encode(tokenizer, data).rows
    order = {id(row): text for row, text in zip(encoded, data, strict=True)}
    shown = list(itertools.islice(cycled(encoded, settings.seed), steps * BATCH))
    tokens = sum(len(row.input_ids) for row in shown)
    ours, trl, apart = Both(), Both(), list[float]()
    with tempfile.TemporaryDirectory() as temporary:
        for n in range(rounds):
            plain = by_trl([order[id(row)] for row in shown], settings, model, Path(temporary) / f"trl{n}", trl)
            mine = by_isocost(data, settings, model, Path(temporary) / f"isocost{n}", ours)
            apart.append(max(abs(a - b) for a, b in zip(plain, mine, strict=True)))
        print(f"training: {steps} steps of {BATCH} rows in {parts} parts, {tokens:,} tokens, {rounds} rounds in turn")
        for what in ("steps", "all"):
            for name, clocks in (("TRL script", trl), ("isocost", ours)):
                print(f"  {what}, {name}: {getattr(clocks, what).per_second(tokens)}")
            print(f"  {what}, speed of isocost / TRL script: {ratio(getattr(trl, what), getattr(ours, what))}")
        print(f"  largest difference of a step's loss: {max(apart):.2g}")
        scored, bare = evaluations(model, Path(temporary), rounds)
        print(f"evaluation of {PROBLEMS} problems / bare sampling: {ratio(scored, bare)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rounds", 5), ("steps", 30), ("parts", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    main(**vars(parser.parse_args()))

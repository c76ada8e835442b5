"""Trains a student on a cell's kept solutions with TRL, and keeps the checkpoint that validates best.

Every arm gets the same number of steps and the same batch size, whatever the size of its data (the paper, arXiv 2408.16737): a larger
set is seen fewer times, never longer. The loss is on the completion alone, and the end token is part of it, or the student would never
learn to stop.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import logging
import math
import os
import random
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from isocost.errors import InputError, MissingExtraError, ModelError, RunDirectoryError, RunError

IGNORED = -100  # the label that the loss leaves out
_RECORD = "trained.json"

Progress = Callable[[int, int, float], None]
Score = Callable[[Path], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a student is trained; the same for every arm of a comparison.

    Attributes:
        steps: Optimizer steps at each learning rate.
        batch_size: Sequences a step.
        learning_rates: Peak rates of AdamW; each is a training run of its own from the same start.
        checkpoints: Evenly spaced along a run, the last one at its end; at most one a step.
        seed: Of the order of the data and of LoRA's first weights.
        method: All weights, or LoRA adapters on every linear layer, merged into the saved model.
        max_length: Tokens of prompt, completion and end together; a longer row is left out, since cutting it would cut off its end.
        warmup: Share of the steps over which the rate rises from 0.
        scheduler: How the rate falls afterwards.
    """

    steps: int
    batch_size: int
    learning_rates: tuple[float, ...]
    checkpoints: int = 10
    seed: int = 0
    method: Literal["full", "lora"] = "full"
    max_length: int = 1024
    warmup: float = 0.0
    scheduler: Literal["linear", "cosine", "constant_with_warmup"] = "linear"

    @property
    def checkpoint_steps(self) -> tuple[int, ...]:
        """The steps after which the model is saved."""
        wanted = min(self.checkpoints, self.steps)
        return tuple(self.steps * (i + 1) // wanted for i in range(wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A checkpoint and what it scored on validation; None where there was nothing to choose from."""

    learning_rate: float
    step: int
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a finetuning made.

    Attributes:
        best: The checkpoint that was kept.
        candidates: All checkpoints, by learning rate and step.
        n_rows: Rows trained on.
        n_too_long: Rows left out because they exceed max_length.
        steps: Taken over all learning rates.
        tokens: Seen in them, prompts included, padding not.
        seconds: Spent in training; scoring not included.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    n_rows: int
    n_too_long: int
    steps: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A row as the model sees it: token ids and as many labels, IGNORED on the prompt."""

    input_ids: list[int]
    labels: list[int]


def finetune(
    model_path: Path,
    rows: Sequence[Mapping[str, str]],
    out: Path,
    settings: TrainingSettings,
    *,
    score: Score | None,
    progress: Progress | None = None,
) -> Trained:
    """Train the model in `model_path` on `rows` and save the checkpoint with the highest score as `out`.

    `out` appears by one rename after everything in it is on the disk: a folder of that name is complete. Until then the work lies beside
    it in `.NAME.part` (at most the checkpoints of one learning rate and the best one so far), which the next start clears. On a CPU the
    same rows, settings and number of threads give the same weights. The process's global random state is seeded.

    Args:
        model_path: A folder that transformers can load; nothing is looked up on the network.
        rows: Prompt-completion rows; only `prompt` and `completion` are read.
        out: The folder to make.
        settings: How to train.
        score: The validation score of a model's folder, higher is better; of equal scores the first wins. It is called between training
            runs, when no optimizer holds memory. None only where settings leave a single checkpoint.
        progress: Called with steps done, steps in all and the mean loss since the last call, about 100 times a learning rate.

    Raises:
        InputError: no row fits max_length, or settings leave nothing to train or several checkpoints and no score.
        ModelError: the folder holds no causal language model, or its tokenizer has no end token.
        RunDirectoryError: `out` exists.
        MissingExtraError: trl is not installed, or for LoRA peft.
        RunError: a score is not a number.
    """
    _check(out, settings, score)
    tokenizer = _load_tokenizer(model_path)
    fitting = _fitting(encode(tokenizer, rows), settings.max_length, out.name)
    data = list(itertools.islice(cycled(fitting, settings.seed), settings.steps * settings.batch_size))
    runs = len(settings.learning_rates)
    candidates: list[Candidate] = []
    seconds = 0.0
    with _scratch(out) as scratch:
        kept = scratch / "best"
        for run, rate in enumerate(settings.learning_rates):
            started = time.monotonic()
            report = _continued(progress, run * settings.steps, runs * settings.steps)
            checkpoints = _train(model_path, tokenizer, data, rate, settings, scratch / "run", report)
            seconds += time.monotonic() - started
            for step, folder in checkpoints.items():
                candidates.append(Candidate(learning_rate=rate, step=step, score=_scored(folder, score)))
                if _best(candidates) is candidates[-1]:
                    shutil.rmtree(kept, ignore_errors=True)
                    folder.rename(kept)
            shutil.rmtree(scratch / "run")
        trained = Trained(
            best=_best(candidates),
            candidates=tuple(candidates),
            n_rows=len(fitting),
            n_too_long=len(rows) - len(fitting),
            steps=runs * settings.steps,
            tokens=runs * sum(len(row.input_ids) for row in data),
            seconds=seconds,
        )
        (kept / _RECORD).write_text(json.dumps({"trained": asdict(trained), "settings": asdict(settings)}, indent=2) + "\n")
        _publish(kept, out)
    return trained


def recorded(out: Path) -> Trained | None:
    """What an earlier `finetune` said of the model in `out`, or None where none was finished."""
    path = out / _RECORD
    if not path.exists():
        return None
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["trained"]
    candidates = tuple(Candidate(**candidate) for candidate in fields.pop("candidates"))
    return Trained(best=Candidate(**fields.pop("best")), candidates=candidates, **fields)


def encode(tokenizer: Any, rows: Sequence[Mapping[str, str]]) -> list[Encoded]:
    """Turn prompt-completion rows into token ids and labels; the end token is the last label.

    The prompt is encoded exactly as when the model is asked. Where prompt and completion together begin with those tokens the rest is the
    completion; where a token would reach across the boundary, which the model can never generate, the completion is encoded alone.
    """
    if not rows:
        return []
    end = tokenizer.eos_token_id
    prompts = tokenizer([row["prompt"] for row in rows])["input_ids"]
    wholes = tokenizer([row["prompt"] + row["completion"] for row in rows])["input_ids"]
    encoded: list[Encoded] = []
    for row, prompt, whole in zip(rows, prompts, wholes, strict=True):
        prompt, whole = _without_end(prompt, end), _without_end(whole, end)
        if whole[: len(prompt)] == prompt:
            completion = whole[len(prompt) :]
        else:
            completion = tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        encoded.append(Encoded(input_ids=[*prompt, *completion, end], labels=[IGNORED] * len(prompt) + [*completion, end]))
    return encoded


def cycled(rows: Sequence[Encoded], seed: int) -> Iterator[Encoded]:
    """The rows over and over, each pass in a new order drawn from `seed`: none is seen twice more often than another."""
    rng = random.Random(f"finetuning/{seed}")
    while rows:
        yield from rng.sample(rows, len(rows))


def _without_end(ids: list[int], end: int) -> list[int]:
    # Some tokenizers close every text with the end token; after a prompt it would be read as the end of the solution.
    return ids[:-1] if ids and ids[-1] == end else ids


def _check(out: Path, settings: TrainingSettings, score: Score | None) -> None:
    if min(settings.steps, settings.batch_size, len(settings.learning_rates), settings.checkpoints) < 1:
        raise InputError("finetune: steps, batch_size, learning_rates and checkpoints must each be at least one")
    if score is None and len(settings.learning_rates) * len(settings.checkpoint_steps) > 1:
        raise InputError("finetune: choosing among checkpoints needs a validation score\n  give one, or a single rate and checkpoint")
    if out.exists():
        raise RunDirectoryError(f"{out} exists already\n  remove it to train this model again")
    for package in ("trl", "peft") if settings.method == "lora" else ("trl",):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "train")


def _fitting(encoded: list[Encoded], max_length: int, name: str) -> list[Encoded]:
    fitting = [row for row in encoded if len(row.input_ids) <= max_length]
    if not fitting:
        why = f"{len(encoded)} rows, all of them longer than {max_length} tokens" if encoded else "no rows"
        raise InputError(f"{name}: nothing to train on: {why}")
    return fitting


def _best(candidates: list[Candidate]) -> Candidate:
    return max(candidates, key=lambda candidate: -math.inf if candidate.score is None else candidate.score)


def _scored(folder: Path, score: Score | None) -> float | None:
    value = None if score is None else score(folder)
    if value is not None and math.isnan(value):
        raise RunError(f"the validation score of {folder} is not a number")
    return value


def _train(
    model_path: Path,
    tokenizer: Any,
    data: Sequence[Encoded],
    rate: float,
    settings: TrainingSettings,
    scratch: Path,
    report: Callable[[int, float], None],
) -> dict[int, Path]:
    """Train once through `data`, in its order; the folders of the checkpoints by step, each a whole model."""
    from trl import SFTTrainer

    with _quiet():
        trainer = SFTTrainer(
            model=_load_model(model_path, tokenizer),
            args=_arguments(settings, rate, scratch),
            train_dataset=_dataset(data),
            processing_class=tokenizer,
            callbacks=[_watcher(settings.checkpoint_steps, scratch, report)],
            peft_config=_adapters() if settings.method == "lora" else None,
        )
        # The bars being off, the trainer would print its logs, and standard output is not ours to write to.
        trainer.remove_callback(_printer())
        trainer.train()
        folders = {step: scratch / str(step) for step in settings.checkpoint_steps}
        for folder in folders.values():
            if settings.method == "lora":
                _merge(_load_model(model_path, tokenizer), folder)
            tokenizer.save_pretrained(folder)
    return folders


def _arguments(settings: TrainingSettings, rate: float, scratch: Path) -> Any:
    import torch
    from trl import SFTConfig

    cuda = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(scratch),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=round(settings.warmup * settings.steps),
        seed=settings.seed,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        bf16=cuda and torch.cuda.is_bf16_supported(),
        gradient_checkpointing=cuda,  # saves memory that a model small enough for a CPU does not need
        dataloader_pin_memory=cuda,
        logging_steps=max(1, settings.steps // 100),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _dataset(data: Sequence[Encoded]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict({"input_ids": [row.input_ids for row in data], "labels": [row.labels for row in data]})


def _adapters() -> Any:
    from peft import LoraConfig

    return LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=16, lora_alpha=32, lora_dropout=0.0)


def _printer() -> Any:
    from transformers import PrinterCallback

    return PrinterCallback


def _watcher(checkpoints: Sequence[int], scratch: Path, report: Callable[[int, float], None]) -> Any:
    """Saves the model (or its adapters) at the checkpoints and passes the loss on."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
            if state.global_step in checkpoints:
                model.save_pretrained(scratch / str(state.global_step))

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
            if "loss" in logs:
                report(state.global_step, float(logs["loss"]))

    return Watcher()


def _continued(progress: Progress | None, done: int, total: int) -> Callable[[int, float], None]:
    return lambda step, loss: None if progress is None else progress(done + step, total, loss)


def _load_tokenizer(path: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no tokenizer that transformers can load") from error
    if tokenizer.eos_token is None:
        raise ModelError(f"{path}: the tokenizer has no end token, so a student could not learn to stop")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked by position, so the end token itself stays in the loss
    return tokenizer


def _load_model(path: Path, tokenizer: Any) -> Any:
    """The model in float32, since small steps vanish in bf16 weights; its generation stops at the end token that is trained."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no causal language model that transformers can load") from error
    stops = model.generation_config.eos_token_id
    stops = [] if stops is None else [stops] if isinstance(stops, int) else stops
    if tokenizer.eos_token_id not in stops:
        model.generation_config.eos_token_id = [tokenizer.eos_token_id, *stops]
    return model


def _merge(model: Any, folder: Path) -> None:
    """Put the whole model in place of its adapters."""
    from peft import PeftModel

    merged = PeftModel.from_pretrained(model, folder).merge_and_unload()
    shutil.rmtree(folder)
    merged.save_pretrained(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars, warnings or log lines of the libraries: the caller shows progress."""
    from transformers.utils import logging as bars

    loggers = [logging.getLogger(name) for name in ("transformers", "trl", "accelerate", "peft", "datasets")]
    levels = [logger.level for logger in loggers]
    shown = bars.is_progress_bar_enabled()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    bars.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if shown:
            bars.enable_progress_bar()


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """An empty folder beside `out`, on the same file system, that is gone afterwards."""
    scratch = out.with_name(f".{out.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _publish(folder: Path, out: Path) -> None:
    """Give a finished folder its name once its files are on the disk."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    folder.rename(out)

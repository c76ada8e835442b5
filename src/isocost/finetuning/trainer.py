"""Run one training with TRL."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocost.errors import ModelError
from isocost.finetuning.records import TrainingSettings
from isocost.finetuning.rows import Encoded

Report = Callable[[int, float], None]  # given the step and the mean loss since the last call


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The inputs that all learning rates share; `data` holds the rows of all steps, in the order in which they are seen."""

    model_path: Path
    tokenizer: Any
    data: Sequence[Encoded]
    settings: TrainingSettings


def train(course: Course, rate: float, scratch: Path, report: Report) -> dict[int, Path]:
    """Train once through the data; return the folders of the checkpoints by step, each a complete model in `scratch`.

    Raises:
        ModelError: the model cannot be loaded.
    """
    from transformers import PrinterCallback
    from trl import SFTTrainer

    settings, tokenizer = course.settings, course.tokenizer
    checkpoints = {step: scratch / str(step) for step in settings.checkpoint_steps}
    with _quiet():
        trainer = SFTTrainer(
            model=load_model(course.model_path, tokenizer.eos_token_id),
            args=_arguments(settings, rate, scratch),
            train_dataset=_dataset(course.data),
            processing_class=tokenizer,
            callbacks=[_watcher(checkpoints, report)],
            peft_config=_adapters() if settings.method == "lora" else None,
        )
        # The bars being off, the trainer would print its logs, and standard output is not ours to write to.
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        for folder in checkpoints.values():
            if settings.method == "lora":
                _merge(load_model(course.model_path, tokenizer.eos_token_id), folder)
            tokenizer.save_pretrained(folder)
    return checkpoints


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


def _watcher(checkpoints: Mapping[int, Path], report: Report) -> Any:
    """Return a callback that saves the model (or its adapters) at the checkpoints and reports the loss."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
            if state.global_step in checkpoints:
                model.save_pretrained(checkpoints[state.global_step])

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
            if "loss" in logs:
                report(state.global_step, float(logs["loss"]))

    return Watcher()


def _adapters() -> Any:
    from peft import LoraConfig

    return LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=16, lora_alpha=32, lora_dropout=0.0)


def _merge(model: Any, folder: Path) -> None:
    """Replace the saved adapters with the merged model."""
    from peft import PeftModel

    merged = PeftModel.from_pretrained(model, folder).merge_and_unload()
    shutil.rmtree(folder)
    merged.save_pretrained(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence progress bars, warnings and log lines of the libraries: the caller shows progress."""
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


def load_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a model's folder, ready to pad.

    Raises:
        ModelError: transformers can load none, or it has no end token.
    """
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


def load_model(path: Path, end: int) -> Any:
    """Return the model in float32, since small steps vanish in bf16 weights; its generation stops at `end`, the trained token.

    Raises:
        ModelError: transformers can load none.
    """
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no causal language model that transformers can load") from error
    stops = model.generation_config.eos_token_id
    stops = [] if stops is None else [stops] if isinstance(stops, int) else stops
    if end not in stops:
        model.generation_config.eos_token_id = [end, *stops]
    return model

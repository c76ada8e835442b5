"""Run one training at one learning rate with TRL, from its start or from its last complete checkpoint."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocost.engines.encoding import end_tokens
from isocost.errors import InputError, ModelError, RunError
from isocost.finetuning.checkpoints import Checkpoint, complete, resumable
from isocost.finetuning.launching import launch
from isocost.finetuning.records import Logged, TrainingSettings
from isocost.finetuning.rows import Encoded
from isocost.finetuning.watching import Watch, to_callback
from isocost.store.files import atomic_write

Report = Callable[[Logged], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The inputs that all learning rates share.

    Attributes:
        model_path: The folder of the base model.
        tokenizer: Its tokenizer.
        data: The rows of all steps, in the order in which they are seen.
        settings: How to train.
        report_to: Trackers of transformers, such as `tensorboard`.
        tracked_in: The folder of TensorBoard's files; None without it.
        launch: A configuration file of accelerate; None trains in this process.
    """

    model_path: Path
    tokenizer: Any
    data: Sequence[Encoded]
    settings: TrainingSettings
    report_to: tuple[str, ...] = ()
    tracked_in: Path | None = None
    launch: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The outcome of a training run.

    Attributes:
        checkpoints: Folders of its checkpoints by step, each a complete model.
        seconds: Seconds of training, over every start.
        diverged: The step at which its loss was found not to be a number; None for a run that reached its end.
    """

    checkpoints: dict[int, Path]
    seconds: float
    diverged: int | None


def train(course: Course, rate: float, folder: Path, report: Report) -> Run:
    """Train once through the data. With the same folder again, the run goes on from its last complete checkpoint.

    Raises:
        ModelError: the model cannot be loaded.
        RunError: the memory does not suffice.
        InputError: the batch cannot be shared among the processes.
    """
    _remove_torn(folder)
    run = launch if course.launch else run_here
    diverged = run(course, rate, folder, report)
    checkpoints = complete(folder)
    return Run(
        checkpoints=_models(course, checkpoints), seconds=max((each.seconds for each in checkpoints), default=0.0), diverged=diverged
    )


def run_here(course: Course, rate: float, folder: Path, report: Report) -> int | None:
    """Train in this process, one of several if accelerate started it. Return the step at which the loss was not a number, or None.

    Raises:
        ModelError: the model cannot be loaded.
        RunError: the memory does not suffice.
        InputError: the batch cannot be shared among the processes.
    """
    settings, before = course.settings, resumable(folder)
    output = sys.stdout

    def report_to_caller(logged: Logged) -> None:
        with contextlib.redirect_stdout(output):
            report(logged)

    watch = Watch(course.data, settings, folder, report_to_caller, before.seconds if before else 0.0)
    if before is None or before.step < settings.steps:
        # Trackers print, and standard output is not ours to write to; what the caller's `report` prints goes where it always does.
        with _quiet(), _explained(settings, course.data), contextlib.redirect_stdout(sys.stderr):
            _trainer(course, rate, folder, watch).train(resume_from_checkpoint=str(before.folder) if before else None)
    return watch.diverged


def _remove_torn(folder: Path) -> None:
    """Remove checkpoints that a kill left half-written."""
    whole = {each.folder for each in complete(folder)}
    for path in set(folder.glob("checkpoint-*")) - whole:
        shutil.rmtree(path)


def _trainer(course: Course, rate: float, folder: Path, watch: Watch) -> Any:
    from transformers import PrinterCallback
    from trl import SFTTrainer

    class Trainer(SFTTrainer):  # type: ignore[misc]
        def create_model_card(self, *_: Any, **__: Any) -> None:
            """Write none: isocost writes a record of the training."""

    settings, tokenizer = course.settings, course.tokenizer
    model = load_model(course.model_path, tokenizer.eos_token_id)
    _check_targets(model, settings, course.model_path)
    trainer = Trainer(
        model=model,
        args=_arguments(course, rate, folder),
        train_dataset=_dataset(course.data, settings),
        processing_class=tokenizer,
        callbacks=[to_callback(watch)],
        peft_config=_adapters(settings) if settings.method == "lora" else None,
    )
    # The bars being off, the trainer would print its logs, and standard output is not ours to write to.
    trainer.remove_callback(PrinterCallback)
    return trainer


def _models(course: Course, checkpoints: Sequence[Checkpoint]) -> dict[int, Path]:
    """Return those checkpoints of a finished run that may be chosen, by step, as complete models; adapters are merged."""
    chosen = {each.step: each.folder for each in checkpoints if each.step in course.settings.checkpoint_steps}
    for folder in chosen.values():
        if (folder / "adapter_config.json").exists():
            with _quiet():
                _merge(load_model(course.model_path, course.tokenizer.eos_token_id), folder)
        _name_dtype(course.model_path, folder)
    return chosen


def _name_dtype(base: Path, folder: Path) -> None:
    """Write the base model's half precision into the configuration of a checkpoint, if this machine has a GPU.

    There `dtype: auto` evaluates a model as its configuration says, and both are to be evaluated alike. The weights stay float32. On a CPU
    every model is evaluated in float32.
    """
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        read = [json.loads((each / "config.json").read_text(encoding="utf-8")) for each in (base, folder)]
        dtype = read[0].get("dtype") or read[0].get("torch_dtype")
        if dtype in ("bfloat16", "float16"):
            with atomic_write(folder / "config.json") as temporary:
                temporary.write_text(json.dumps(read[1] | {"dtype": dtype}, indent=2) + "\n", encoding="utf-8")


def micro_batch(settings: TrainingSettings, processes: int) -> int:
    """Return the rows of a micro-batch on one process.

    Raises:
        InputError: the batch has no such equal parts.
    """
    parts = settings.gradient_accumulation * processes
    if settings.batch_size % parts:
        shared = f"{settings.gradient_accumulation} micro-batches" + (f" on {processes} processes" if processes > 1 else "")
        raise InputError(f"finetune.batch_size: {settings.batch_size} rows are not divisible into {shared}")
    return settings.batch_size // parts


def _arguments(course: Course, rate: float, folder: Path) -> Any:
    import torch
    from trl import SFTConfig

    settings, cuda = course.settings, torch.cuda.is_available()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    recompute = cuda if settings.gradient_checkpointing is None else settings.gradient_checkpointing
    if course.tracked_in is not None:
        # Transformers reads the folder of TensorBoard from here.
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(course.tracked_in)
    arguments = SFTConfig(
        output_dir=str(folder),
        max_steps=settings.steps,
        per_device_train_batch_size=micro_batch(settings, processes),
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=round(settings.warmup * settings.steps),
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        use_cpu=not cuda,
        bf16=cuda and torch.cuda.is_bf16_supported(including_emulation=False),
        gradient_checkpointing=recompute,
        dataloader_pin_memory=cuda,
        logging_steps=max(1, settings.steps // 100),
        logging_nan_inf_filter=False,  # else the mean of earlier steps would stand for a loss that is not a number
        save_strategy="no",  # the watcher decides
        report_to=list(course.report_to) or "none",
        **_tracked_as(course, rate),
        disable_tqdm=True,
    )
    _ = arguments.device  # found once; it counts the devices, and would share the batch among them
    arguments._n_gpu = min(1, arguments.n_gpu)
    _check_batch(arguments, settings, processes)
    return arguments


def _tracked_as(course: Course, rate: float) -> dict[str, str]:
    """Return the project and the run that Trackio shows: with a name of its own, a resumed run would be another one."""
    if "trackio" not in course.report_to:
        return {}
    tracked = (course.tracked_in or Path("isocost/logs/trackers", course.model_path.name)).resolve()
    # The folder is RUN/logs/trackers/MODEL.
    return {"project": tracked.parents[2].name or "isocost", "run_name": f"{tracked.name}, learning rate {rate:g}"}


def _check_batch(arguments: Any, settings: TrainingSettings, processes: int) -> None:
    """Raise an error if a step would see another number of rows than the study's batch."""
    rows = arguments.train_batch_size * arguments.gradient_accumulation_steps * processes
    if rows != settings.batch_size:
        raise RunError(
            f"the trainer would take {rows} rows per step, and finetune.batch_size is {settings.batch_size}\n"
            "  show one device to the run (CUDA_VISIBLE_DEVICES=0), or train with executor: accelerate"
        )


def _dataset(data: Sequence[Encoded], settings: TrainingSettings) -> Any:
    from datasets import Dataset

    ordered = list(_by_length(data, settings))
    return Dataset.from_dict({"input_ids": [row.input_ids for row in ordered], "labels": [row.labels for row in ordered]})


def _by_length(data: Sequence[Encoded], settings: TrainingSettings) -> Iterator[Encoded]:
    """Yield the rows, those of each step ordered by length: its micro-batches need less padding, and it sees the same rows."""
    for start in range(0, len(data), settings.batch_size):
        step = data[start : start + settings.batch_size]
        # A single micro-batch is padded to its longest row in any order.
        yield from sorted(step, key=lambda row: len(row.input_ids)) if settings.gradient_accumulation > 1 else step


def _adapters(settings: TrainingSettings) -> Any:
    from peft import LoraConfig

    targets = list(settings.lora_targets) or "all-linear"
    return LoraConfig(task_type="CAUSAL_LM", target_modules=targets, r=settings.lora_rank, lora_alpha=settings.lora_alpha, lora_dropout=0.0)


def _check_targets(model: Any, settings: TrainingSettings, place: Path) -> None:
    """Raise an error if a layer that is to get an adapter does not exist."""
    names = [name for name, _ in model.named_modules()]
    unknown = [each for each in settings.lora_targets if not any(name == each or name.endswith(f".{each}") for name in names)]
    if settings.method == "lora" and unknown:
        known = sorted({name.rpartition(".")[2] for name in names if name.endswith(("proj", "fc1", "fc2"))})
        raise ModelError(f"{place}: has no layer {unknown[0]!r} for finetune.lora.targets\n  it has {', '.join(known) or 'others'}")


def _merge(model: Any, folder: Path) -> None:
    """Replace saved adapters with the merged model. A kill in between leaves the adapters, or the merged model."""
    from peft import PeftModel

    merged = PeftModel.from_pretrained(model, folder).merge_and_unload()
    whole = folder / "merged"
    shutil.rmtree(whole, ignore_errors=True)
    merged.save_pretrained(whole)
    for path in whole.iterdir():
        path.replace(folder / path.name)
    whole.rmdir()
    for path in folder.glob("adapter*"):
        path.unlink()


@contextmanager
def _explained(settings: TrainingSettings, data: Sequence[Encoded]) -> Iterator[None]:
    """Turn an error for want of memory into one that names the settings to change."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in ("out of memory", "allocate memory")):
            raise
        longest = max(len(row.input_ids) for row in data)
        rows = settings.batch_size // settings.gradient_accumulation
        raise RunError(
            f"out of memory with {rows} rows of up to {longest} tokens at once\n"
            f"  raise finetune.gradient_accumulation (now {settings.gradient_accumulation}), set finetune.gradient_checkpointing: true, "
            "or lower finetune.max_length"
        ) from error


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


def limits_of(path: Path) -> tuple[int | None, set[int]]:
    """Return the context of the model in a folder, in tokens, and the tokens at which its generation stops. Loads no weights.

    Raises:
        ModelError: transformers can read no configuration.
    """
    from transformers import AutoConfig, GenerationConfig

    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True).get_text_config()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no causal language model that transformers can load") from error
    try:
        generation = GenerationConfig.from_pretrained(path, local_files_only=True).eos_token_id
    except (OSError, ValueError):  # a model may have none
        generation = None
    return getattr(config, "max_position_embeddings", None), end_tokens(config.eos_token_id, generation)


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

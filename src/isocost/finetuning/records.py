"""Records of a training: its settings, its progress and its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from isocost.records import ADDED_LATER

Method = Literal["full", "lora"]
Scheduler = Literal["linear", "cosine", "constant_with_warmup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Settings of a training, the same for every arm of a comparison.

    Attributes:
        steps: Optimizer steps at each learning rate.
        batch_size: Sequences a step, over all micro-batches and processes.
        learning_rates: Peak rates of AdamW; each is a training run of its own from the same start.
        checkpoints: Evenly spaced along a run, the last one at its end; at most one a step.
        seed: Of the order of the data and of LoRA's first weights.
        method: All weights, or LoRA adapters merged into the saved model.
        max_length: Tokens of prompt, completion and end together; a longer row is left out, since cutting it would cut off its end.
        warmup: Share of the steps over which the rate rises from 0.
        scheduler: Shape of the decay afterwards.
        weight_decay: Of AdamW.
        gradient_accumulation: Micro-batches that a step is cut into. The rows of a step are the same for any number.
        gradient_checkpointing: Compute activations again in the backward pass, to save memory; None means on a GPU.
        lora_rank: Rank of LoRA's matrices.
        lora_alpha: Scale of LoRA's update, divided by the rank.
        lora_targets: Names of the layers with adapters; empty means every linear layer but the last.
    """

    steps: int
    batch_size: int
    learning_rates: tuple[float, ...]
    checkpoints: int = 10
    seed: int = 0
    method: Method = "full"
    max_length: int = 1024
    warmup: float = 0.0
    scheduler: Scheduler = "linear"
    weight_decay: float = field(default=0.0, metadata=ADDED_LATER)
    gradient_accumulation: int = field(default=1, metadata=ADDED_LATER)
    gradient_checkpointing: bool | None = field(default=None, metadata=ADDED_LATER)
    lora_rank: int = field(default=16, metadata=ADDED_LATER)
    lora_alpha: int = field(default=32, metadata=ADDED_LATER)
    lora_targets: tuple[str, ...] = field(default=(), metadata=ADDED_LATER)

    @property
    def checkpoint_steps(self) -> tuple[int, ...]:
        """The steps after which the model is saved."""
        wanted = min(self.checkpoints, self.steps)
        return tuple(self.steps * (i + 1) // wanted for i in range(wanted))


class Logged(NamedTuple):
    """A logged step of a training.

    Attributes:
        step: Steps done.
        loss: Mean loss since the last call.
        learning_rate: The rate of the last step.
        tokens_per_second: Tokens trained on since the last call, prompts included, padding not, per second.
    """

    step: int
    loss: float
    learning_rate: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A checkpoint and its validation score; None where it is the only checkpoint."""

    learning_rate: float
    step: int
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverged:
    """A training run that was stopped because its loss was no longer a number.

    Attributes:
        learning_rate: Its peak rate.
        step: The step at which it was found.
    """

    learning_rate: float
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The outcome of a training.

    Attributes:
        best: The checkpoint that was kept.
        candidates: All checkpoints, by learning rate in the order of the settings, and step.
        n_rows: Rows trained on.
        n_too_long: Rows left out because they exceed max_length or the model's context.
        steps: Taken over all learning rates.
        tokens: Seen in them, prompts included, padding not.
        seconds: Spent in training; scoring not included.
        n_with_end: Rows left out because an end token stands in the middle of their solution.
        diverged: Runs whose loss was no longer a number.
        remarks: Facts about the student's chat template.
        n_with_stop: Rows left out because their solution contains a stop string of the student.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    n_rows: int
    n_too_long: int
    steps: int
    tokens: int
    seconds: float
    n_with_end: int = 0
    diverged: tuple[Diverged, ...] = ()
    remarks: tuple[str, ...] = ()
    n_with_stop: int = 0

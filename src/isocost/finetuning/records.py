"""Records of a training: its settings and its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Settings of a training, the same for every arm of a comparison.

    Attributes:
        steps: Optimizer steps at each learning rate.
        batch_size: Sequences a step.
        learning_rates: Peak rates of AdamW; each is a training run of its own from the same start.
        checkpoints: Evenly spaced along a run, the last one at its end; at most one a step.
        seed: Of the order of the data and of LoRA's first weights.
        method: All weights, or LoRA adapters on every linear layer, merged into the saved model.
        max_length: Tokens of prompt, completion and end together; a longer row is left out, since cutting it would cut off its end.
        warmup: Share of the steps over which the rate rises from 0.
        scheduler: Shape of the decay afterwards.
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
    """A checkpoint and its validation score; None where it is the only checkpoint."""

    learning_rate: float
    step: int
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The outcome of a training.

    Attributes:
        best: The checkpoint that was kept.
        candidates: All checkpoints, by learning rate in the order of the settings, and step.
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

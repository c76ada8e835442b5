"""Watch a training run: log it, decide when it is saved, and stop it when its loss is no longer a number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocost.finetuning.checkpoints import mark_complete
from isocost.finetuning.records import Logged, TrainingSettings
from isocost.finetuning.rows import Encoded

_SAVE_EVERY = 600.0  # seconds of work that a kill may cost; checkpoints of the settings are saved besides


@dataclass(slots=True)
class Watch:
    """The state of a training run while it logs, checks the loss and saves checkpoints.

    Attributes:
        data: The rows of all steps.
        settings: How to train.
        folder: Where checkpoints are saved.
        report: Called with what is logged.
        spent: Seconds of training in earlier starts.
        diverged: The step at which the loss was found not to be a number; None until then.
        logged: The step that was logged last.
        began, logged_at, saved_at: Readings of the monotonic clock.
    """

    data: Sequence[Encoded]
    settings: TrainingSettings
    folder: Path
    report: Callable[[Logged], None]
    spent: float
    diverged: int | None = None
    logged: int = 0
    began: float = 0.0
    logged_at: float = 0.0
    saved_at: float = 0.0

    def start(self, step: int) -> None:
        """Note the start, at a step above 0 where the run resumes."""
        self.began = self.logged_at = self.saved_at = time.monotonic()
        self.logged = step

    def step(self, args: Any, state: Any, control: Any, model: Any) -> None:
        """Have the model saved after its checkpoint steps, and after much work."""
        # The clocks of several processes differ, and all must save at the same step.
        late = args.world_size == 1 and time.monotonic() - self.saved_at > _SAVE_EVERY
        if state.global_step in self.settings.checkpoint_steps or late:
            control.should_save = True
            if not _is_finite(model):
                self.stop(state, control)

    def log(self, state: Any, control: Any, logs: Mapping[str, Any]) -> None:
        """Report the loss, and stop the run if it is not a number."""
        if "loss" not in logs:  # the summary at the end
            return
        now, done = time.monotonic(), state.global_step
        rows = self.data[self.logged * self.settings.batch_size : done * self.settings.batch_size]
        rate = sum(len(row.input_ids) for row in rows) / max(now - self.logged_at, 1e-9)
        self.report(Logged(done, float(logs["loss"]), float(logs["learning_rate"]), rate))
        self.logged, self.logged_at = done, now
        if not math.isfinite(logs["loss"]):
            self.stop(state, control)

    def saved(self, state: Any) -> None:
        """Mark a checkpoint as complete."""
        self.saved_at = time.monotonic()
        if state.is_world_process_zero:
            mark_complete(self.folder, state.global_step, self.spent + self.saved_at - self.began, self.settings.checkpoint_steps)

    def stop(self, state: Any, control: Any) -> None:
        """End the run without saving weights that are no numbers."""
        control.should_save, control.should_training_stop = False, True
        self.diverged = state.global_step if self.diverged is None else self.diverged


def to_callback(watch: Watch) -> Any:
    """Return a watch as a callback of transformers' trainer."""
    from transformers import TrainerCallback

    class Callback(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.start(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
            watch.step(args, state, control, model)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
            watch.log(state, control, logs)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watch.saved(state)

    return Callback()


def _is_finite(model: Any) -> bool:
    import torch

    return all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters())

"""The common base of engines that run a checkpoint: all that needs its configuration and tokenizer, not its weights."""

from __future__ import annotations

import threading
from typing import Any

from isocost.engines.base import ModelSize, Request
from isocost.engines.batching import Batched, Batching
from isocost.engines.checkpoints import Checkpoint
from isocost.engines.checkpoints.reading import render_prompt


class CheckpointEngine(Batched):
    """Reads the configuration at once, and the tokenizer when it is first needed.

    Only `SamplingParams` shapes the draws: a checkpoint's generation_config gives end tokens, not temperatures or penalties.

    Args:
        checkpoint: The checkpoint to run.
        batch_size: The maximum number of generations per batch.
    """

    remote = False
    shares_prompts = True

    def __init__(self, checkpoint: Checkpoint, batch_size: int) -> None:
        self._checkpoint, self._config = checkpoint.opened()
        self.batching = Batching(size=batch_size)
        self._lock = threading.Lock()
        self._tokenizer: Any = None
        self.identity = self._checkpoint.identity()

    def size(self) -> ModelSize:
        """Return the model's size, counted from the configuration."""
        return self._checkpoint.size(self._config)

    def render(self, request: Request) -> str:
        """Return the prompt as it is, or in the model's chat format. Loads the tokenizer only.

        Raises:
            ModelError: the model has no chat format, or one that does not take the messages.
        """
        return render_prompt(self._load_tokenizer(), request, self._checkpoint.place)

    def _load_tokenizer(self) -> Any:
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = self._checkpoint.tokenizer()
            return self._tokenizer

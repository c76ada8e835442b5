"""The common base of engines that run a checkpoint: all that needs its configuration and tokenizer, not its weights."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from isocost.engines.base import Generation, ModelSize, Request
from isocost.engines.batching import Batched, Batching
from isocost.engines.checkpoints import Checkpoint
from isocost.engines.encoding import messages_of, prompt_tokens, render_chat

T = TypeVar("T")


class CheckpointEngine(Batched):
    """Reads the configuration at once, and the tokenizer when it is first needed.

    Only `SamplingParams` shapes the draws: a checkpoint's generation_config gives end tokens, not temperatures or penalties.

    Attributes:
        chat_date: The date for a chat template that asks for it; None for that of the clock.

    Args:
        checkpoint: The checkpoint to run.
        batch_size: The maximum number of generations per batch.
    """

    remote = False
    shares_prompts = True
    chat_date: dt.date | None = None

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
        if not request.chat:
            return request.prompt
        messages = messages_of(request.prompt, request.system)
        return render_chat(self._load_tokenizer(), messages, self._checkpoint.place, date=self.chat_date)

    def _tokens(self, request: Request) -> list[int]:
        """Return the tokens of the model's input."""
        return prompt_tokens(self._load_tokenizer(), self.render(request), chat=request.chat)

    def _load_tokenizer(self) -> Any:
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = self._checkpoint.tokenizer()
            return self._tokenizer


def room_after(num_prompt_tokens: int, context: int | None, max_tokens: int) -> int:
    """Return the number of tokens that may follow a prompt; 0 if none fits, or the prompt is empty.

    Without a known context (recurrent models) only max_tokens limits it.
    """
    room = max_tokens if context is None else min(max_tokens, context - num_prompt_tokens)
    return max(room, 0) if num_prompt_tokens else 0


def by_request(
    batch: Sequence[Request],
    lengths: Sequence[int],
    rooms: Sequence[int],
    done: Iterable[T],
    generation: Callable[[T, int, int], Generation],
) -> list[list[Generation]]:
    """Return the generations of each request. A prompt that leaves no room has finish_reason `error`.

    Args:
        batch: The requests.
        lengths: Tokens of each request's prompt.
        rooms: Tokens that may follow it.
        done: What the model made of the requests that have room, in order.
        generation: Returns the generation, given what the model made, the tokens of the prompt and the samples that share it.
    """
    left, answers = iter(done), list[list[Generation]]()
    for request, length, room in zip(batch, lengths, rooms, strict=True):
        if room:
            answers.append([generation(each, length, request.count) for each in islice(left, request.count)])
        else:
            failed = Generation(text="", num_prompt_tokens=length, num_generated_tokens=0, finish_reason="error", sharing=request.count)
            answers.append([failed] * request.count)
    return answers

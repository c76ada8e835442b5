"""The vLLM engine: each solution becomes one vLLM request with its own seed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.checkpoints import Checkpoint
from isocost.engines.checkpoints.engine import CheckpointEngine, by_request, room_after
from isocost.engines.checkpoints.stopping import StopStrings
from isocost.engines.encoding import end_tokens
from isocost.engines.vllm import VllmOptions
from isocost.engines.vllm.starting import explain, start
from isocost.engines.vllm.stepping import Stepper, VllmRequest
from isocost.errors import EngineError
from isocost.ids import seed_of
from isocost.records import FinishReason, SamplingParams

_FINISHED: dict[str | None, FinishReason] = {"stop": "stop", "length": "length"}


class VllmEngine(CheckpointEngine):
    """A causal language model, sampled by vLLM.

    Attributes:
        exclusive: True, because it takes the whole device memory, so that no other engine of the process may be open beside it.
    """

    concurrency = 2  # while the last requests of one batch finish, the next batch fills the device
    exclusive = True

    def __init__(self, options: VllmOptions, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint, options.batch_size)
        self._options = options
        self._stepper: Stepper | None = None
        self._batches = itertools.count()  # numbers the batches, for their cache salts

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer a batch; may be called from several threads. A prompt that fills the context has finish_reason `error`.

        Each solution is seeded by batch seed, problem and index. The same batch gives the same generations if the device adds numbers
        in the same order whatever else is in flight: on a GPU, with VLLM_BATCH_INVARIANT=1.

        Raises:
            EngineError: vLLM failed, or ran out of memory.
            ModelError: the model cannot be loaded, or has no chat format for a chat.
        """
        if not batch:
            return []
        prompts = [self._tokens(request) for request in batch]
        stepper = self._started()
        rooms = [room_after(len(prompt), stepper.context, params.max_tokens) for prompt in prompts]
        # Solutions of a batch read their prompts from the prefix cache, but only from entries of the same batch: else the generations of
        # a batch would depend on earlier ones. A prefix shared by all prompts is prefilled once more per batch of hundreds of solutions.
        salt = str(next(self._batches))
        # vLLM itself adds the end tokens of generation_config.
        ends = tuple(sorted(end_tokens(self._config.get_text_config().eos_token_id, self._load_tokenizer().eos_token_id)))
        stops = StopStrings(self._load_tokenizer(), params.stop, self._options.special_tokens)
        asked = [
            VllmRequest(
                prompt=prompt,
                salt=salt,
                limit=room,
                seed=seed_of(seed, request.problem_id, index),
                params=params,
                ends=ends,
                keeps_special_tokens=stops.keeps_special_tokens,
            )
            for request, prompt, room in zip(batch, prompts, rooms, strict=True)
            if room
            for index in range(request.first_index, request.first_index + request.count)
        ]
        try:
            outputs = zip(asked, stepper.answer(asked), strict=True)
        except Exception as error:  # vLLM and the libraries under it raise nearly any exception
            self._forget(stepper)
            raise EngineError(explain(error, self._checkpoint.place, self._options)) from error
        return by_request(batch, list(map(len, prompts)), rooms, outputs, partial(_generation, stops))

    def close(self) -> None:
        """Release the memory; batches in flight fail. The next `generate` starts vLLM again."""
        with self._lock:
            stepper, self._stepper, self._tokenizer = self._stepper, None, None
            if stepper:
                stepper.close()

    def _started(self) -> Stepper:
        with self._lock:
            if self._stepper is None:
                self._stepper = start(self._options, self._checkpoint)
            return self._stepper

    def _forget(self, stepper: Stepper) -> None:
        """Drop a vLLM that has failed, so that the next batch starts another."""
        with self._lock:
            if self._stepper is stepper and stepper.failed:
                self._stepper = None


def _generation(stops: StopStrings, answered: tuple[VllmRequest, Any], num_prompt_tokens: int, sharing: int) -> Generation:
    asked, output = answered
    (completion,) = output.outputs
    # vLLM keeps all special tokens or none, so the text with some of them is made by the rule of the engine transformers.
    kept = [token for token in completion.token_ids if token not in asked.ends]
    return Generation(
        text=stops.text(kept) if asked.keeps_special_tokens else completion.text,
        num_prompt_tokens=num_prompt_tokens,
        num_generated_tokens=len(completion.token_ids),
        finish_reason=_FINISHED.get(completion.finish_reason, "error"),
        num_cached_tokens=output.num_cached_tokens or 0,
        sharing=sharing,
        seed=asked.seed,
    )

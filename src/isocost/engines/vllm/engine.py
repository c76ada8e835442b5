"""The vLLM engine: each solution becomes one vLLM request with its own seed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.checkpoints import Checkpoint
from isocost.engines.checkpoints.engine import CheckpointEngine
from isocost.engines.checkpoints.reading import tokens
from isocost.engines.vllm import VllmOptions
from isocost.engines.vllm.failures import explain
from isocost.engines.vllm.starting import start
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
        tokenizer = self._load_tokenizer()
        prompts = [tokens(tokenizer, request, self._checkpoint.place) for request in batch]
        stepper = self._started()
        # Solutions of a batch read their prompts from the prefix cache, but only from entries of the same batch: else the generations of
        # a batch would depend on earlier ones. A prefix shared by all prompts is prefilled once more per batch of hundreds of solutions.
        salt = str(next(self._batches))
        ends = _end_tokens(self._config, tokenizer)
        asked = [
            VllmRequest(prompt=prompt, salt=salt, limit=limit, seed=seed_of(seed, request.problem_id, index), params=params, ends=ends)
            for request, prompt in zip(batch, prompts, strict=True)
            if (limit := _limit(len(prompt), stepper.context, params.max_tokens)) > 0
            for index in range(request.first_index, request.first_index + request.count)
        ]
        try:
            outputs = iter(zip(asked, stepper.answer(asked), strict=True))
        except Exception as error:  # vLLM and the libraries under it raise nearly any exception
            self._forget(stepper)
            raise EngineError(explain(error, self._checkpoint.place, self._options)) from error
        answers: list[list[Generation]] = []
        for request, prompt in zip(batch, prompts, strict=True):
            if _limit(len(prompt), stepper.context, params.max_tokens) > 0:
                answers.append([_generation(*each, request.count) for each in itertools.islice(outputs, request.count)])
            else:
                answers.append([_too_long(len(prompt), request.count)] * request.count)
        return answers

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


def _limit(num_prompt_tokens: int, context: int, max_tokens: int) -> int:
    """Return the number of tokens that may follow a prompt; 0 if none fits, or the prompt is empty."""
    return max(0, min(max_tokens, context - num_prompt_tokens)) if num_prompt_tokens else 0


def _generation(asked: VllmRequest, output: Any, sharing: int) -> Generation:
    (completion,) = output.outputs
    return Generation(
        text=completion.text,
        num_prompt_tokens=len(asked.prompt),
        num_generated_tokens=len(completion.token_ids),
        finish_reason=_FINISHED.get(completion.finish_reason, "error"),
        num_cached_tokens=output.num_cached_tokens or 0,
        sharing=sharing,
        seed=asked.seed,
    )


def _too_long(num_prompt_tokens: int, sharing: int) -> Generation:
    return Generation(text="", num_prompt_tokens=num_prompt_tokens, num_generated_tokens=0, finish_reason="error", sharing=sharing)


def _end_tokens(config: Any, tokenizer: Any) -> tuple[int, ...]:
    """Return the end tokens of configuration and tokenizer; vLLM itself adds those of generation_config."""
    found: set[int] = set()
    for named in (config.get_text_config().eos_token_id, tokenizer.eos_token_id):
        found |= set(named) if isinstance(named, list | tuple) else {named} if named is not None else set()
    return tuple(sorted(found))

"""Run a model with transformers in this process, on a CPU or GPU. It may be any causal language model with a key-value cache."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import PositiveInt

from isocost.engines.base import Generation, Request
from isocost.engines.checkpoints import Checkpoint, locate
from isocost.engines.checkpoints.engine import CheckpointEngine, by_request, room_after
from isocost.engines.checkpoints.stopping import StopStrings
from isocost.engines.encoding import end_tokens
from isocost.engines.options import Options, read_options
from isocost.engines.transformers.decoding import Decoded, Row, decode
from isocost.errors import EngineError, ModelError
from isocost.records import SamplingParams


class TransformersOptions(Options):
    """Weights on this machine or cluster, run by isocost's own decoding loop on a CPU or GPU.

    Attributes:
        model: A folder, relative to the study file's; a name on the hub; or `lab:NAME` for an embedded model.
        revision: Branch, tag or commit on the hub.
        dtype: Data type of the weights; `auto` is float32 on a CPU, otherwise that of the checkpoint.
        device: `cpu`, `cuda`, `cuda:1` or `mps`; `auto` uses an accelerator if there is one.
        batch_size: Sequences decoded at once.
        gguf_file: Name of the file in the folder or repository, for weights in GGUF format.
        special_tokens: Special tokens that stay in texts, beside those of stop strings and of the delimiters in `models.X.reasoning`.
    """

    model: str
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    batch_size: PositiveInt = 128
    gguf_file: str | None = None
    special_tokens: tuple[str, ...] = ()


def open_engine(options: Mapping[str, object], base: Path) -> TransformersEngine:
    """Open the engine of a study's model section. Reads the configuration; the weights are loaded when first needed.

    Raises:
        StudyError: the options cannot be used.
        ModelError: there is no such model.
    """
    given = read_options(TransformersOptions, options)
    return TransformersEngine(given, locate(given.model, base, given.revision, given.gguf_file))


class TransformersEngine(CheckpointEngine):
    """A causal language model, sampled by isocost's own loop."""

    concurrency = 1

    def __init__(self, options: TransformersOptions, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint, options.batch_size)
        self._options = options
        self._model: Any = None

    def generate(self, batch: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Answer a batch. A prompt that fills the model's context has finish_reason `error`; max_tokens is reduced to the room left.

        Raises:
            EngineError: torch failed, or ran out of memory.
            ModelError: the model cannot be loaded, or has no chat format for a chat.
        """
        model, tokenizer = self._load()
        # Distinct prompts: requests of a batch may share one, and it is prefilled once.
        asked = {_prompt_of(request): request for request in batch}
        prompts = {prompt: self._tokens(request) for prompt, request in asked.items()}
        context = getattr(self._config.get_text_config(), "max_position_embeddings", None)
        rooms = {prompt: room_after(len(ids), context, params.max_tokens) for prompt, ids in prompts.items()}
        fitting = {prompt: place for place, prompt in enumerate(prompt for prompt in prompts if rooms[prompt])}
        of_request = [_prompt_of(request) for request in batch]
        rows = [
            Row(prompt=fitting[prompt], limit=rooms[prompt])
            for request, prompt in zip(batch, of_request, strict=True)
            if prompt in fitting
            for _ in range(request.count)
        ]
        stops = StopStrings(tokenizer, params.stop, self._options.special_tokens)
        ends = end_tokens(model.generation_config.eos_token_id, model.config.get_text_config().eos_token_id, tokenizer.eos_token_id)
        try:
            decoded = decode(model, [prompts[prompt] for prompt in fitting], rows, params, stops, ends, seed) if rows else []
        except RuntimeError as error:
            raise EngineError(self._explain(error)) from error

        def generation(each: Decoded, length: int, sharing: int) -> Generation:
            return Generation(
                text=stops.text([token for token in each.tokens if token not in ends]),
                num_prompt_tokens=length,
                num_generated_tokens=len(each.tokens),
                finish_reason=each.finish_reason,
                sharing=sharing,
            )

        lengths = [len(prompts[prompt]) for prompt in of_request]
        return by_request(batch, lengths, [rooms[prompt] for prompt in of_request], decoded, generation)

    def close(self) -> None:
        """Release the memory. The next `generate` loads the model again."""
        self._model = self._tokenizer = None
        gc.collect()  # modules refer to each other in cycles, which hold their tensors
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _load(self) -> tuple[Any, Any]:
        if self._model is None:
            device = _accelerator() if self._options.device == "auto" else self._options.device
            dtype = "float32" if self._options.dtype == "auto" and device == "cpu" else self._options.dtype
            model = self._checkpoint.load(device, dtype)
            if "past_key_values" not in inspect.signature(model.forward).parameters:
                raise ModelError(f"{self._checkpoint.place}: {type(model).__name__} keeps no key-value cache; use another engine for it")
            self._model = model
        return self._model, self._load_tokenizer()

    def _explain(self, error: RuntimeError) -> str:
        if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
            return f"{self._checkpoint.place}: out of memory\n  set a batch_size below {self._options.batch_size}"
        return f"{self._checkpoint.place}: {str(error).strip().partition(chr(10))[0]}"


def _prompt_of(request: Request) -> tuple[str, bool, str | None]:
    """Return a key that is equal for requests with the same model input."""
    return request.prompt, request.chat, request.system


def _accelerator() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"

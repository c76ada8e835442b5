"""Run a model with vLLM in this process: the fast engine for a GPU. This module reads its options without importing vLLM."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt

from isocost.engines.options import Options, read_options
from isocost.errors import MissingExtraError

if TYPE_CHECKING:
    from isocost.engines.vllm.engine import VllmEngine


class VllmOptions(Options):
    """Weights on this machine or cluster, run by vLLM. A key that is null is left to vLLM. See [vllm.md](vllm.md).

    Attributes:
        model: A folder, relative to the study file's, or a name on the hub.
        revision: Branch, tag or commit on the hub.
        dtype: Data type of the weights; `auto` is vLLM's choice.
        tensor_parallel_size: Number of GPUs over which the model is split.
        gpu_memory_utilization: Share of each GPU's memory (on a CPU, of the machine's) for weights and key-value cache.
        max_model_len: Longest prompt and solution together, in tokens.
        max_num_seqs: Sequences decoded at once.
        quantization: Quantization of the weights, by vLLM's name: `fp8`, `awq`, ...
        enforce_eager: Run without compiled graphs: a faster start and slower decoding.
        batch_size: Sequences per batch, the unit that is committed; two batches are in flight.
        special_tokens: Special tokens that stay in texts, beside those of stop strings and of the delimiters in `models.X.reasoning`.
    """

    model: str
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    tensor_parallel_size: PositiveInt = 1
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9
    max_model_len: PositiveInt | None = None
    max_num_seqs: PositiveInt | None = None
    quantization: str | None = None
    enforce_eager: bool = False
    batch_size: PositiveInt = 512
    special_tokens: tuple[str, ...] = ()


def open_engine(options: Mapping[str, object], base: Path) -> VllmEngine:
    """Open the engine of a study's model section. Reads the configuration; vLLM is started when it is first needed.

    Raises:
        StudyError: the options cannot be used.
        MissingExtraError: vLLM is not installed.
        ModelError: there is no such model.
    """
    given = read_options(VllmOptions, options)
    if find_spec("vllm") is None:
        raise MissingExtraError("vllm", "vllm")
    from isocost.engines.checkpoints import locate
    from isocost.engines.vllm.engine import VllmEngine

    return VllmEngine(given, locate(given.model, base, given.revision, None))

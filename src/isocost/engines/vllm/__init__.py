"""Runs a model with vLLM in this process: the fast engine for a GPU. What a study says of it is read here, without vLLM."""

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
    """What a study may say about a model of this engine. What is None is left to vLLM.

    Attributes:
        model: A folder (from the study file's), or a name on the hub.
        revision: Branch, tag or commit on the hub.
        dtype: Of the weights; `auto` is vLLM's choice by checkpoint and device.
        tensor_parallel_size: GPUs that the model is spread over.
        gpu_memory_utilization: Share of each GPU's memory (on a CPU, of the machine's) for weights and key-value cache.
        max_model_len: Longest prompt and solution together, in tokens; less than the model's own leaves room for more at once.
        max_num_seqs: Sequences decoded at once.
        quantization: How the weights are quantized, under vLLM's names: `fp8`, `awq`, ...
        enforce_eager: Start faster and run slower, without compiled graphs.
        batch_size: Sequences a batch, which is committed whole. Two batches are under way at once.
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


def open_engine(options: Mapping[str, object], base: Path) -> VllmEngine:
    """The engine for a study's model section. Reads the configuration; vLLM is started when it is first needed."""
    given = read_options(VllmOptions, options)
    if find_spec("vllm") is None:
        raise MissingExtraError("vllm", "vllm")
    from isocost.engines.checkpoints import locate
    from isocost.engines.vllm.engine import VllmEngine

    return VllmEngine(given, locate(given.model, base, given.revision, None))

"""Engines by name. To add one: a module here with an `open_engine(options, base)`, and a line in `ENGINES`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import cast

from isocost.engines.base import Engine
from isocost.errors import MissingExtraError, StudyError

ENGINES = {
    "transformers": "isocost.engines.transformers:open_engine",
    "openai": "isocost.engines.openai:open_engine",
    "replay": "isocost.engines.replay:open_engine",
    "vllm": "isocost.engines.vllm:open_engine",
}
# The keys that a model section may have for each engine; a test holds them against the engine's own.
OPTIONS = {
    "transformers": ("model", "revision", "dtype", "device", "batch_size", "gguf_file"),
    "openai": (
        "model",
        "base_url",
        "api_key_env",
        "concurrency",
        "n",
        "seeds",
        "timeout",
        "api",
        "extra_body",
        "max_tokens_field",
        "hidden_prompt_tokens",
        "bytes_per_token",
    ),
    "replay": ("table", "model", "pool"),
    "vllm": (
        "model",
        "revision",
        "dtype",
        "tensor_parallel_size",
        "gpu_memory_utilization",
        "max_model_len",
        "max_num_seqs",
        "quantization",
        "enforce_eager",
        "batch_size",
    ),
}
_EXTRAS = {"torch": "transformers", "transformers": "transformers", "safetensors": "transformers", "openai": "openai", "httpx2": "openai"}


def load_engine(name: str, options: Mapping[str, object], *, base: Path) -> Engine:
    """Open an engine: one of `ENGINES`, or the user's own as `package.module:attribute`, called as `attribute(options, base)`.

    Args:
        name: Which engine.
        options: The engine's own keys of the study's model section.
        base: The folder that relative paths in the options start from.

    Raises:
        StudyError: there is no such engine, or it does not take these options.
        ModelError: the model that the options name cannot be used.
        MissingExtraError: the engine needs a package that is not installed.
    """
    module, _, attribute = ENGINES.get(name, name).partition(":")
    if not attribute:
        near = get_close_matches(name, ENGINES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(ENGINES)}, or package.module:attribute"
        raise StudyError([f"engine: unknown engine {name!r}; {hint}"])
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        package = (error.name or "").partition(".")[0]
        if name in ENGINES and package in _EXTRAS:
            raise MissingExtraError(package, _EXTRAS[package]) from error
        raise StudyError([f"engine: {name} cannot be imported: {error}"]) from error
    return cast(Engine, factory(options, base))

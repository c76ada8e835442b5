"""Start vLLM: in this process, quiet, without usage statistics, offline if the model is a folder. Explain its errors."""

from __future__ import annotations

import os
import warnings
from typing import Any

from huggingface_hub import snapshot_download

from isocost.engines.checkpoints import Checkpoint
from isocost.engines.vllm import VllmOptions
from isocost.engines.vllm.stepping import Stepper, VllmRequest
from isocost.errors import ModelError

# The engine core runs in this process, so that it ends with the process, and requests are scheduled in the same way each time.
# Processes of further GPUs are spawned, and end when their pipe to this one breaks.
_ALWAYS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # stdout is data
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
_UNLESS_SET = {"VLLM_LOGGING_LEVEL": "ERROR"}
_MEMORY = ("out of memory", "allocate memory", "memory utilization", "memory for the cache", "kv cache memory", "available memory")
_LONGEST = 240  # characters; vLLM repeats whole configurations in a message


def start(options: VllmOptions, checkpoint: Checkpoint) -> Stepper:
    """Load a model.

    Raises:
        ModelError: vLLM cannot run it, or not on this device.
    """
    # Set before the import: vLLM reads some of them then, others when it starts.
    os.environ.update(_ALWAYS)
    for variable, value in _UNLESS_SET.items():
        os.environ.setdefault(variable, value)
    try:
        return Stepper(lambda: _open(options, checkpoint), _add)
    except Exception as error:  # with an unsuitable checkpoint or device, vLLM raises nearly any exception
        raise ModelError(explain(error, checkpoint.place, options)) from error


def _open(options: VllmOptions, checkpoint: Checkpoint) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they concern vLLM's internals
        from vllm import EngineArgs
        from vllm.distributed import cleanup_dist_env_and_memory
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.llm_engine import LLMEngine

        own = {"model", "revision", "batch_size", "special_tokens"}  # isocost's; the others are vLLM's
        given = {name: value for name, value in options.model_dump(exclude=own).items() if value is not None}
        arguments = EngineArgs(
            model=_place(checkpoint),
            revision=None if checkpoint.folder else checkpoint.revision,
            tokenizer_revision=None if checkpoint.folder else checkpoint.revision,
            trust_remote_code=False,
            enable_prefix_caching=True,
            disable_log_stats=True,
            use_tqdm_on_load=False,
            **given,
        )
        try:
            return LLMEngine.from_engine_args(arguments, usage_context=UsageContext.LLM_CLASS)
        except BaseException:
            cleanup_dist_env_and_memory()  # a half-started process group would make the next start fail
            raise


def _place(checkpoint: Checkpoint) -> str:
    """Return the folder or the name; offline, the folder of an earlier download from the hub."""
    if checkpoint.folder or not checkpoint.offline:
        return checkpoint.place
    return snapshot_download(checkpoint.name, revision=checkpoint.revision, local_files_only=True)


def _add(llm: Any, name: str, asked: VllmRequest) -> None:
    from vllm import SamplingParams
    from vllm.inputs import tokens_input
    from vllm.sampling_params import RequestOutputKind

    params = SamplingParams(
        temperature=1.0 if asked.params.temperature is None else asked.params.temperature,
        top_p=1.0 if asked.params.top_p is None else asked.params.top_p,
        top_k=asked.params.top_k,
        max_tokens=asked.limit,
        stop=list(asked.params.stop),
        stop_token_ids=list(asked.ends),
        seed=asked.seed,
        skip_special_tokens=not asked.keeps_special_tokens,  # stop strings are looked for in the text
        spaces_between_special_tokens=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
    llm.add_request(name, tokens_input(asked.prompt, cache_salt=asked.salt), params)


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

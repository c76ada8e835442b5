"""Check that a configuration of accelerate keeps whole weights in each checkpoint, before anything is paid."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from isocost.encodings import place_not_utf8

_WHOLE = ("NO", "MULTI_CPU", "MULTI_GPU", "MULTI_XPU", "MULTI_NPU", "MULTI_MLU", "MULTI_MUSA", "MULTI_SDAA", "MULTI_HPU")
_WORKING = "NO, MULTI_CPU or MULTI_GPU; method: lora and gradient_checkpointing: true save memory"


def config_flaw(path: Path) -> str:
    """Return why students cannot be trained with a configuration file of accelerate, by its key, with the remedy; "" if they can.

    Each checkpoint must be a model that can be loaded. FSDP, DeepSpeed and Megatron-LM cut a model into parts, and by their settings save
    these, or half the precision. Accelerate runs none of them on a CPU, where our tests could show what is saved.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except UnicodeDecodeError:
        return f"cannot be read: {place_not_utf8(path, path.name)}"
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return f"cannot be read: {str(error).partition(chr(10))[0]}"
    if not isinstance(found, dict) or "distributed_type" not in found:
        return "has no distributed_type\n  write the file with: accelerate config --config_file FILE"
    kind = "NO" if found["distributed_type"] is False else str(found["distributed_type"])  # in YAML, NO without quotes is false
    if kind in _WHOLE:
        return ""
    return f"distributed_type: {kind} may save no whole models\n  use distributed_type: {_WORKING}"

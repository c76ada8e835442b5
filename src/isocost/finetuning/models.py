"""Load the model to train and its tokenizer, from a folder and never from the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isocost.errors import ModelError


def load_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a model's folder, ready to pad.

    Raises:
        ModelError: transformers can load none, or it has no end token.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no tokenizer that transformers can load") from error
    if tokenizer.eos_token is None:
        raise ModelError(f"{path}: the tokenizer has no end token, so a student could not learn to stop")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked by position, so the end token itself stays in the loss
    return tokenizer


def load_model(path: Path, end: int) -> Any:
    """Return the model in float32, since small steps vanish in bf16 weights; its generation stops at `end`, the trained token.

    Raises:
        ModelError: transformers can load none.
    """
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: no causal language model that transformers can load") from error
    stops = model.generation_config.eos_token_id
    stops = [] if stops is None else [stops] if isinstance(stops, int) else stops
    if end not in stops:
        model.generation_config.eos_token_id = [end, *stops]
    return model

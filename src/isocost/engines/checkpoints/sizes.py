"""Count the parameters that a token passes through, and the width of attention, in a transformers model without weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch

from isocost.engines.base import ModelSize

# The settings of transformers configurations for the number of experts in a layer, and for the number that a token uses.
_HELD = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
_USED = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k", "moe_k")
_WITHOUT_ATTENTION = ("linear_attention", "conv", "moe", "mlp", "mamba", "recurrent")
_NARROWED = ("sliding", "chunked", "window", "sparse", "indexed")  # layers that read a part of the context only
_LAYER = re.compile(r"\.(\d+)\.")


def count_parameters(model: Any) -> ModelSize:
    """Count the parameters that a token passes through: all, less lookup tables, and of experts only the active ones.

    Lookup tables are an input-embedding table that is not also the output layer, position embeddings, and per-layer embeddings. Experts
    that every token uses ("shared") and routers count in full. Where the configuration does not give the number of active experts, all
    count, and the description says so.

    Args:
        model: A causal language model of transformers; on the meta device it needs no weights.
    """
    # A lookup costs no multiplication, but a tied table is also the output layer, which does.
    head = model.get_output_embeddings()
    output = None if head is None else head.weight
    tables = [module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding) and module.weight is not output]
    parameters = sum(parameter.numel() for parameter in model.parameters()) - sum(table.numel() for table in tables)
    own = model.get_input_embeddings().weight
    tied = output is own
    others = any(table is not own for table in tables)
    description = "total, tied embeddings" if tied else "total less the untied input embeddings"
    if others:
        description += " less other lookup tables" if tied else " and other lookup tables"
    config = model.config.get_text_config()
    idle, used = _idle_experts(model, config)
    attention, narrowed = _attention(config)
    parts = [description, used, "attention over windows taken as full" if narrowed else ""]
    return ModelSize(parameters=parameters - idle, description=", ".join(filter(None, parts)), attention=attention)


def _idle_experts(model: Any, config: Any) -> tuple[int, str]:
    """Return the number of parameters of the experts that a token does not use, and a description."""
    idle, seen = 0, set()
    for name, module in _experts(model):
        layer = _layer_config(config, name)
        held, used = _held(module, layer), _first(layer, _USED, name)
        if held is None or used is None:
            return 0, "all experts: how many a token uses is not known"
        # In proportion: the experts of a layer have one size, also where one tensor holds them all.
        idle += sum(parameter.numel() for parameter in module.parameters()) * max(held - used, 0) // held
        seen.add(f"{used} of {held} experts")
    return idle, " or ".join(sorted(seen))


def _experts(model: Any) -> Iterator[tuple[str, Any]]:
    """Return the routed experts of every layer, as fused tensors or a list of modules; shared experts have other names."""
    return ((name, module) for name, module in model.named_modules() if name.rpartition(".")[2] == "experts")


def _held(module: Any, layer: Any) -> int | None:
    """Return the number of experts in a module, by its own attribute or by the configuration."""
    if isinstance(module, torch.nn.ModuleList):
        return len(module)
    own = getattr(module, "num_experts", None)
    return own if isinstance(own, int) else _first(layer, _HELD)


def _first(config: Any, names: tuple[str, ...], layer: str = "") -> int | None:
    """Return the first of these settings that is a number, or a number per layer. Older configurations have them in their own section."""
    for section in (config, getattr(config, "ffn_config", None)):
        for name in names:
            value = getattr(section, name, None)
            if isinstance(value, list) and (found := _LAYER.search(layer)):
                value = value[int(found[1])]
            if isinstance(value, int) and value > 0:
                return value
    return None


def _attention(config: Any) -> tuple[int | None, bool]:
    """Return the attention's width (heads * size of a head) summed over layers, or None; and True if a layer reads only a part."""
    types = getattr(config, "layer_types", None) or []
    n_layers = getattr(config, "num_hidden_layers", None)
    if not isinstance(n_layers, int):
        return None, False
    if len(types) != n_layers:  # older configurations say it once for all layers, or not at all
        types = ["sliding" if getattr(config, "sliding_window", None) else "full"] * n_layers
    attending = [index for index, kind in enumerate(types) if kind not in _WITHOUT_ATTENTION]
    widths = [_double_width(_layer_config(config, f".{index}.")) for index in attending]
    known = [width for width in widths if width is not None]
    narrowed = any(word in types[index] for index in attending for word in _NARROWED)
    return (sum(known) // 2, narrowed) if len(known) == len(widths) else (None, False)


def _double_width(layer: Any) -> int | None:
    """Return heads * (size of a key + size of a value): the scores use the first, the weighted sum of values the second."""
    heads, hidden = getattr(layer, "num_attention_heads", None), getattr(layer, "hidden_size", None)
    if not isinstance(heads, int) or not isinstance(hidden, int) or heads < 1:
        return None
    if getattr(layer, "kv_lora_rank", None) and hasattr(layer, "qk_nope_head_dim"):  # latent attention: head_dim is only a part of the key
        key = (layer.qk_nope_head_dim or 0) + (layer.qk_rope_head_dim or 0)
    else:
        key = getattr(layer, "head_dim", None) or hidden // heads
    return int(heads * (key + (getattr(layer, "v_head_dim", None) or key)))


def _layer_config(config: Any, name: str) -> Any:
    """Return the settings of a module's layer: some models vary them by layer."""
    found = _LAYER.search(name)
    return config.per_layer_config[int(found[1])] if found and getattr(config, "is_heterogeneous", False) else config

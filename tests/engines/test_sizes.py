"""Parameters that a token uses and the width of attention, counted by hand for small configurations. No model here has weights."""

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from isocost.engines.base import ModelSize
from isocost.engines.checkpoints.sizes import count_parameters

V, H, F, E = 100, 16, 32, 8  # vocabulary, hidden, feed-forward, an expert's feed-forward
HEADS, KV = 4, 2
COMMON = {
    "vocab_size": V,
    "hidden_size": H,
    "intermediate_size": F,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
HEAD = V * H  # the output layer; the untied input table is left out
NORMS = 2 * H  # of a layer


def size_of(kind: str, **settings: Any) -> ModelSize:
    config = CONFIG_MAPPING[kind](**COMMON | settings)
    with torch.device("meta"):
        return count_parameters(AutoModelForCausalLM.from_config(config))


def attention(head: int = H // HEADS) -> int:
    """Projections of queries, keys, values and output."""
    return H * HEADS * head * 2 + H * KV * head * 2


def mlp(width: int) -> int:
    """Gate, up and down projections."""
    return 3 * H * width


def test_mixtral() -> None:
    size = size_of("mixtral", num_hidden_layers=2, num_local_experts=4, num_experts_per_tok=2)
    assert size.parameters == 2 * (attention() + 4 * H + 2 * mlp(F) + NORMS) + H + HEAD
    assert size.description == "total less the untied input embeddings, 2 of 4 experts"
    assert size.attention == 2 * HEADS * (H // HEADS)


def test_qwen2_moe_counts_its_shared_expert_in_full() -> None:
    size = size_of(
        "qwen2_moe", num_hidden_layers=2, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=E, shared_expert_intermediate_size=12
    )
    biases = HEADS * 4 + 2 * KV * 4
    assert size.parameters == 2 * (attention() + biases + 4 * H + 2 * mlp(E) + mlp(12) + H + NORMS) + H + HEAD


def test_qwen3_moe_with_heads_wider_than_the_model() -> None:
    size = size_of("qwen3_moe", num_hidden_layers=2, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=E, head_dim=8)
    assert size.parameters == 2 * (attention(8) + 2 * 8 + 4 * H + 2 * mlp(E) + NORMS) + H + HEAD
    assert size.attention == 2 * HEADS * 8


@pytest.mark.parametrize("kind", ["deepseek_v2", "deepseek_v3"])
def test_deepseek_with_dense_layers_first_and_latent_attention(kind: str) -> None:
    size = size_of(
        kind, num_hidden_layers=3, first_k_dense_replace=1, n_routed_experts=4, num_experts_per_tok=2, n_shared_experts=1,
        moe_intermediate_size=E, q_lora_rank=8, kv_lora_rank=8, qk_nope_head_dim=4, qk_rope_head_dim=4, v_head_dim=6,
        num_key_value_heads=HEADS, n_group=1, topk_group=1,
    )  # fmt: skip
    queries = H * 8 + 8 + 8 * HEADS * 8
    keys_values = H * (8 + 4) + 8 + 8 * HEADS * (4 + 6)
    latent = queries + keys_values + HEADS * 6 * H
    router = 4 * H
    assert size.parameters == 3 * (latent + NORMS) + mlp(F) + 2 * (router + 2 * mlp(E) + mlp(E)) + H + HEAD
    assert size.attention == 3 * HEADS * (8 + 6) // 2


def test_olmoe() -> None:
    size = size_of("olmoe", num_hidden_layers=2, num_experts=4, num_experts_per_tok=1)
    assert size.parameters == 2 * (attention() + H + KV * 4 + 4 * H + mlp(F) + NORMS) + H + HEAD


def test_gpt_oss_with_fused_experts_that_have_biases() -> None:
    size = size_of("gpt_oss", num_hidden_layers=2, num_local_experts=4, num_experts_per_tok=2, head_dim=8)
    biases = HEADS * 8 + 2 * KV * 8 + H + HEADS  # the last are attention sinks
    expert = mlp(F) + 2 * F + H
    assert size.parameters == 2 * (attention(8) + biases + 4 * H + 4 + 2 * expert + NORMS) + H + HEAD
    assert size.description.endswith("2 of 4 experts, attention over windows taken as full")


def test_llama4_has_experts_in_every_second_layer_and_a_shared_one() -> None:
    size = size_of(
        "llama4_text", num_hidden_layers=4, num_local_experts=4, num_experts_per_tok=1, intermediate_size_mlp=24, head_dim=4,
        interleave_moe_layer_step=2,
    )  # fmt: skip
    assert size.parameters == 4 * (attention() + NORMS) + 2 * mlp(24) + 2 * (4 * H + mlp(F) + mlp(F)) + H + HEAD


def test_layers_without_attention_have_no_width() -> None:
    kinds = ["linear_attention", "full_attention", "linear_attention", "full_attention"]
    size = size_of(
        "qwen3_next", num_hidden_layers=4, layer_types=kinds, head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=E,
        shared_expert_intermediate_size=12,
    )  # fmt: skip
    assert size.attention == 2 * HEADS * 8


def test_a_dense_model() -> None:
    size = size_of("qwen2", num_hidden_layers=2, tie_word_embeddings=True)
    biases = HEADS * 4 + 2 * KV * 4
    assert size == ModelSize(
        parameters=V * H + 2 * (attention() + biases + mlp(F) + NORMS) + H, description="total, tied embeddings", attention=2 * H
    )


def test_tables_that_are_only_looked_up_are_left_out() -> None:
    config = CONFIG_MAPPING["gpt2"](vocab_size=V, n_embd=H, n_layer=1, n_head=HEADS, n_positions=50, bos_token_id=1, eos_token_id=2)
    with torch.device("meta"):
        size = count_parameters(AutoModelForCausalLM.from_config(config))
    layer = (H * 3 * H + 3 * H) + (H * H + H) + (H * 4 * H + 4 * H) + (4 * H * H + H) + 2 * 2 * H
    assert size.parameters == V * H + layer + 2 * H
    assert size.description == "total, tied embeddings less other lookup tables"
    assert size.attention == H


def test_experts_of_unknown_use_count_in_full_and_it_is_said() -> None:
    config = CONFIG_MAPPING["mixtral"](**COMMON, num_hidden_layers=1, num_local_experts=4, num_experts_per_tok=2)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    model.config.num_experts_per_tok = 0
    size = count_parameters(model)
    assert size.parameters == sum(p.numel() for p in model.parameters()) - V * H
    assert size.description.endswith("all experts: how many a token uses is not known")


def test_sizes_that_vary_by_layer() -> None:
    """Gemma 4: wider heads where the whole context is read."""
    size = size_of(
        "gemma4_text", num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], head_dim=4,
        per_layer_config={0: {"head_dim": 4}, 1: {"head_dim": 8}}, hidden_size_per_layer_input=4, vocab_size_per_layer_input=V,
    )  # fmt: skip
    assert size.attention == HEADS * 4 + HEADS * 8

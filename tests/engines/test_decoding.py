"""The loop on other architectures than Llama: learned positions, sliding windows, shared key-value heads."""

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

from isocost.engines.transformers.decoding import Row, decode
from isocost.engines.transformers.stopping import StopStrings
from isocost.records import SamplingParams

PROMPTS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4], [2, 7, 1], [1]]
_SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 50}


def models() -> dict[str, Any]:
    torch.manual_seed(0)
    window = MistralConfig(**_SHAPE, num_key_value_heads=2, sliding_window=6)
    built = {
        "gpt2": GPT2LMHeadModel(GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=50, n_positions=64)),
        "mistral": MistralForCausalLM(window),
        "qwen2": Qwen2ForCausalLM(Qwen2Config(**_SHAPE, num_key_value_heads=1)),
    }
    for model in built.values():
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= 3
    return {name: model.eval() for name, model in built.items()}


@pytest.mark.parametrize("name", ["gpt2", "mistral", "qwen2"])
def test_greedy_equals_generate_on_each_prompt_alone(name: str) -> None:
    model = models()[name]
    rows = [Row(prompt=prompt, limit=limit) for prompt, limit in [(0, 30), (0, 9), (1, 30), (2, 20)]]
    ours = decode(model, PROMPTS, rows, SamplingParams(temperature=0), StopStrings(None, ()), {-1}, seed=0)
    for row, decoded in zip(rows, ours, strict=True):
        prompt = torch.tensor([PROMPTS[row.prompt]])
        theirs = model.generate(prompt, do_sample=False, max_new_tokens=row.limit, eos_token_id=-1, pad_token_id=0)
        assert decoded.tokens == theirs[0, prompt.shape[1] :].tolist()
        assert decoded.finish_reason == "length"

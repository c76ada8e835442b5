"""The loop on other architectures than Llama (learned positions, sliding windows, shared key-value heads), and prompts that begin alike."""

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

from isocost.engines.checkpoints.stopping import StopStrings
from isocost.engines.transformers import decoding
from isocost.engines.transformers.decoding import Row, decode
from isocost.records import SamplingParams

SHARED = [7, 3, 9, 1, 4, 4, 2, 8, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2]
ALIKE = [[*SHARED, *end] for end in ([3, 1, 4, 1, 5], [2], [9, 2, 6], [9, 2, 7])]
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


def shapes_read(model: Any, prompts: list[list[int]]) -> tuple[list[tuple[int, ...]], list[list[int]]]:
    """Return the shapes of what the model reads, and the tokens that it goes on with."""
    shapes: list[tuple[int, ...]] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: shapes.append(tuple(inputs[0].shape)))
    try:
        rows = [Row(prompt=prompt, limit=12) for prompt in range(len(prompts)) for _ in range(2)]
        decoded = decode(model, prompts, rows, SamplingParams(temperature=1), StopStrings(None, ()), {-1}, seed=0)
    finally:
        hook.remove()
    return shapes, [each.tokens for each in decoded]


@pytest.mark.parametrize("name", ["gpt2", "qwen2"])
def test_what_all_prompts_begin_with_is_read_once_and_draws_stay_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models()[name]
    shapes, tokens = shapes_read(model, ALIKE)
    assert shapes[:3] == [(1, len(SHARED)), (4, 5), (8, 1)]
    monkeypatch.setattr(decoding, "shared_length", lambda model, prompts: 0)
    shapes, whole = shapes_read(model, ALIKE)
    assert shapes[:2] == [(4, len(SHARED) + 5), (8, 1)]
    assert tokens == whole


def test_a_prompt_that_others_go_on_from_keeps_its_last_token_for_its_logits() -> None:
    assert shapes_read(models()["qwen2"], [SHARED, [*SHARED, 5]])[0][:2] == [(1, len(SHARED) - 1), (2, 2)]


@pytest.mark.parametrize(
    ("name", "prompts", "dtype"),
    [
        pytest.param("mistral", ALIKE, torch.float32, id="a sliding window"),
        pytest.param("qwen2", ALIKE, torch.bfloat16, id="half precision, whose rounding would change draws"),
        pytest.param("qwen2", [prompt[10:] for prompt in ALIKE], torch.float32, id="few shared tokens"),
        pytest.param("qwen2", ALIKE[:1], torch.float32, id="one prompt"),
    ],
)
def test_prompts_are_read_whole(name: str, prompts: list[list[int]], dtype: torch.dtype) -> None:
    shapes, _ = shapes_read(models()[name].to(dtype), prompts)
    assert shapes[:2] == [(len(prompts), max(map(len, prompts))), (2 * len(prompts), 1)]

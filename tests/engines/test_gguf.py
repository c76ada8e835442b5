"""Weights in GGUF format, written here from the tiny checkpoint as llama.cpp's converter would."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGUFWriter
from safetensors.torch import load_file

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.engines.transformers.engine import TransformersEngine
from isocost.errors import MissingExtraError, ModelError
from isocost.records import SamplingParams

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
FILE = "tiny.gguf"


def write_gguf(checkpoint: Path, folder: Path) -> Path:
    folder.mkdir()
    config = json.loads((checkpoint / "config.json").read_text())
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text())
    writer = GGUFWriter(folder / FILE, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([3 if place < 2 else 1 for place in range(len(vocabulary))])
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    for name, tensor in load_file(checkpoint / "model.safetensors").items():
        writer.add_tensor(_gguf_name(name), _as_llama_cpp(name, tensor.float(), config["num_attention_heads"]).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def _gguf_name(name: str) -> str:
    whole = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if name in whole:
        return whole[name]
    _, _, layer, *rest = name.split(".")
    return f"blk.{layer}.{NAMES['.'.join(rest[:-1])]}.weight"


def _as_llama_cpp(name: str, tensor: torch.Tensor, heads: int) -> Any:
    """llama.cpp has the two halves of a rotated head interleaved."""
    if not any(part in name for part in ("q_proj", "k_proj")):
        return tensor
    return tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:]).swapaxes(1, 2).reshape(tensor.shape).contiguous()


@pytest.fixture(scope="module")
def folder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(checkpoint, tmp_path_factory.mktemp("gguf") / "model")


def open_gguf(folder: Path) -> TransformersEngine:
    engine = load_engine("transformers", {"model": str(folder), "gguf_file": FILE, "device": "cpu"}, base=folder)
    assert isinstance(engine, TransformersEngine)
    return engine


def test_samples_as_the_model_it_was_written_from(folder: Path, engine: TransformersEngine) -> None:
    gguf = open_gguf(folder)
    asked = [Request(problem_id="p", prompt="7", first_index=0, count=1), Request(problem_id="q", prompt="A", first_index=0, count=2)]
    for params in (SamplingParams(temperature=0, max_tokens=30), SamplingParams(temperature=1, max_tokens=30)):
        ours, theirs = gguf.generate(asked, params, 5), engine.generate(asked, params, 5)
        assert [[g.num_prompt_tokens for g in each] for each in ours] == [[1], [1, 1]]
        assert ours == theirs
    assert gguf.size() == engine.size()
    assert gguf.identity.startswith("sha256:")
    assert gguf.identity != engine.identity


@pytest.mark.parametrize("part", [0.01, 0.5, 0.999])
def test_a_file_that_was_cut_off_is_told(folder: Path, tmp_path: Path, part: float) -> None:
    data = (folder / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ModelError, match="the GGUF file was cut off or changed") as caught:
        open_gguf(tmp_path)
    assert str(tmp_path / FILE) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"GGU", b"<html>"])
def test_what_is_no_gguf_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(ModelError, match="not a GGUF file"):
        open_gguf(tmp_path)


def test_the_missing_package_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.engines.checkpoints.weights.find_spec", lambda name: None if name == "gguf" else sys)
    with pytest.raises(MissingExtraError, match=r'gguf is not installed\n  install it: pip install "isocost\[gguf\]"'):
        open_gguf(folder)

"""What needs no vLLM: options, what is said without the package, and the messages."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from isocost.engines import load_engine
from isocost.engines.vllm import VllmOptions
from isocost.engines.vllm.starting import explain
from isocost.errors import MissingExtraError, StudyError

GIVEN = VllmOptions(model="m", gpu_memory_utilization=0.8, max_model_len=4096)


def test_wrong_options_are_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match='maxmodellen: unknown key; did you mean "max_model_len"'):
        load_engine("vllm", {"model": "m", "maxmodellen": 3}, base=tmp_path)
    with pytest.raises(StudyError, match="gpu_memory_utilization"):
        load_engine("vllm", {"model": "m", "gpu_memory_utilization": 1.5}, base=tmp_path)


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("isocost.engines.vllm.find_spec", lambda name: None if name == "vllm" else find(name))
    with pytest.raises(MissingExtraError, match=r"isocost\[vllm\]"):
        load_engine("vllm", {"model": "m"}, base=tmp_path)


@pytest.mark.parametrize(
    "reason",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "Free memory on device cuda:0 (3.1/79.2 GiB) on startup is less than desired GPU memory utilization (0.9, 71.3 GiB).",
        "No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
        "To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is needed, which is larger than the "
        "available KV cache memory (2.5 GiB).",
    ],
)
def test_want_of_memory_says_what_to_set(reason: str) -> None:
    message = explain(RuntimeError(reason), "some/model", GIVEN)
    first, second = message.split("\n")
    assert first.startswith("some/model: too little memory: ")
    assert "max_model_len below 4096" in second
    assert "gpu_memory_utilization (now 0.8)" in second


def test_messages_are_short_whatever_vllm_says() -> None:
    class MistakesError(ValueError):
        def errors(self) -> list[dict[str, Any]]:
            return [{"msg": "Value error, Model architectures ['Abacus'] are not supported for now. " + "Supported: x, " * 100}]

    message = explain(MistakesError("1 validation error for ModelConfig\n  Value error, ..."), "m", GIVEN)
    assert message.startswith("m: vLLM: Model architectures ['Abacus'] are not supported for now.")
    assert len(message) < 300
    assert explain(KeyError(), "m", GIVEN) == "m: vLLM: KeyError"
    assert explain(RuntimeError("\n\n first \n second"), "m", GIVEN) == "m: vLLM: first"

"""What goes wrong with a real vLLM is told in isocost's words, and the engine can be asked again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.errors import EngineError, ModelError
from isocost.lab import weights
from isocost.records import SamplingParams
from tests.vllm.conftest import OPTIONS

if TYPE_CHECKING:
    from isocost.engines.vllm.engine import VllmEngine

ONE = [Request(problem_id="p", prompt="Q: a\nA:\n", first_index=0, count=1)]
SHORT = SamplingParams(temperature=0, max_tokens=4)


@pytest.fixture(autouse=True)
def alone(engine: VllmEngine) -> Iterator[None]:
    """No other vLLM in the process: each takes the device whole."""
    engine.close()
    yield
    engine.close()


def error_of(options: dict[str, object]) -> str:
    with pytest.raises(ModelError) as caught:
        load_engine("vllm", OPTIONS | options, base=Path()).generate(ONE, SHORT, 0)
    message = str(caught.value)
    assert len(message.splitlines()) <= 3
    assert len(message) < 700
    return message


def test_a_model_that_vllm_does_not_know(tmp_path: Path) -> None:
    folder = tmp_path / "strange"
    shutil.copytree(weights("weak"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["AbacusForCausalLM"]}))
    assert "AbacusForCausalLM" in error_of({"model": str(folder)})


def test_settings_that_vllm_refuses() -> None:
    assert "abacus" in error_of({"quantization": "abacus"})
    assert "divisible" in error_of({"tensor_parallel_size": 2})
    assert "9999" in error_of({"max_model_len": 9999})


def test_too_little_memory_and_then_enough(engine: VllmEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("VLLM_CPU_KVCACHE_SPACE")
        message = error_of({"gpu_memory_utilization": 0.0001})
    assert "too little memory" in message
    assert "gpu_memory_utilization (now 0.0001)" in message
    assert engine.generate(ONE, SHORT, 0)[0][0].num_generated_tokens == 4


def test_a_failure_while_it_runs_ends_that_vllm_alone(engine: VllmEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine.generate(ONE, SHORT, 0)
    from torch import OutOfMemoryError
    from vllm.v1.engine.llm_engine import LLMEngine

    def fails(_llm: LLMEngine) -> None:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(LLMEngine, "step", fails)
        with pytest.raises(EngineError, match="out of memory") as caught:
            engine.generate(ONE, SHORT, 0)
    assert "max_num_seqs" in str(caught.value)
    assert engine.generate(ONE, SHORT, 0) == before


def test_a_model_without_chat_template_is_not_asked_in_a_chat(engine: VllmEngine) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        engine.generate([Request(problem_id="p", prompt="a", first_index=0, count=1, chat=True)], SHORT, 0)

"""A real vLLM on the CPU with the embedded weak model; skipped where vLLM is not installed."""

import json
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from isocost.engines import load_engine
from isocost.lab import weights

if TYPE_CHECKING:
    from isocost.engines.vllm.engine import VllmEngine

OPTIONS = {"model": str(weights("weak")), "dtype": "float32", "enforce_eager": True}
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB; else a share of all the machine's memory
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
    "{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}A:\n{% endif %}"
)


@pytest.fixture(scope="session")
def installed() -> None:
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here; run: make test-vllm")


@pytest.fixture(scope="session")
def engine(installed: None) -> "Iterator[VllmEngine]":
    from isocost.engines.vllm.engine import VllmEngine

    engine = load_engine("vllm", OPTIONS, base=Path())
    assert isinstance(engine, VllmEngine)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weak model with a chat template, and a tokenizer that puts a start token before every text."""
    folder = tmp_path_factory.mktemp("talker") / "model"
    shutil.copytree(weights("weak"), folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (start,) = [token for token in tokenizer["added_tokens"] if token["content"] == "<|pad|>"]
    begins = {"SpecialToken": {"id": "<|pad|>", "type_id": 0}}
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [begins, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [begins, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|pad|>": {"id": "<|pad|>", "ids": [start["id"]], "tokens": ["<|pad|>"]}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": CHAT_TEMPLATE, "bos_token": "<|pad|>"}))
    return folder

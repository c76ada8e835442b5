"""TRL trains on exported data sets unchanged, plain and as a chat."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from isocost.exporting import export
from isocost.running import run
from tests.builders import write_study

pytestmark = pytest.mark.slow  # TRL takes seconds to import
pytest.importorskip("trl")

CHAT = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    return run(write_study(folder, n_problems=6), folder / "run").directory


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from isocost.lab.corpus import documents
    from isocost.lab.recipe import Recipe, build
    from isocost.lab.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("models") / "base"
    tokenizer = train_tokenizer(itertools.islice(documents(0), 300))
    build(Recipe(hidden=64, layers=1, feed_forward=96, steps=0), tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("shape", ["messages", "prompt-completion", "text"])
def test_sft_trains_on_the_folder(finished: Path, base: Path, tmp_path: Path, shape: str) -> None:
    from datasets import load_dataset
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    export(finished, "weak@low", shape, tmp_path / "data")
    data = load_dataset(str(tmp_path / "data"), split="train", cache_dir=str(tmp_path / "cache"))
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = CHAT
    settings = SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=2, per_device_train_batch_size=2, use_cpu=True, report_to="none", bf16=False
    )
    trainer = SFTTrainer(model=str(base), args=settings, train_dataset=data, processing_class=tokenizer)
    assert trainer.train().training_loss > 0


def test_kto_trains_on_the_folder(finished: Path, base: Path, tmp_path: Path) -> None:
    from datasets import load_dataset
    from transformers import AutoTokenizer
    from trl import KTOConfig, KTOTrainer

    export(finished, "weak@low", "kto", tmp_path / "data")
    data = load_dataset(str(tmp_path / "data"), split="train", cache_dir=str(tmp_path / "cache"))
    assert set(data["label"]) == {True, False}
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    settings = KTOConfig(
        output_dir=str(tmp_path / "out"), max_steps=2, per_device_train_batch_size=2, use_cpu=True, report_to="none", bf16=False
    )
    trainer = KTOTrainer(model=str(base), args=settings, train_dataset=data, processing_class=tokenizer)
    assert trainer.train().training_loss > 0

"""TRL trains on a folder of trainsets/ as it is, on the tokens that isocost trains on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.curating import Rules
from isocost.finetuning import IGNORED, encode
from isocost.prompts.base import Template
from isocost.records import Cell, Outcome
from isocost.results import trainsets
from isocost.results.trainsets import Asked, Candidates, RowForm
from isocost.store import RunDirectory
from tests.finetuning.test_rows import CHATML
from tests.results.tabled import all_of, draw, table

CELL = Cell(arm="weak", budget="low")
FORM = RowForm(template=Template(form="Q: {question}\nA:\n", system="Be brief."))


@pytest.mark.slow
@pytest.mark.parametrize("chat", [False, True])
def test_trl_trains_on_a_folder_as_isocost_does(base: Path, tokenizer: Any, tmp_path: Path, *, chat: bool) -> None:
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    if chat:
        tokenizer.add_special_tokens({"eos_token": "<|im_end|>"})
        tokenizer.chat_template = CHATML
    draws = [draw("weak", "p1", n, Outcome.CORRECT, generation=f"{n} + 1 = {n + 1}\n#### {n + 1}") for n in range(6)]
    made = table(tmp_path, draws, {CELL: all_of(draws)})
    curated = Candidates.of(made, Asked(distinct="string"), 0).curate(CELL, Rules())
    form = replace(FORM, chat=chat)
    RunDirectory(tmp_path).write_frames(trainsets.rows(made, curated, {"p1": "1?"}, form), "trainsets", CELL.name, trainsets.FILE)
    rows = load_dataset(str(tmp_path / "trainsets" / CELL.name), split="train", cache_dir=str(tmp_path / "cache"))
    settings = SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, use_cpu=True, report_to="none", bf16=False
    )
    model: Any = str(base)
    if chat:
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(base)
        model.resize_token_embeddings(len(tokenizer))
    trainer = SFTTrainer(model=model, args=settings, train_dataset=rows, processing_class=tokenizer)
    theirs = [list(row["input_ids"]) for row in trainer.train_dataset]
    ours = encode(tokenizer, list(rows)).rows
    assert len(ours) == len(theirs) == 6
    for mine, other in zip(ours, theirs, strict=True):
        # A template writes a line break after the last turn, which no model is asked to generate.
        assert other[: len(mine.input_ids)] == mine.input_ids
        assert tokenizer.decode(other[len(mine.input_ids) :]) == ("\n" if chat else "")
        assert mine.labels.count(IGNORED) < len(mine.labels)
    assert trainer.train().training_loss > 0

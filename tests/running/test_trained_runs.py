"""Whole runs that train a student: in its chat format, and with a training that fails."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.errors import RunError, StudyError
from isocost.events import Note
from isocost.executors.training import TrainingJob
from isocost.executors.training import train as train_in_worker
from isocost.running import run, runs
from isocost.students import train
from tests.builders import PARAMS, InlineExecutor, write_study
from tests.finetuning.test_rows import CHATML

pytest.importorskip("trl")


@pytest.fixture
def student(tmp_path: Path) -> Path:
    from isocost.lab.corpus import documents
    from isocost.lab.recipe import Recipe, build
    from isocost.lab.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(itertools.islice(documents(0), 300))
    tokenizer.chat_template = CHATML.replace("<|im_end|>", tokenizer.eos_token)
    build(Recipe(hidden=64, layers=1, feed_forward=96, steps=0), tokenizer).save_pretrained(tmp_path / "student")
    tokenizer.save_pretrained(tmp_path / "student")
    return tmp_path / "student"


def write(folder: Path, **finetune: Any) -> Path:
    rows = [json.dumps({"id": f"t{i}", "question": f"What is {i} + 9?", "answer": str(i + 9)}) for i in range(4)]
    (folder / "test.jsonl").write_text("\n".join(rows) + "\n")
    models: dict[str, Any] = {
        name: {"engine": "replay", "table": "table.parquet", "model": name, "params": params} for name, params in PARAMS.items()
    }
    chat = {"prompt": {"chat": True, "system": "Be brief."}, "sampling": {"max_tokens": 8}}
    models["student"] = {"engine": "transformers", "model": "student", "device": "cpu", **chat}
    return write_study(
        folder,
        n_problems=6,
        problems={"train": {"source": "jsonl", "path": "problems.jsonl"}, "test": {"source": "jsonl", "path": "test.jsonl"}},
        models=models,
        finetune={"students": ["student"], "arms": ["weak", "strong"], "steps": 2, "batch_size": 2, "checkpoints": 1, **finetune},
        evaluate={"pass_at": [2]},
    )


def test_a_chat_student_is_trained_and_asked_in_its_chat_and_a_failure_stands_alone(
    tmp_path: Path, student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    jobs: list[TrainingJob] = []
    cards: list[str] = []

    def failing(job: TrainingJob) -> Any:
        jobs.append(job)
        cards.extend(path.read_text() for path in (tmp_path / "run" / "trainsets").glob("*@*/README.md"))
        if job.rows[0]["model"] == "strong":
            raise RunError("out of memory with 2 rows\n  raise finetune.gradient_accumulation")
        return train_in_worker(job)

    monkeypatch.setattr(train, "train", failing)
    told: list[str] = []
    out = run(write(tmp_path), tmp_path / "run", listener=lambda e: told.append(e.text) if isinstance(e, Note) else None).directory
    # Trained on conversations, which trainsets/ has too.
    assert len(jobs) == 2
    assert cards
    assert all("## Budget" in text and "## Measures" in text for text in cards)  # if the start ends in a training, they stay
    kept = pl.read_parquet(out / "trainsets" / "weak@low" / "train.parquet")
    assert kept["messages"].to_list() == [row["messages"] for job in jobs for row in job.rows if row["model"] == "weak"]
    assert [message["role"] for message in kept["messages"][0].to_list()] == ["system", "user", "assistant"]
    # Asked in the same form: untrained in its chat, and trained on the data of weak.
    measured = json.loads((out / "measures.json").read_text())
    assert {(row["cell"], row["prompt"], row["metric"]) for row in measured["students"] if "@" in row["metric"]} == {
        (cell, "plain", metric) for cell in (None, "weak@low") for metric in ("pass@1", "pass@2")
    }
    assert {(c["left"], c["right"]) for c in measured["comparisons"]} == {("weak@low", None)}
    prompts = {row["num_prompt_tokens"] for part in out.glob("evaluations/*/*.parts/*.parquet") for row in pl.read_parquet(part).to_dicts()}
    from isocost.engines.encoding import messages_of, prompt_tokens, render_chat
    from isocost.finetuning.trainer import load_tokenizer

    tokenizer = load_tokenizer(student)
    asked = [render_chat(tokenizer, messages_of(f"Question: What is {i} + 9?\nAnswer:", "Be brief."), "student") for i in range(4)]
    assert prompts == {len(prompt_tokens(tokenizer, text, chat=True)) for text in asked}
    # The other training is shown as failed.
    assert measured["failed"] == [{"student": "student", "cell": "strong@low", "seed": 0, "reason": "out of memory with 2 rows"}]
    assert "Failed: student on strong@low, seed 0: out of memory with 2 rows." in (out / "report.md").read_text()
    assert any(text.startswith("training of student on strong@low, seed 0, failed: out of memory") for text in told)


def test_a_run_all_of_whose_trainings_fail_reports_on_its_data_and_then_fails(
    tmp_path: Path, student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    out = tmp_path / "run"
    with pytest.raises(RunError) as caught:
        run(write(tmp_path, max_length=3), out)
    happened, *details = str(caught.value).split("\n  ")
    assert happened.startswith("no student was trained: all 2 trainings failed, the first with: student-weak@low-0-")
    assert happened.endswith("all of them longer than finetune.max_length of 3 tokens")
    assert details == [f"measures of the data, without students: {out / 'report.html'}", "raise finetune.max_length"]
    measured = json.loads((out / "measures.json").read_text())
    assert {"weak@low", "strong@low"} <= set(measured["cells"])
    assert [row["cell"] for row in measured["failed"]] == ["weak@low", "strong@low"]
    assert "students" not in measured
    assert (out / "report.md").read_text().count("Failed: student on ") == 2
    run(write(tmp_path), out)  # a training that failed is tried again
    assert "failed" not in json.loads((out / "measures.json").read_text())


@pytest.mark.slow
def test_rows_that_no_student_can_take_are_in_the_funnel(tmp_path: Path, student: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    from isocost.finetuning import encode
    from isocost.finetuning.trainer import load_tokenizer

    out = run(write(tmp_path), tmp_path / "whole", until="curate").directory
    rows = pl.read_parquet(out / "trainsets" / "weak@low" / "train.parquet").to_dicts()
    lengths = sorted(len(row.input_ids) for row in encode(load_tokenizer(student), rows).rows)
    limit = lengths[len(lengths) // 2]
    long = sum(length > limit for length in lengths)
    assert long
    out = run(write(tmp_path, arms=["weak"], max_length=limit), tmp_path / "run").directory
    header, *lines = (out / "tables" / "funnel.csv").read_text().splitlines()
    weak = next(line for line in lines if line.startswith("weak@low"))
    assert dict(zip(header.split(","), weak.split(","), strict=True))["too long for student"] == str(long)


def test_a_student_that_could_not_learn_to_stop_is_refused_before_anything_is_bought(
    tmp_path: Path, student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    path = student / "tokenizer_config.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "eos_token"}))
    with pytest.raises(StudyError, match=r"finetune\.students: student cannot be used: .*: the tokenizer has no end token"):
        run(write(tmp_path, arms=["weak"]), tmp_path / "run")
    assert not (tmp_path / "run").exists()

"""A study that trains and evaluates a student, prepared without opening a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.preparing.prepare import Prepared
from isocost.prompts import make_template
from isocost.records import Problem
from tests.builders import study

TEST = [Problem(id=f"t{i}", question=f"What is {i} + 7?", answer=str(i + 7)) for i in range(5)]


def prepared(base: Path, *, maj_at: tuple[int, ...] = (), **finetune: Any) -> Prepared:
    made = study(
        problems={split: {"source": "jsonl", "path": "problems.jsonl"} for split in ("train", "test")},
        finetune={"students": ["strong"], "arms": ["weak"], "steps": 2, "checkpoints": 1, **finetune},
        evaluate={"maj_at": list(maj_at)},
    )
    spec = EngineSpec(name="tests.executors.engines:open_engine", options=(("model", str(base / "student")),), base=base)
    return Prepared(
        study=made,
        problems={"train": [], "test": TEST},
        cards={},
        specs={"strong": spec},
        identities={"strong": "sha256:0"},
        facts={"strong": EngineFacts(identity="sha256:0", size=None)},
        templates={"strong": make_template(made.prompt_of("strong"))},
    )

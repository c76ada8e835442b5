"""Iterated studies for tests: a student that samples itself, as plain data and as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.builders import Raw

TINY = {"engine": "transformers", "model": "lab:tiny", "device": "cpu", "tokens_per_sample": 8}


def raw(
    *,
    rounds: object = 3,
    students: list[str] | None = None,
    arms: Raw | None = None,
    trained: list[str] | None = None,
    base: Raw | None = None,
    models: Raw | None = None,
    **changes: Any,
) -> Raw:
    """A study of one model that is sampled and trained, with another that is neither; `changes` replace whole sections."""
    return {
        "name": "iterated",
        "problems": {split: {"source": "jsonl", "path": f"{split}.jsonl"} for split in ("train", "test")},
        "models": {
            "base": base or TINY,
            "strong": {"engine": "replay", "table": "table.parquet", "model": "strong", "params": 3000},
            **(models or {}),
        },
        "prompt": {"template": "lab-2shot"},
        "sampling": {"max_tokens": 8},
        "budgets": {"all": {"unit": "flops", "match": {"model": "base", "samples_per_problem": 6}}},
        "arms": arms or {"self": {"models": ["base"]}},
        "grader": {"name": "number"},
        "finetune": {
            "students": students or ["base"],
            "arms": trained or ["self"],
            "steps": 2,
            "batch_size": 2,
            "checkpoints": 1,
            "rounds": rounds,
        },
        **changes,
    }


def write(folder: Path, *, n_problems: int = 4, **changes: Any) -> Path:
    """The study in a folder, on problems of the smallest embedded model, whose solutions are trained on whatever their answer."""
    sources = {split: {"source": "lab", "split": split, "limit": n_problems} for split in ("train", "test")}
    made = raw(**{"curate": {"filter": "none"}, "sampling": {"max_tokens": 48}, "problems": sources, **changes})
    del made["models"]["strong"]
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
    return path

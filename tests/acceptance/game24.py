"""The shared pool of Game of 24 solutions as a study: recorded samples, and a grader that knows their verdicts."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import polars as pl
import yaml

from isocost.records import Outcome, Verdict
from tests.builders import Raw

TABLE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "pool_game24.parquet"
MODELS = {"cheap": ("gpt4-answer-only", 20), "dear": ("gpt4-steps", 75)}  # name in the table, tokens of a sample


@functools.cache
def verdicts() -> dict[tuple[str, str], bool]:
    rows = pl.read_parquet(TABLE).select("expected_answer", "generation", "correct")
    return {(reference, text): correct for reference, text, correct in rows.iter_rows()}


class Labelled:
    """Grade a recorded solution as the table does."""

    name = "game24"
    version = "1"
    cheap = True

    def gold(self, reference: str) -> str:
        return f"the solution of {reference}"

    def grade(self, reference: str, generation: str) -> Verdict:
        right = generation == self.gold(reference) or verdicts()[reference, generation]
        return Verdict(outcome=Outcome.CORRECT if right else Outcome.INCORRECT, predicted_answer=None, reason="table")


def write(folder: Path, arms: Raw, *, dear_samples: float) -> Path:
    """Write the study, with a budget of so many dear samples per puzzle."""
    puzzles = pl.read_parquet(TABLE).select("problem_id", "expected_answer").unique(maintain_order=True)
    lines = [json.dumps({"id": i, "question": f"Make {answer}.", "answer": answer}) for i, answer in puzzles.iter_rows()]
    (folder / "problems.jsonl").write_text("\n".join(lines) + "\n")
    study = {
        "name": "game24",
        "problems": {"train": {"source": "jsonl", "path": "problems.jsonl"}},
        "models": {
            name: {"engine": "replay", "table": str(TABLE), "model": model, "params": 1000, "tokens_per_sample": tokens}
            for name, (model, tokens) in MODELS.items()
        },
        "prompt": {"form": "{question}\n"},
        "sampling": {"max_tokens": 1300},
        "budgets": {"low": {"unit": "flops", "match": {"model": "dear", "samples_per_problem": dear_samples}}},
        "arms": arms,
        "grader": {"name": f"{__name__}:Labelled"},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    return path

"""Studies with an adaptive arm on recorded samples, and what their run directories hold."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from isocost.graders.number import NumberGrader
from isocost.records import Outcome, Verdict
from tests.builders import Raw, Rows

BEST: Raw = {"policy": "adaptive", "models": ["weak", "strong"]}
ARMS: Raw = {"weak": {"models": ["weak"]}, "strong": {"models": ["strong"]}, "best": BEST}
AMOUNT = 30 * 2 * 64 * 6000.0  # two strong draws at max_tokens for each of 30 problems, in FLOPs


def best(**keys: Any) -> Raw:
    """Return the arm `best` alone, with more keys."""
    return {"best": {**BEST, **keys}}


def realised(unit: str = "flops", amount: float = AMOUNT) -> Raw:
    return {"low": {"unit": unit, "amount": amount, "basis": "realised"}}


def answered(rows: Rows, chance: dict[str, float]) -> Rows:
    """Return the rows with the share of correct answers of each model replaced by 0 or 1."""
    for row in rows:
        i = int(str(row["problem_id"])[1:])
        answer = i + 7 if chance[str(row["model"])] else i + 8
        row["generation"] = f" Way {row['sample_index']}: {i} + 7 = {answer}\n#### {answer}"
    return rows


def rounds(out: Path, cell: str = "best@low") -> list[list[list[Any]]]:
    """Return the allocations of each recorded round."""
    lines = (out / "arms" / cell / "rounds.jsonl").read_text().splitlines()
    return [json.loads(line)["allocations"] for line in lines]


def drawn(out: Path, cell: str = "best@low") -> Counter[tuple[str, str]]:
    """Return the number of draws of each problem and model in a cell's rounds; they must be the first ones of their pools."""
    counts: Counter[tuple[str, str]] = Counter()
    for allocations in rounds(out, cell):
        for problem, model, first, count in allocations:
            assert first == counts[problem, model]
            counts[problem, model] += count
    return counts


def stored(out: Path) -> Counter[tuple[str, str]]:
    """Return the number of stored draws of each problem and model."""
    rows = pl.read_parquet(out / "samples.parquet")
    return Counter(zip(rows["problem_id"], rows["model"], strict=True))


def flops(out: Path, counts: Counter[tuple[str, str]]) -> float:
    """Return the realised cost of the first draws of each pair."""
    rows = pl.read_parquet(out / "samples.parquet")
    own = [(r["problem_id"], r["model"], r["sample_index"], r["cost"]) for r in rows.iter_rows(named=True)]
    return sum(cost for problem, model, index, cost in own if index < counts[problem, model])


def measures(out: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((out / "measures.json").read_text())
    return found


class Boxed(NumberGrader):
    """A grader that no recorded solution satisfies: the answer must be in a box."""

    name = "boxed"

    def grade(self, reference: str, generation: str) -> Verdict:
        if "boxed" not in generation:
            return Verdict(outcome=Outcome.NO_ANSWER, predicted_answer=None, reason="no_answer")
        return super().grade(reference, generation)


def with_levels(folder: Path, levels: dict[int, object]) -> None:
    """Give problems of a study, by their place, a level."""
    path = folder / "problems.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for i, level in levels.items():
        rows[i]["level"] = level
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")

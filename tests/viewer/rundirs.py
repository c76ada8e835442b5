"""Run directories as the viewer finds them, written without a run: word problems, solutions of two models, chosen ones with audits."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from isocost.equations import audit_steps
from isocost.records import Chosen

MODELS = ("tern-1b", "heron-7b")
_NAMES = ("Mara", "Idris", "Yuki", "Tomas", "Adaeze", "Noor", "Silvia", "Wen")
_THINGS = ("muffins", "notebooks", "saplings", "postcards", "marbles", "tickets")
Rows = list[dict[str, Any]]


def write_run(
    path: Path, *, n_problems: int = 12, n_samples: int = 8, n_chosen: int = 6, texts: Sequence[str] = (), models: Sequence[str] = MODELS
) -> list[Chosen]:
    """A run directory; what was chosen, in the order of labelling.

    Args:
        path: Where.
        n_problems: Word problems.
        n_samples: Of each problem and model.
        n_chosen: Answer-correct solutions to label, one of a problem and model; 0 leaves audits/ out.
        texts: Solutions that take the place of the first chosen ones.
        models: Who wrote them.
    """
    lots = random.Random(7)
    problems = [_problem(i, lots) for i in range(n_problems)]
    (path / "problems").mkdir(parents=True)
    (path / "study.yaml").write_text(yaml.safe_dump({"name": "orchard"}), encoding="utf-8")
    shown = [{**{k: p[k] for k in ("id", "question", "answer")}, "metadata": json.dumps({"level": p["level"]})} for p in problems]
    pl.DataFrame(shown).write_parquet(path / "problems" / "train.parquet")
    rows = [_sample(p, model, i, lots) for p in problems for model in models for i in range(n_samples)]
    chosen = _choose(rows, n_chosen, lots)
    by_place = {(c.model, c.problem_id, c.sample_index): c.place for c in chosen}
    for row in rows:
        place = by_place.get((row["model"], row["problem_id"], row["sample_index"]), len(texts))
        row["generation"] = texts[place] if place < len(texts) else row["generation"]
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path / "samples.parquet")
    if chosen:
        write_audits(path, chosen, {(r["model"], r["problem_id"], r["sample_index"]): r["generation"] for r in rows})
    return chosen


def write_audits(path: Path, chosen: Sequence[Chosen], texts: dict[tuple[str, str, int], str]) -> None:
    """`audits/` with what was chosen, and its audit by steps and by a judge that always agrees with it."""
    (path / "audits").mkdir(exist_ok=True)
    pl.DataFrame([asdict(c) for c in chosen]).write_parquet(path / "audits" / "chosen.parquet")
    steps = [(c.sample_id, *audit_steps(texts[c.model, c.problem_id, c.sample_index])) for c in chosen]
    schema = {"sample_id": pl.String, "sound": pl.Boolean, "first_false": pl.String}
    pl.DataFrame(steps, schema=schema, orient="row").write_parquet(path / "audits" / "steps-chosen.parquet")


def labels(path: Path) -> Rows:
    """The lines of the log, without their checksums."""
    file = path / "audits" / "labels.jsonl"
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    for line in found:
        line.pop("check", None)
    return found


def verdicts(path: Path) -> list[tuple[str, str | None]]:
    """Return the verdicts of the log with their reasons."""
    return [(line["verdict"], line["reason"]) for line in labels(path)]


def _problem(i: int, lots: random.Random) -> dict[str, Any]:
    name, thing, boxes, each, lost = (
        lots.choice(_NAMES),
        lots.choice(_THINGS),
        lots.randint(3, 12),
        lots.randint(6, 30),
        lots.randint(2, 15),
    )
    question = (
        f"{name} buys {boxes} boxes of {thing} with {each} {thing} in each box. On the way home {lost} of them get lost, and half of the "
        f"boxes are given to a neighbour together with their share of what is left. How many {thing} did {name} have right after the loss?"
    )
    return {
        "id": f"orchard-{i:04d}",
        "question": question,
        "answer": str(boxes * each - lost),
        "level": str(1 + i % 5),
        "facts": (name, thing, boxes, each, lost),
        "chance": lots.choice((0.0, 0.3, 0.6, 0.8, 1.0)),
    }


def _sample(problem: dict[str, Any], model: str, index: int, lots: random.Random) -> dict[str, Any]:
    name, thing, boxes, each, lost = problem["facts"]
    right = lots.random() < problem["chance"] * (0.7 if model == MODELS[0] else 1.0)
    finish = lots.choices(("stop", "length", "error"), (30, 2, 1))[0]
    total, left = boxes * each, boxes * each - lost
    slip = lots.choice((0, 0, 0, 10))  # an unsound step that the answer does not show
    answer = left if right else left + lots.choice((-lost, 1, 10))
    openings = (f"First find how many {thing} there are in all.", f"{name} starts with full boxes.", "Let's go step by step.")
    text = (
        f"{lots.choice(openings)}\n\n{boxes} boxes with {each} {thing} each: {boxes} * {each} = {total + slip} {thing}.\n"
        f"Then {lost} get lost: {total} - {lost} = {left} {thing}.\n\n#### {answer}"
    )
    correct = None if finish == "error" else right
    return {
        "problem_id": problem["id"],
        "model": model,
        "pool": f"pool-of-{model}",
        "sample_index": index,
        "generation": "" if finish == "error" else text[:90] if finish == "length" and not right else text,
        "num_prompt_tokens": 80,
        "num_generated_tokens": lots.randint(60, 240),
        "finish_reason": finish,
        "expected_answer": problem["answer"],
        "predicted_answer": str(answer) if finish == "stop" else None,
        "correct": correct,
    }


def _choose(rows: Rows, n_chosen: int, lots: random.Random) -> list[Chosen]:
    firsts: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["correct"]:
            firsts.setdefault((row["model"], row["problem_id"]), row)
    drawn = lots.sample(list(firsts.values()), min(n_chosen, len(firsts)))
    return [
        Chosen(
            sample_id=f"{lots.getrandbits(64):016x}",
            model=row["model"],
            problem_id=row["problem_id"],
            sample_index=row["sample_index"],
            stratum=str(1 + int(row["problem_id"][-4:]) % 5),
            weight=1.0,
            place=place,
        )
        for place, row in enumerate(drawn)
    ]

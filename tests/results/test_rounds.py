"""The rounds of an iterated study side by side, from the run directories of its rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.evaluating import ProblemOutcome, to_lines
from isocost.preparing.parts import known_parts
from isocost.records import BillLine, Comparison, Cost, Evaluation, FailedTraining, Results, Truncation
from isocost.results.results import to_json
from isocost.results.rounds import with_rounds
from isocost.results.stored import RESULTS, read_results, results_json
from isocost.store.rounds import round_folder
from isocost.studyfile import check_study
from tests.iterated import raw
from tests.reporting.builder import cell, estimate, results

NAME = "self@all"
SOLVED = {1: [[1, 0, 0, 0], [1, 1, 0, 0]], 2: [[1, 1, 0, 0], [1, 1, 1, 0]]}  # by round and training seed


def of_round(number: int, **changes: Any) -> Results:
    """Results as a round stores them: one cell, its student, and the untrained student with two prompts."""

    def evaluation(name: str | None, prompt: str, value: float) -> Evaluation:
        return Evaluation(student="base", cell=name, prompt=prompt, split="test", metric="pass@1", estimate=estimate(value, n=4))

    compared = Comparison(
        student="base", split="test", metric="pass@1", left=NAME, right=None, difference=estimate(0.2 * number, n=4), detectable=0.5,
        setup="self-improvement", right_prompt="lab-2shot",
    )  # fmt: skip
    paid = Cost(flops=10.0 * number, seconds=1.0)
    line = BillLine(account="data", model=f"base{number}", what="kept", count=number, tokens=9, cost=paid)
    shared = BillLine(account="training", model="base", what="steps", count=2, tokens=5, cost=paid)
    made = replace(
        results(),
        cells=(cell("self", "all", {f"base{number}": 2.0}, 0.3 * number, 1.0),),
        evaluations=(evaluation(None, "plain", 0.1), evaluation(None, "lab-2shot", 0.25), evaluation(NAME, "plain", 0.4)),
        comparisons=(compared,),
        bill=(line, shared),
        seconds={"sample": 2.0, f"only{number}": 1.0},
    )
    return replace(made, **changes)


def store(run: Path, solved: Mapping[int, Sequence[Sequence[int]]] = SOLVED, **changes: Any) -> list[Path]:
    folders = []
    for number, seeds in solved.items():
        folder = round_folder(run, number)
        folder.mkdir(parents=True, exist_ok=True)
        for seed, scores in enumerate(seeds):
            place = folder / "evaluations" / f"base+{NAME}+{seed}+plain+test"
            place.mkdir(parents=True)
            outcomes = [ProblemOutcome(problem_id=f"t{i}", score=float(score), predicted_answer=None) for i, score in enumerate(scores)]
            (place / "pass@1.jsonl").write_text("".join(to_lines(outcomes)))
        (folder / "study.yaml").write_text("name: a\n")
        (folder / RESULTS).write_text(json.dumps(results_json(of_round(number, **(changes if number == 2 else {})))))
        folders.append(folder)
    return folders


def together(folders: Sequence[Path]) -> Results:
    study = check_study(raw(rounds=2), known_parts())
    assert study.finetune is not None
    whole = study.model_copy(update={"finetune": study.finetune.model_copy(update={"seeds": (0, 1)})})
    return with_rounds(whole, read_results(folders[0]), folders)


def test_each_round_is_compared_with_the_one_before_on_the_same_problems(tmp_path: Path) -> None:
    untrained, first, second = together(store(tmp_path)).rounds
    assert (untrained.number, untrained.covered, untrained.cost, untrained.difference) == (0, None, None, None)
    # The untrained student has the prompt that trained ones are compared with.
    assert untrained.solved == estimate(0.25, n=4)
    assert (first.number, first.cell, first.student, first.since_first) == (1, NAME, "base", None)
    assert first.difference == estimate(0.2, n=4)
    assert first.covered == estimate(0.3)
    assert first.solved is not None
    assert first.solved.value == pytest.approx(3 / 8)
    assert second.covered == estimate(0.6)
    assert second.solved is not None
    assert second.solved.value == pytest.approx(5 / 8)
    # With two rounds, the round before is the first.
    assert second.difference is not None
    assert second.difference.value == pytest.approx(2 / 8)
    assert second.since_first == second.difference
    assert second.detectable is not None


def test_bill_and_time_are_of_all_rounds(tmp_path: Path) -> None:
    found = together(store(tmp_path))
    assert [(line.account, line.model, line.count, line.cost.flops) for line in found.bill] == [
        ("data", "base1", 1, 10.0),
        ("data", "base2", 2, 20.0),
        ("training", "base", 4, 30.0),
    ]
    assert found.seconds == {"sample": 4.0, "only1": 1.0, "only2": 1.0}


def test_a_failed_seed_is_left_out_and_what_casts_doubt_on_a_later_round_is_kept(tmp_path: Path) -> None:
    failure = FailedTraining(student="base", cell=NAME, seed=0, reason="out of memory")
    cut = Truncation(cut=9, n=10, max_tokens=8)
    found = together(store(tmp_path, failed_trainings=(failure,), doubt="nothing is right", truncated={"base2": cut}))
    assert found.rounds[2].solved is not None
    assert found.rounds[2].solved.value == pytest.approx(3 / 4)
    assert [each.reason for each in found.failed_trainings] == ["round 2: out of memory"]
    assert found.doubt == "round 2: nothing is right"
    assert found.truncated == {"base2": cut}


def test_a_round_whose_trainings_all_failed_has_no_student(tmp_path: Path) -> None:
    row = together(store(tmp_path, {1: SOLVED[1], 2: []})).rounds[2]
    assert (row.solved, row.difference, row.since_first, row.detectable) == (None, None, None, None)
    assert row.covered == estimate(0.6)


def test_measures_have_a_row_per_round_with_differences_in_points(tmp_path: Path) -> None:
    rows: Any = to_json(together(store(tmp_path)))["rounds"]
    assert [row["round"] for row in rows] == [0, 1, 2]
    assert rows[0]["cost"] is None
    assert rows[1]["cost"]["flops"] == together([tmp_path, round_folder(tmp_path, 2)]).cells[0].cost.flops
    assert rows[1]["difference"]["value"] == pytest.approx(20.0)
    assert rows[2]["pass@1"]["value"] == pytest.approx(5 / 8)
    assert "rounds" not in to_json(results())

"""The rounds of an iterated study in its plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isocost.running import dry_run, plan_from_pilot, plan_study, runs
from isocost.summaries.plans import answer_json, answer_markdown, format_limit_warning, to_markdown
from isocost.summaries.rounds import describe_rounds, rounds_json
from tests.builders import InlineExecutor, write_study
from tests.iterated import write


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def test_a_plan_shows_each_round_with_its_budget_and_its_models(tmp_path: Path) -> None:
    planned = plan_from_pilot(write(tmp_path, n_problems=10))
    (plan,) = planned[2]
    assert plan.samples_per_problem == {"base": 2.0}
    text = answer_markdown(*planned)
    assert "3 rounds, each with an equal part of the budget; the table above is one of them." in text
    rows = [line for line in text.splitlines() if line.startswith(("| 1 |", "| 2 |", "| 3 |"))]
    assert [line.split(" | ")[1:] for line in rows] == [
        ["self@all", "51.2 MFLOPs", f"{model} |"] for model in ("base", "base-self-r1", "base-self-r2")
    ]
    told: Any = answer_json(*planned)["rounds"]
    assert [each["round"] for each in told] == [1, 2, 3]
    assert sum(each["cells"][0]["amount"] for each in told) == pytest.approx(3 * (plan.amount or 0))
    assert told[2]["cells"] == [{"cell": "self@all", "unit": "flops", "amount": plan.amount, "models": ["base-self-r2"]}]


def test_a_dry_run_shows_them_too(tmp_path: Path) -> None:
    prepared, costs, plans, _ = dry_run(write(tmp_path))
    assert "| 3 | self@all |" in to_markdown(prepared, costs, plans)


def test_a_plan_of_one_round_says_nothing_of_rounds(tmp_path: Path) -> None:
    prepared, _, plans = plan_study(write_study(tmp_path))
    assert describe_rounds(prepared, plans) == ""
    assert rounds_json(prepared, plans) == {}


def test_all_rounds_together_are_held_against_the_limit(tmp_path: Path) -> None:
    study = write(tmp_path, n_problems=10)
    prepared, costs, _ = plan_study(study)
    once = costs["base"].worst.flops
    assert once is not None
    draws = 2 * len(prepared.problems["train"])

    def warning(amount: float) -> str:
        return format_limit_warning(*plan_study(study, [f"limit={{unit: flops, amount: {amount!r}}}"]))

    assert warning(3.01 * draws * once) == ""
    assert "the limit is " in warning(2.9 * draws * once)

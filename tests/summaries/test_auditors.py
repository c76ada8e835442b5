"""What a plan says of the model that audits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.costs.draws import cost_of
from isocost.judging.reasoning import judge_prompt
from isocost.records import CellPlan
from isocost.reporting.numbers import cost as format_cost
from isocost.running import dry_run, runs
from isocost.summaries.auditors import describe_auditor
from isocost.summaries.plans import to_markdown
from tests.builders import InlineExecutor
from tests.test_run_auditing import JUDGE, N, write_audited


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def planned(folder: Path, *settings: str, **changes: Any) -> Any:
    return dry_run(write_audited(folder, **changes), settings=[*JUDGE, *settings])[:3]


ARMS = {
    "weak": {"models": ["weak"], "samples_per_problem": 4, "curate": {"audit": "judge"}},
    "more": {"models": ["weak"], "samples_per_problem": 3},
    "strong": {"models": ["strong"], "samples_per_problem": 2},
}


def test_a_training_set_that_is_judged_is_in_the_calls_and_their_cost(tmp_path: Path) -> None:
    prepared, costs, plans = planned(tmp_path, "audit.max_tokens=100", "audit.per_model=5", arms=ARMS)
    text = describe_auditor(prepared, costs, plans)
    # 4 draws of weak for each problem, and the 5 of either model that the rate may take from other cells.
    calls = {"weak": 4 * N + 5, "strong": 5}
    prompts = [len(judge_prompt(problem, "").encode()) / 4 for problem in prepared.problems["train"]]
    flops = sum(
        number * (cost_of(prepared.cards["auditor"], prompt_tokens=sum(prompts) / N + costs[m].tokens, generated_tokens=100).flops or 0)
        for m, number in calls.items()
    )
    cost = format_cost(replace(plans[0].cost, flops=flops, usd=None, seconds=None))
    assert "It is also asked about every correct solution of weak@number: their training sets leave out" in text
    assert f"At most 90 calls, {cost}: every solution correct and as long as expected, prompts at 4 bytes per token" in text
    assert "replies at max_tokens (100)." in text
    assert text in to_markdown(prepared, costs, plans)
    arms = {name: {**arm, "curate": {"audit": "judge"}} for name, arm in ARMS.items()}
    assert "At most 120 calls" in describe_auditor(*planned(tmp_path, "audit.per_model=5", arms=arms))


def test_without_such_a_training_set_the_calls_are_those_of_the_rate(tmp_path: Path) -> None:
    prepared, costs, plans = planned(tmp_path)
    text = describe_auditor(prepared, costs, plans)
    assert f"At most {2 * N} calls, " in text
    assert "training sets" not in text


def test_counts_that_follow_from_a_pilot_are_not_guessed(tmp_path: Path) -> None:
    prepared, costs, plans = planned(tmp_path, arms=ARMS)
    waiting: list[CellPlan] = [replace(plan, samples_per_problem={}, at_most_per_problem={}) for plan in plans]
    assert "How many these are follows from the pilot." in describe_auditor(prepared, costs, waiting)

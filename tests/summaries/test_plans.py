"""A plan beside the study's limit."""

from pathlib import Path
from typing import Any

import pytest

from isocost.running import plan_study, runs
from isocost.summaries.plans import format_limit_warning, to_markdown
from tests.builders import InlineExecutor, write_study

PRICED = {"input": 0, "output": 1_000_000.0}  # a dollar a token


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def said(folder: Path, limit: float, *, tokens: int | None = None, **changes: Any) -> str:
    """What is said of a plan of 2 draws of one model for every problem, each of at most 64 tokens."""
    arms = {"weak": {"models": ["weak"], "samples_per_problem": 2}, "half": {"models": ["weak"], "samples_per_problem": 1}}
    study = write_study(folder, limit={"unit": "usd", "amount": limit}, budgets={}, arms=arms, sampling={"max_tokens": 64}, **changes)
    settings = [f"models.weak.price={{input: 0, output: {PRICED['output']}}}"]
    settings += [f"models.weak.tokens_per_sample={tokens}"] if tokens else []
    prepared, costs, plans = plan_study(study, settings)
    line = format_limit_warning(prepared, costs, plans)
    assert (line in to_markdown(prepared, costs, plans)) or not line
    return line.replace(f"${2 * 64 * len(prepared.problems['train']):,}.00", "MOST")


def test_a_plan_that_fits_says_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, 1e6) == ""


def test_a_length_that_nobody_declared_is_no_expectation(tmp_path: Path) -> None:
    assert said(tmp_path, 5) == "The plan costs up to MOST, every solution at max_tokens; the limit is $5.00: sampling stops there."


@pytest.mark.parametrize(
    ("limit", "end"), [(5, "sampling will stop there."), (500, "sampling stops there if solutions are longer than expected.")]
)
def test_expected_and_worst_are_told_apart(tmp_path: Path, limit: float, end: str) -> None:
    line = said(tmp_path, limit, tokens=8)
    assert line.startswith("The plan costs up to MOST at worst, expected $")
    assert line.endswith(f"the limit is ${limit}.00: {end}")


def test_a_realised_budget_is_its_own_worst(tmp_path: Path) -> None:
    budgets = {"b": {"unit": "usd", "amount": 200, "basis": "realised"}}
    study = write_study(
        tmp_path, limit={"unit": "usd", "amount": 150}, budgets=budgets, arms={"weak": {"models": ["weak"]}}, sampling={"max_tokens": 64}
    )
    settings = [f"models.weak.price={{input: 0, output: {PRICED['output']}}}", "models.weak.tokens_per_sample=8"]
    assert format_limit_warning(*plan_study(study, settings)).startswith("The plan costs up to $200.00 at worst, expected $")
    assert format_limit_warning(*plan_study(study, [*settings, "limit.amount=201"])) == ""

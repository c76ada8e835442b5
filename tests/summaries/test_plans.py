"""A plan beside the study's limit."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.running import plan_study, run, runs
from isocost.summaries.plans import below_one_draw, format_limit_warning, to_markdown
from tests.builders import InlineExecutor, recorded, write_study, write_table

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


def below_one(folder: Path, amount: float, basis: str, tokens: int = 8) -> tuple[str, Path, list[str]]:
    """What is said of a budget in dollars for 26 problems, at a dollar a token and 8 of at most 40 tokens."""
    budgets = {"b": {"unit": "usd", "amount": amount, "basis": basis}}
    study = write_study(
        folder, n_problems=26, n_samples=3, budgets=budgets, arms={"weak": {"models": ["weak"]}}, sampling={"max_tokens": 40}
    )
    settings = [f"models.weak.price={{input: 0, output: {PRICED['output']}}}", f"models.weak.tokens_per_sample={tokens}"]
    prepared, costs, plans = plan_study(study, settings)
    (line,) = below_one_draw(costs, plans, 26) or [""]
    assert line in to_markdown(prepared, costs, plans)
    return line, study, settings


def test_a_budget_below_a_draw_per_problem_is_told(tmp_path: Path) -> None:
    line, _, _ = below_one(tmp_path, 25 * 8, "planned")
    assert line.startswith("weak@b pays for 25 draws of weak, for 26 problems. Problems without a draw count as not covered: ")
    assert below_one(tmp_path, 26 * 8, "planned")[0] == ""


def test_a_realised_budget_of_a_draw_per_problem_is_told_to_buy_fewer(tmp_path: Path) -> None:
    line = below_one(tmp_path, 26 * 8, "realised")[0]
    assert line.startswith("weak@b may buy as few as 22 draws of weak, for 26 problems: basis: realised ends where one more draw of ")
    assert below_one(tmp_path, 30 * 8, "realised")[0] == ""
    assert below_one(tmp_path, 30 * 8 - 1, "realised")[0]


def test_the_fewest_draws_of_a_realised_budget_are_what_it_buys_at_the_expected_length(tmp_path: Path) -> None:
    _, study, settings = below_one(tmp_path, 26 * 8, "realised")
    rows = [row | {"num_generated_tokens": 8} for row in recorded(26, 3)]
    write_table(tmp_path, rows)
    run(study, tmp_path / "run", settings=[*settings, "models.strong.price={input: 0, output: 1}"])
    assert len(pl.read_parquet(tmp_path / "run" / "samples.parquet")) == 22


@pytest.mark.parametrize(
    ("basis", "tokens", "is_told"), [("realised", None, True), ("realised", 8, False), ("planned", None, False), ("planned", 8, False)]
)
def test_a_realised_budget_buys_more_than_solutions_of_max_tokens(tmp_path: Path, basis: str, tokens: int | None, is_told: bool) -> None:
    budgets = {"b": {"unit": "usd", "amount": 26 * 128 * 2, "basis": basis}}
    arms = {"weak": {"models": ["weak"]}}
    study = write_study(tmp_path, n_problems=26, n_samples=30, budgets=budgets, arms=arms, sampling={"max_tokens": 128})
    settings = [
        f"models.weak.price={{input: 0, output: {PRICED['output']}}}",
        *([f"models.weak.tokens_per_sample={tokens}"] if tokens else []),
    ]
    told = 'Counts are for solutions of max_tokens: where they are shorter, "b" (basis: realised) buys more of them.'
    prepared, costs, plans = plan_study(study, settings)
    assert (told in to_markdown(prepared, costs, plans)) == is_told
    if is_told:
        bought = pl.read_parquet(run(study, tmp_path / "run", settings=settings).directory / "samples.parquet").height
        assert bought > sum(plans[0].samples_per_problem.values()) * 26

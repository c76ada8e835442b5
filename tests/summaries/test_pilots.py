"""Plans of studies whose pilot has not run."""

import json
from pathlib import Path
from typing import Any

import pytest

from isocost.errors import BudgetError, StudyError
from isocost.events import Note, StageProgress
from isocost.planning import to_json
from isocost.running import dry_run, plan_study, run, runs
from isocost.summaries.pilots import pilot_json
from isocost.summaries.plans import to_markdown
from tests.builders import MAX_TOKENS, InlineExecutor, nested, raw_study, write_study

PILOT = {"problems": 100, "samples_per_problem": 2}  # the study has 30 problems
LENGTHS = ["models.weak.tokens_per_sample=20", "models.strong.tokens_per_sample=30"]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the table of cells, by cell."""
    cells = (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|") and "@" in line.split(" | ")[0])
    return {name: rest for name, *rest in cells}


def test_counts_follow_from_a_pilot_that_has_not_run(tmp_path: Path) -> None:
    text = to_markdown(*plan_study(write_study(tmp_path, pilot=PILOT)))
    assert set(rows(text)) == {"equal@number"}
    assert "weak@low and strong@low may spend the cost of 2 strong samples per problem each. How many samples that buys follows" in text
    assert rows(text)["equal@number"][:4] == ["number-matched", "weak", "2", "60"]
    assert "The pilot draws 2 samples of each of 30 problems from weak and strong and costs at most 30.7 MFLOPs" in text
    assert "Counts" not in text
    assert "would add" not in text


def test_an_amount_that_is_given_is_shown(tmp_path: Path) -> None:
    budgets = {"low": {"unit": "flops", "amount": 1e9}}
    text = to_markdown(*plan_study(write_study(tmp_path, pilot=PILOT, budgets=budgets)))
    assert "weak@low and strong@low may spend 1.0 GFLOPs each." in text
    assert "may cost more" not in text
    small = to_markdown(*plan_study(write_study(tmp_path, pilot=PILOT, budgets={"low": {"unit": "flops", "amount": 1e7}})))
    warning = "The pilot may cost more than a budget: at max_tokens it takes 23.0 MFLOPs of the 10.0 MFLOPs of strong@low, and"
    assert f"is charged for them. {warning}" in small


def test_a_run_warns_before_a_pilot_that_may_cost_more_than_a_budget(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, pilot=PILOT, budgets={"low": {"unit": "flops", "amount": 2e7}}), tmp_path / "run"
    heard: list[str] = []

    def listen(event: StageProgress | Note) -> None:
        if isinstance(event, Note):
            assert event.loud
            assert not (out / "ledger.jsonl").exists(), "before the first draw is paid for"
            heard.append(event.text)

    run(study, out, listener=listen)
    assert len(heard) == 1
    assert heard[0].startswith("The pilot may cost more than a budget: at max_tokens it takes 23.0 MFLOPs of the 20.0 MFLOPs of strong@low")
    again: list[str] = []
    run(study, out, listener=lambda event: again.append(event.text) if isinstance(event, Note) and event.loud else None)
    assert again == [], "its cost is known now"


def test_a_length_declared_for_one_model_alone_is_taken(tmp_path: Path) -> None:
    text = to_markdown(*dry_run(write_study(tmp_path, pilot=PILOT), [LENGTHS[0], "costs.prompt_tokens=each"])[:3])
    assert "| 20 (declared) |" in text
    assert "| 64 (until piloted, max_tokens), after a prompt of at most " in text


def test_declared_lengths_are_planned_with_and_the_pilot_is_paid_from_each_budget(tmp_path: Path) -> None:
    study = write_study(tmp_path, pilot={"problems": 10, "samples_per_problem": 4})
    text = to_markdown(*plan_study(study, LENGTHS))
    assert rows(text)["weak@low"][2:4] == ["9", "270"]
    assert "from weak and strong and costs 8.8 MFLOPs (weak 1.6 MFLOPs, strong 7.2 MFLOPs). A cell" in text
    with pytest.raises(BudgetError, match="does not pay for"):
        plan_study(study, [*LENGTHS, "pilot.samples_per_problem=10"])


@pytest.mark.parametrize(("problems", "share"), [(2, ""), (9, "37% of best@low")])
def test_a_pilot_that_takes_much_of_a_cell_in_which_outcomes_decide_is_told(tmp_path: Path, problems: int, share: str) -> None:
    arms = {"strong": {"models": ["strong"]}, "best": {"models": ["weak", "strong"], "policy": "adaptive"}}
    study = write_study(tmp_path, pilot={"problems": problems, "samples_per_problem": 2}, arms=arms)
    text = to_markdown(*plan_study(study, LENGTHS))
    assert ("only the rest goes where the outcomes say" in text) == bool(share)
    assert f"It takes {share}: only" in text or not share
    assert "strong@low:" not in text


def test_the_json_object_has_the_pilot_and_the_keys_of_a_plan(tmp_path: Path) -> None:
    prepared, costs, plans = plan_study(write_study(tmp_path, pilot=PILOT))
    found = json.loads(json.dumps(to_json(plans) | pilot_json(prepared, costs)))
    unknown = {"flops": None, "usd": None, "seconds": None}
    choices = [{"name": arm, "samples_per_problem": {}, "cost": unknown, "coverage": None} for arm in ("weak", "strong")]
    assert found["budgets"] == {"low": {"unit": "flops", "amount": None, "choices": choices}}
    cost = {name: {"flops": 60.0 * flops * MAX_TOKENS, "usd": None, "seconds": None} for name, flops in (("weak", 2000), ("strong", 6000))}
    assert found["pilot"] == {"problems": 30, "samples_per_problem": 2, "cost": cost}
    assert pilot_json(*plan_study(write_study(tmp_path))[:2]) == {}


def test_a_cost_that_no_pilot_makes_known_is_refused_before_the_pilot_is_bought(tmp_path: Path) -> None:
    raw: dict[str, Any] = nested(raw_study(pilot=PILOT), "models", "weak", "params", value=None)
    study = write_study(tmp_path, **raw)
    with pytest.raises(BudgetError, match=r"the cost of model weak in flops is not known\n  give models\.weak\.params"):
        run(study, tmp_path / "run")
    assert not (tmp_path / "run" / "ledger.jsonl").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pilot": {"problems": 21, "samples_per_problem": 3}}, "strong@low: a budget of 60 draws of strong .* which draws 63 of them"),
        (
            {"budgets": {"low": {"unit": "flops", "amount": 1e5}}},
            r"weak@low: a budget of 100\.0 KFLOPs .*, which costs at least 120\.0 KFLOPs",
        ),
    ],
)
def test_a_budget_that_no_pilot_fits_is_refused_before_the_pilot_is_bought(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    study = write_study(tmp_path, **{"pilot": PILOT, **changes})
    for start in (plan_study, dry_run, lambda path: run(path, tmp_path / "run")):
        with pytest.raises(BudgetError, match=f"{message}\n  raise the budget, or lower pilot.samples_per_problem or pilot.problems"):
            start(study)
    assert not (tmp_path / "run" / "ledger.jsonl").exists()


def test_few_shared_prompts_may_fit_a_budget_of_fewer_draws(tmp_path: Path) -> None:
    pilot = {"problems": 7, "samples_per_problem": 9}  # 63 draws of the 60 that the budget is for, for 7 of its 30 prompts
    study = write_study(tmp_path, pilot=pilot)
    with pytest.raises(BudgetError, match="does not pay for the pilot"):
        plan_study(study)
    assert plan_study(study, ["costs.prompt_tokens=shared"])[2][1].awaits_pilot


def test_a_policy_of_one_s_own_is_imported_before_the_pilot_is_bought(tmp_path: Path) -> None:
    arms = {"own": {"policy": "nowhere:Policy", "models": ["weak"]}}
    with pytest.raises(StudyError, match="nowhere:Policy cannot be imported"):
        plan_study(write_study(tmp_path, pilot=PILOT, arms=arms))


def test_a_pilot_that_costs_more_than_the_draws_that_a_budget_matches_is_told_before_it_is_bought(tmp_path: Path) -> None:
    """Two samples of both models for the price of two of the strong one; the arm of one model has enough."""
    arms = {"weak": {"models": ["weak"]}, "best": {"models": ["weak", "strong"], "policy": "adaptive"}}
    study = write_study(tmp_path, pilot=PILOT, arms=arms)
    prepared, costs, plans = plan_study(study)
    text = to_markdown(prepared, costs, plans)
    assert "The pilot may cost more than a budget: at max_tokens it takes 30.7 MFLOPs of the 23.0 MFLOPs of best@low, and" in text
    enough = {"low": {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 3}}}
    assert "may cost more" not in to_markdown(*plan_study(write_study(tmp_path, pilot=PILOT, arms=arms, budgets=enough)))

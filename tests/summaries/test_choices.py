"""Plans with a pilot that has run: what each choice is predicted to bring."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.amounts import duration
from isocost.errors import InputError, LimitReachedError
from isocost.measuring.rundirs import facts_of
from isocost.planning import to_json
from isocost.policies.base import Coverage, KeptPerProblem
from isocost.predicting import predict
from isocost.running import plan_from_pilot, run, runs
from isocost.summaries.choices import ChoiceForecast
from isocost.summaries.choicetext import choices_json, choices_markdown
from isocost.summaries.plans import answer_markdown
from isocost.summaries.status import status_of
from tests.builders import InlineExecutor, recorded, write_study

ARMS = {
    "weak": {"models": ["weak"]},
    "strong": {"models": ["strong"]},
    "both": {"policy": "mixed", "models": ["weak", "strong"]},
    "most": {"policy": "mixed", "models": ["weak", "strong"], "shares": {"weak": 3, "strong": 1}},
    "best": {"policy": "adaptive", "models": ["weak", "strong"]},
}
BUDGETS = {"low": {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 6}}}
PILOT = {"problems": 10, "samples_per_problem": 4}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def piloted_study(folder: Path, **changes: Any) -> tuple[Path, Path]:
    """The study, and a table with four graded draws of each model for its first 20 problems."""
    study = write_study(folder, **{"arms": ARMS, "budgets": BUDGETS, "n_samples": 40, **changes})
    rows = recorded(20, 4)
    for row in rows:
        row["correct"] = int(str(row["generation"]).split("#### ")[1]) == int(str(row["problem_id"])[1:]) + 7
    pl.DataFrame(rows).write_parquet(folder / "pilot.parquet")
    return study, folder / "pilot.parquet"


def forecast_of(study: Path, **more: Any) -> ChoiceForecast:
    found = plan_from_pilot(study, **more)[3]
    assert found is not None
    return found


def test_the_choices_are_forecast_for_all_problems_of_the_study(tmp_path: Path) -> None:
    study, table = piloted_study(tmp_path)
    _, costs, plans, found = plan_from_pilot(study, table=table)
    assert found is not None
    assert {each.tokens_are for each in costs.values()} == {"piloted"}
    assert plans[1].samples_per_problem == {"strong": 6.0}
    (one,) = found.budgets
    assert {choice.name for choice in one.comparison.choices} == {"weak", "strong", "weak+strong", "adaptive"}
    assert {choice.value.n for choice in one.comparison.choices} == {30}
    assert {each.piloted for each in one.comparison.differences} == {20}
    assert {cell.arm for cell in found.coverage} == {"weak", "strong", "both", "best"}  # no choice has the shares of `most`
    strong = one.costs["strong"]
    assert strong[0].flops == pytest.approx(plans[1].amount)
    assert (strong[1].flops or 0) < (strong[0].flops or 0) < (strong[2].flops or 0)
    assert strong[0].usd is None


def test_the_text_has_one_table_and_one_recommendation(tmp_path: Path) -> None:
    study, table = piloted_study(tmp_path)
    lines = choices_markdown(forecast_of(study, table=table)).splitlines()
    head = next(line for line in lines if line.startswith("| choice"))
    assert head == "| choice | samples per problem | covered | kept, at most 4 | FLOPs | best choice minus this one |"
    assert len([line for line in lines if line.startswith("| ")]) == 6
    assert len([line for line in lines if line.startswith("At ")]) == 1
    assert "Nothing was bought." in lines[0]
    assert "each of 20 problems" in lines[0]


def test_what_needs_more_than_is_recorded_is_left_out(tmp_path: Path) -> None:
    study, table = piloted_study(tmp_path, n_samples=8)
    found = forecast_of(study, table=table)
    (comparison,) = (one.comparison for one in found.budgets)
    assert comparison.left_out == ("weak", "weak+strong")  # 18 and 9 draws of weak per problem
    assert {choice.name for choice in comparison.choices} == {"strong", "adaptive"}
    adaptive = next(choice for choice in comparison.choices if choice.name == "adaptive")
    assert max(adaptive.draws.values()) <= 8
    assert "more samples of a problem than are recorded: weak, weak+strong." in choices_markdown(found)


@pytest.mark.slow
def test_the_field_of_difficulty_of_the_arms_is_used_if_it_is_one(tmp_path: Path) -> None:
    def forecast_with(**fields: str) -> ChoiceForecast:
        arms = {name: {"policy": "adaptive", "models": ["weak", "strong"], "difficulty": field} for name, field in fields.items()}
        study, table = piloted_study(tmp_path, arms=arms)
        lines = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
        texts = [json.dumps({**line, "level": i % 3, "size": i}) for i, line in enumerate(lines)]
        (tmp_path / "problems.jsonl").write_text("\n".join(texts) + "\n")
        return forecast_of(study, table=table)

    one, two = forecast_with(a="level"), forecast_with(a="level", b="size")
    question = one.budgets[0].prediction.forecast.question
    assert question.labels == {f"p{i:02d}": float(i % 3) for i in range(30)}
    assert two.budgets[0].prediction.forecast.question.labels == {}


@pytest.mark.slow
def test_a_run_that_stopped_after_its_pilot_is_forecast_from(tmp_path: Path) -> None:
    study, _ = piloted_study(tmp_path, pilot=PILOT)
    out = tmp_path / "run"
    with pytest.raises(LimitReachedError):
        run(study, out, settings=["limit={unit: flops, amount: 3.5e7}"], until="sample")
    (out / "samples.parquet").unlink()  # a run that is killed leaves none
    stopped, alone = forecast_of(study, out=out).pilot.pilots, predict(out, pilot=None, objective=Coverage(), policies=())
    run(study, out, until="sample")
    finished = forecast_of(study, out=out).pilot.pilots
    for one, other, third in zip(stopped.models, finished.models, alone.pilots.models, strict=True):
        assert one.pilot.model == other.pilot.model == third.pilot.model
        assert dict(zip(one.pilot.problem_ids, one.pilot.successes.tolist(), strict=True)) == dict(
            zip(other.pilot.problem_ids, other.pilot.successes.tolist(), strict=True)
        )
        assert len(one.pilot.solution_count) == len(other.pilot.solution_count)
        assert third.is_fixed
        assert third.cost is not None
    assert alone.pilots.unit == "flops"
    assert "The run has not finished sampling: the forecast is from its pilot alone." in alone.notes


def test_the_pilot_is_bought_alone_and_kept_by_the_run(tmp_path: Path) -> None:
    study, _ = piloted_study(tmp_path, pilot=PILOT)
    out = tmp_path / "run"
    run(study, out, until="pilot")
    bought = pl.read_parquet(out / "samples.parquet")
    assert bought.group_by("model").len().sort("model").rows() == [("strong", 40), ("weak", 40)]
    assert bought["correct"].null_count() == 0
    assert not (out / "arms").exists()
    facts = facts_of(out)
    assert facts is not None
    assert "isocost sample" in facts.doubt()
    # All draws of a pilot are fixed beforehand, though an arm of the study draws by outcomes.
    assert {model: sum(own.values()) for model, own in facts.first.items()} == {"weak": 40, "strong": 40}
    asked = forecast_of(study, out=out).pilot.pilots
    assert {each.pilot.model: int(each.pilot.draws.sum()) for each in asked.models} == {"weak": 40, "strong": 40}
    run(study, out, until="sample")
    after = pl.read_parquet(out / "samples.parquet")
    columns = ["problem_id", "model", "sample_index", "generation"]
    assert bought.select(columns).join(after.select(columns), on=columns, how="anti").is_empty()


@pytest.mark.slow
def test_buying_the_pilot_of_a_run_that_has_more_changes_nothing(tmp_path: Path) -> None:
    study, _ = piloted_study(tmp_path, pilot=PILOT)
    out = tmp_path / "run"
    run(study, out, until="sample")
    before, cells = (out / "samples.parquet").read_bytes(), status_of(out)["cells"]
    run(study, out, until="pilot")
    assert (out / "samples.parquet").read_bytes() == before
    assert status_of(out)["cells"] == cells
    assert sum(cell["samples"] for cell in cells) > 80


def test_a_study_without_a_pilot_has_none_to_buy(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    with pytest.raises(InputError, match=r"study\.yaml: it has no pilot to buy\n  add one: pilot: "):
        run(study, tmp_path / "run", until="pilot")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_json_fills_the_coverage_of_arms_that_are_among_the_choices(tmp_path: Path) -> None:
    study, table = piloted_study(tmp_path)
    _, _, plans, found = plan_from_pilot(study, table=table)
    assert found is not None
    made = json.loads(json.dumps(to_json(plans, found.coverage) | choices_json(found), allow_nan=False))
    coverage = {choice["name"]: choice["coverage"] for choice in made["budgets"]["low"]["choices"]}
    entry = made["forecast"]["budgets"]["low"]
    by_name = {choice["name"]: choice for choice in entry["choices"]}
    assert coverage["most"] is None
    assert coverage["weak"] == by_name["weak"]["covered"] == by_name["weak"]["value"]
    assert coverage["best"] == by_name["adaptive"]["covered"]
    assert set(by_name["weak"]["cost"]["flops"]) == {"value", "low", "high"}
    assert by_name["weak"]["kept"]["value"] > 1
    assert made["forecast"]["objective"] == "coverage"
    assert entry["verdict"]


@pytest.mark.slow
def test_an_objective_of_the_arms_ranks_the_choices(tmp_path: Path) -> None:
    arms = {**ARMS, "best": {**ARMS["best"], "objective": {"kept_per_problem": 2}}}
    study, table = piloted_study(tmp_path, arms=arms)
    found = forecast_of(study, table=table)
    assert found.objective == found.kept == KeptPerProblem(2)
    (one,) = found.budgets
    values = [choice.value.value or 0 for choice in one.comparison.choices]
    assert values == sorted(values, reverse=True)
    assert max(values) > 1
    assert all((estimate.value or 0) <= 1 for estimate in found.coverage.values())


def test_choices_count_sound_solutions_where_the_arms_state_false_positive_rates(tmp_path: Path) -> None:
    arms = {
        "weak": {"models": ["weak"]},
        "best": {"policy": "adaptive", "models": ["weak", "strong"], "false_positive_rates": {"weak": 0.5}},
    }
    study, table = piloted_study(tmp_path, arms=arms)
    found = forecast_of(study, table=table)
    text = choices_markdown(found)
    assert text.count("of the correct ones, 50% of those of weak are taken as unsound.") == 1
    assert "| covered by a sound solution | kept and sound, at most 4 | FLOPs |" in text
    data = json.loads(json.dumps(choices_json(found)))["forecast"]
    assert (data["counts"], data["false_positive_rates"]) == ("sound", {"weak": 0.5})
    (one,) = found.budgets
    sound, correct = one.measured(Coverage()), one.correct(Coverage())
    assert (sound["weak"].value or 1) < (correct["weak"].value or 0)
    assert sound["strong"] == correct["strong"]
    # The coverage of a cell is what its run will measure.
    assert {cell.arm: estimate for cell, estimate in found.coverage.items()} == {"weak": correct["weak"], "best": correct["adaptive"]}


@pytest.mark.slow
def test_arms_that_state_different_rates_leave_the_choices_undiscounted_with_a_note(tmp_path: Path) -> None:
    best = {"policy": "adaptive", "models": ["weak", "strong"]}
    arms = {"plain": best, "audited": {**best, "false_positive_rates": {"weak": 0.1}}}
    study, table = piloted_study(tmp_path, arms=arms)
    found = forecast_of(study, table=table)
    assert found.false_positive_rates == {}
    text = choices_markdown(found)
    assert "| covered | kept, at most 4 |" in text
    assert "The arms plain and audited state different false positive rates of weak, 0 and 0.1: the choices count correct" in text


@pytest.mark.slow
def test_the_studys_own_run_is_the_pilot_and_another_folder_is_none(tmp_path: Path) -> None:
    study, _ = piloted_study(tmp_path, pilot=PILOT)
    out = tmp_path / "run"
    run(study, out, until="sample")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    found = forecast_of(study, out=out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert [len(each.pilot.problem_ids) for each in found.pilot.pilots.models] == [10, 10]
    assert found.pilot.pilots.draws == 4
    assert all(each.is_fixed for each in found.pilot.pilots.models)  # although the arm `best` goes on by outcomes
    assert plan_from_pilot(study, out=tmp_path / "none")[3] is None


def test_a_table_that_lacks_a_model_or_tokens_is_refused_in_one_line(tmp_path: Path) -> None:
    study, table = piloted_study(tmp_path)
    rows = pl.read_parquet(table)
    rows.filter(pl.col("model") == "weak").write_parquet(table)
    with pytest.raises(InputError, match=r"pilot\.parquet: has no draw of model strong for the training problems of the study\n"):
        plan_from_pilot(study, table=table)
    rows.drop("num_generated_tokens").write_parquet(table)
    with pytest.raises(InputError, match=r"the tokens of draws of model weak are unknown\n"):
        plan_from_pilot(study, table=table)
    rows.drop("num_prompt_tokens").write_parquet(table)
    with pytest.raises(InputError, match="the length of prompts to model weak is unknown, and they are counted\n"):
        plan_from_pilot(study, ["costs.prompt_tokens=each"], table=table)


def test_a_policy_whose_pilot_costs_more_than_the_budget_is_left_out(tmp_path: Path) -> None:
    study, table = piloted_study(tmp_path)
    found = plan_from_pilot(study, ["budgets.low.match.samples_per_problem=2"], table=table)[3]
    assert found is not None
    assert {choice.name for choice in found.budgets[0].comparison.choices} == {"weak", "strong", "weak+strong"}
    assert "Left out, because the budget does not pay for a pilot of all models first: adaptive." in choices_markdown(found)


def test_draws_that_share_a_request_are_forecast_at_the_price_of_their_requests(tmp_path: Path) -> None:
    endpoint = {"engine": "openai", "base_url": "http://127.0.0.1:9/v1", "price": {"input": 2.0, "output": 1.0}, "prompt_tokens": 60}
    models = {"weak": {**endpoint, "model": "a", "n": 4}, "strong": {**endpoint, "model": "b"}}
    changes = {"models": models, "arms": {name: {"models": [name]} for name in models}, "prompt": {"form": "{question}", "chat": True}}
    study, table = piloted_study(tmp_path, **changes, budgets={"low": {"unit": "usd", "amount": 0.12}})
    _, _, plans, found = plan_from_pilot(study, table=table)
    assert found is not None
    (one,) = found.budgets
    for plan in plans:
        (choice,) = [choice for choice in one.comparison.choices if choice.name == plan.cell.arm]
        assert choice.draws[plan.cell.arm] == pytest.approx(plan.samples_per_problem[plan.cell.arm], abs=1 / 30)
        assert one.costs[plan.cell.arm][0].usd == pytest.approx(0.12, rel=0.01)
    draws = {plan.cell.arm: plan.samples_per_problem[plan.cell.arm] for plan in plans}
    assert draws["weak"] > 1.5 * draws["strong"]


def test_the_time_of_the_draws_after_the_pilot_follows_from_its_rate(tmp_path: Path) -> None:
    """Cells share draws, so the largest fixed one of each model counts; one in which outcomes decide counts as its longest way."""
    study, _ = piloted_study(tmp_path, pilot=PILOT)
    out = tmp_path / "run"
    run(study, out, until="pilot")
    progress = json.loads((out / "progress.json").read_text())
    (out / "progress.json").write_text(json.dumps(progress | {"tokens_per_second": 0.5}))
    prepared, costs, plans, found = plan_from_pilot(study, out=out)
    assert found is not None
    assert found.pilot.tokens_per_second == 0.5
    by_arm = {plan.cell.arm: plan for plan in plans}
    fixed = {model: max(each.samples_per_problem.get(model, 0) for each in plans) * 30 - 40 for model in costs}
    open_cell = max(each * 30 * costs[model].tokens for model, each in by_arm["best"].at_most_per_problem.items())
    seconds = (sum(draws * costs[model].tokens for model, draws in fixed.items()) + open_cell) / 0.5
    assert f"At the pilot's 0 tokens/s the draws after it take up to {duration(seconds)}." in answer_markdown(prepared, costs, plans, found)
    fast = replace(found, pilot=replace(found.pilot, tokens_per_second=1e6))
    assert "tokens/s" not in answer_markdown(prepared, costs, plans, fast)
    run(study, out, until="sample")
    assert forecast_of(study, out=out).pilot.tokens_per_second is None

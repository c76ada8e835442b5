"""Whole runs with a policy that observes outcomes, over several models."""

import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.engines.batching import SMALLEST
from isocost.errors import BudgetError, LimitReachedError, StudyError
from isocost.ids import seeded_choice
from isocost.measuring import survey_file
from isocost.predicting.pilots import read_pilots
from isocost.running import Note, StageProgress, run, runs
from isocost.summaries.status import status_of, to_text
from tests.builders import InlineExecutor, recorded, write_study, write_table
from tests.running.adaptive import AMOUNT, ARMS, BEST, answered, best, drawn, flops, measures, realised, rounds, stored, with_levels

WEAK = 64 * 2000.0  # a draw of each model, as planned
STRONG = 64 * 6000.0


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


def planned(counts: dict[tuple[str, str], int]) -> float:
    return sum(n * (WEAK if model == "weak" else STRONG) for (_, model), n in counts.items())


@pytest.mark.slow
def test_a_cell_of_two_models_stops_at_what_it_wants_within_its_budget(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms=best())
    run(study, out, until="sample")
    counts = drawn(out)
    assert {model for _, model in counts} == {"weak", "strong"}
    assert counts == stored(out)
    assert planned(counts) <= AMOUNT
    assert len(rounds(out)) > 3
    before = [(out / name).read_bytes() for name in ("ledger.jsonl", "samples.parquet", "arms/best@low/rounds.jsonl")]
    run(study, out, until="sample")
    assert [(out / name).read_bytes() for name in ("ledger.jsonl", "samples.parquet", "arms/best@low/rounds.jsonl")] == before


def test_the_plan_names_the_amount_and_the_most_draws_of_each_model(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, arms=best()), out, until="sample")
    (choice,) = json.loads((out / "plan.json").read_text())["budgets"]["low"]["choices"]
    assert choice["samples_per_problem"] == {}
    assert choice["at_most_per_problem"] == {"weak": 6.0, "strong": 2.0}
    assert choice["cost"] == {"flops": AMOUNT, "usd": None, "seconds": None}
    (cell,) = status_of(out)["cells"]
    assert (cell["planned"], cell["samples"]) == (AMOUNT, sum(drawn(out).values()))
    assert "best@low" in to_text(status_of(out))


def test_killed_by_the_limit_it_resumes_to_the_same_draws(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms=best(objective={"kept_per_problem": 3}))
    run(study, tmp_path / "whole", until="sample")
    whole = drawn(tmp_path / "whole")
    for share in (0.1, 0.3):
        limit = f"limit={{unit: flops, amount: {share * AMOUNT}}}"
        with pytest.raises(LimitReachedError):
            run(study, out, settings=[limit], until="sample")
    begun = rounds(out)
    run(study, out, until="sample")
    assert rounds(out)[: len(begun)] == begun
    assert len(begun) > 1
    assert drawn(out) == whole == stored(out)


def test_small_rounds_are_spread_over_the_workers_and_a_fixed_plan_is_not(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InlineExecutor, "workers", 3)
    study = write_study(tmp_path, arms={**ARMS, "best": {**BEST, "objective": {"kept_per_problem": 9}}})
    run(study, tmp_path / "fixed", settings=["arms={weak: {models: [weak]}}"], until="sample")
    assert batches(tmp_path / "fixed") == [180]
    run(study, out, settings=["arms={best: {policy: adaptive, models: [weak], objective: {kept_per_problem: 9}}}"], until="sample")
    assert sum(batches(out)) == stored(out).total()
    assert max(batches(out)) < 2 * SMALLEST
    before = (out / "ledger.jsonl").read_bytes()
    monkeypatch.setattr(InlineExecutor, "workers", 1)
    run(study, out, settings=["arms={best: {policy: adaptive, models: [weak], objective: {kept_per_problem: 9}}}"], until="sample")
    assert (out / "ledger.jsonl").read_bytes() == before


def batches(out: Path) -> list[int]:
    """Return the draws of each batch that was answered."""
    lines = map(json.loads, (out / "ledger.jsonl").read_text().splitlines())
    return [line["count"] for line in lines if line["event"] == "done"]


def test_a_start_that_goes_on_expects_what_the_last_one_did(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms={**ARMS}, pilot={"problems": 10, "samples_per_problem": 2})
    with pytest.raises(LimitReachedError):
        run(study, out, settings=[f"limit={{unit: flops, amount: {0.8 * AMOUNT}}}"], until="sample")
    heard: list[StageProgress] = []
    run(study, out, until="sample", listener=lambda event: heard.append(event) if isinstance(event, StageProgress) else None)
    first, *_, last = [(event.done, event.total) for event in heard if event.stage == "sample"]
    assert 40 <= first[0] < first[1]
    assert first[1] == pytest.approx(last[0], rel=0.05)  # planned, and drawn


@pytest.mark.slow
def test_another_grader_keeps_the_recorded_rounds_and_buys_no_draw_that_no_cell_has(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms=best())
    run(study, out, until="sample")
    first = rounds(out)
    run(study, out, settings=["grader={name: 'tests.running.adaptive:Boxed'}"], until="sample")
    assert not pl.read_parquet(out / "samples.parquet")["correct"].any()
    assert rounds(out)[: len(first)] == first
    assert len(rounds(out)) > len(first)
    assert drawn(out) == stored(out)
    assert AMOUNT - STRONG < planned(drawn(out)) <= AMOUNT


@pytest.mark.parametrize("basis", ["planned", "realised"])
def test_budgets_in_dollars(tmp_path: Path, out: Path, basis: str) -> None:
    prices = {"weak": {"input": 0, "output": 1}, "strong": {"input": 0, "output": 3}}
    models = {name: {"engine": "replay", "table": "table.parquet", "model": name, "price": price} for name, price in prices.items()}
    budgets = {"low": {"unit": "usd", "amount": 0.004, "basis": basis}}
    run(write_study(tmp_path, arms=best(objective={"kept_per_problem": 4}), models=models, budgets=budgets), out, until="sample")
    rows = pl.read_parquet(out / "samples.parquet")
    assert rows["cost_unit"].unique().to_list() == ["usd"]
    assert drawn(out) == stored(out)
    if basis == "realised":
        assert 0.004 - 3 * 64e-6 < rows["cost"].sum() <= 0.004


@pytest.mark.slow
def test_realised_budgets_are_kept_at_the_worst_case(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, arms=best(objective={"kept_per_problem": 9}), budgets=realised()), out, until="sample")
    assert AMOUNT - STRONG < flops(out, drawn(out)) <= AMOUNT


def test_a_pilot_is_observed_and_paid_first(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, arms=best(), pilot={"problems": 10, "samples_per_problem": 2}), out, until="sample")
    pilot = {(problem, model): 2 for problem, model in stored(out) if model == "strong" and stored(out)[problem, model] == 2}
    assert len(pilot) >= 9  # a solved problem of the pilot gets nothing more
    for allocations in rounds(out):
        assert all(first >= 2 for problem, model, first, _ in allocations if (problem, "strong") in pilot and model == "weak")


@pytest.mark.slow
@pytest.mark.parametrize(("chance", "covered"), [(0.0, 0), (1.0, 30)])
def test_a_pilot_without_success_and_one_without_failure(tmp_path: Path, out: Path, chance: float, covered: int) -> None:
    study = write_study(tmp_path, arms=best(), pilot={"problems": 10, "samples_per_problem": 2})
    write_table(tmp_path, answered(recorded(30, 12), {"weak": chance, "strong": chance}))
    run(study, out, until="sample")
    rows = pl.read_parquet(out / "samples.parquet")
    assert rows.filter("correct")["problem_id"].n_unique() == covered
    if not covered:
        assert rounds(out)  # what is left of the money is spent, as the next draw may succeed


@pytest.mark.slow
def test_a_table_with_too_few_draws_ends_the_cell(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, n_samples=3, arms=best(), budgets={"low": {"unit": "flops", "amount": 1e9}})
    rows = [row for row in recorded(30, 3) if (row["model"], row["problem_id"]) != ("strong", "p00")]
    write_table(tmp_path, answered(rows, {"weak": 0.0, "strong": 0.0}))
    run(study, out, until="sample")
    assert drawn(out) == stored(out) == {(f"p{i:02d}", m): 3 for i in range(30) for m in ("weak", "strong") if (i, m) != (0, "strong")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budgets": {"low": {"unit": "flops", "amount": 10}}}, r"a budget of 10\.0 FLOPs does not pay for one draw of model weak"),
        (
            {"budgets": {"low": {"unit": "flops", "amount": 2e5}}, "pilot": {"problems": 9, "samples_per_problem": 2}},
            "does not pay for the pilot, which cost .*\n  raise the budget, or lower pilot.samples_per_problem or pilot.problems",
        ),
        ({"arms": best(objective={"mixed_groups": 13})}, "the objective needs more draws of one model for a problem than"),
    ],
)
def test_a_budget_that_buys_nothing_is_one_clear_line(tmp_path: Path, out: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BudgetError, match=message):
        run(write_study(tmp_path, **{"arms": best(), **changes}), out, until="sample")


def test_problems_without_a_difficulty_are_named_and_count_as_unknown(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms=best(difficulty="level"))
    with_levels(tmp_path, {i: f"Level {i % 5}" for i in range(3, 30)} | {0: "hard"})
    events: list[StageProgress | Note] = []
    run(study, out, until="sample", listener=events.append)
    notes = [event.text for event in events if isinstance(event, Note)]
    said = 'arms.best.difficulty: 3 of 30 problems have no number in "level" (first: p00); they count as of unknown difficulty'
    assert said in notes
    assert drawn(out) == stored(out)


def test_a_difficulty_that_no_problem_has_is_refused(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms=best(difficulty="levle"))
    with_levels(tmp_path, {0: "Level 3"})
    with pytest.raises(StudyError, match='no training problem has a number in a field "levle"\n  did you mean "level"'):
        run(study, out)
    assert not out.exists()


@pytest.mark.slow
def test_measures_of_an_adaptive_arm_beside_fixed_ones(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, arms=ARMS), out)
    found, fixed = measures(out), measures_of_fixed_arms(tmp_path)
    assert set(found["cells"]["best@low"]) >= {"covered", "kept_per_problem", "n_samples", "n_kept"}
    assert not [name for name in found["cells"]["best@low"] if "@" in name]
    # Draws of the adaptive arm beyond the fixed ones change nothing at k.
    at_k = {name: value for name, value in fixed["models"]["weak"].items() if "@" in name}
    assert {name: found["models"]["weak"][name] for name in at_k} == at_k
    surveyed = survey_file(out, [1, 2, 3, 5])
    assert {name: asdict(surveyed.measures["weak"][name])["value"] for name in at_k} == {name: each["value"] for name, each in at_k.items()}
    assert surveyed.curves["weak"]
    assert any(re.match(r"weak: from the 180 of its 1\d\d draws that do not depend on outcomes", line) for line in surveyed.warnings)
    assert stored(out).total() > 30 * 8
    piloted = read_pilots(out, None)
    assert {each.pilot.model: int(each.pilot.draws.sum()) for each in piloted.models} == {"weak": 180, "strong": 60}
    assert all(each.is_fixed for each in piloted.models)
    assert any(note.startswith("weak: from the 180 of its") for note in piloted.notes)
    report = (out / "report.md").read_text()
    assert re.search(r"weak: its curve and its measures at k rest on the 180 of its 1\d\d draws that do not depend on outcomes", report)
    assert "up to weak 6.00 or strong 2.00" in report
    rows = pl.read_parquet(out / "trainsets" / "best@low" / "train.parquet")
    assert set(rows["model"]) == {"weak", "strong"}
    assert rows.height == found["cells"]["best@low"]["n_kept"]
    assert len(rows["problem_id"].unique()) == round(30 * found["cells"]["best@low"]["covered"]["value"])


def measures_of_fixed_arms(folder: Path) -> dict[str, dict[str, Any]]:
    run(folder / "study.yaml", folder / "fixed", settings=["arms={weak: {models: [weak]}, strong: {models: [strong]}}"])
    return measures(folder / "fixed")


@pytest.mark.slow
def test_rounds_models_and_uniform_for_the_same_are_measured(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms={**ARMS, **best(objective={"kept_per_problem": 2})}, budgets=realised())
    run(study, out, until="measure")
    (did,) = measures(out)["policies"].values()
    counts = drawn(out)
    assert {each["model"]: each["draws"] for each in did["models"]} == {
        model: sum(n for (_, of), n in counts.items() if of == model) for model in ("weak", "strong")
    }
    by_round: Counter[int] = Counter()
    for each in did["rounds"]:
        by_round[each["number"]] += each["draws"]
    assert [by_round[number + 1] for number in range(len(by_round))] == [sum(n for *_, n in allocations) for allocations in rounds(out)]
    assert sum(each["cost"]["flops"] for each in did["rounds"]) == pytest.approx(flops(out, counts))
    assert {each["model"]: each["estimator"] for each in did["matches"]} == {"weak": "first draws", "strong": "first draws"}
    kept = measures(out)["cells"]["best@low"]["kept_per_problem"]["value"]
    assert all(each["reached"] <= kept for each in did["matches"])  # the training set keeps up to 4, the objective counts 2
    run(study, out, until="measure")
    assert measures(out)["policies"] == {"best@low": did}


@pytest.mark.slow
@pytest.mark.parametrize(("models", "matched"), [(["weak"], ["weak"]), (["weak", "strong"], [])])
def test_without_fixed_draws_a_policy_of_one_model_alone_is_matched(
    tmp_path: Path, out: Path, models: list[str], matched: list[str]
) -> None:
    run(write_study(tmp_path, arms=best(models=models)), out, until="measure")
    (did,) = measures(out)["policies"].values()
    assert [each["model"] for each in did["matches"]] == matched
    assert {each["estimator"] for each in did["matches"]} <= {"posterior"}
    assert did["unmatched"] == [model for model in models if model not in matched]


@pytest.mark.slow
def test_of_models_drawn_by_outcomes_alone_only_covered_is_measured(tmp_path: Path, out: Path) -> None:
    run(write_study(tmp_path, arms=best()), out)
    weak = measures(out)["models"]["weak"]
    assert weak["covered"]["value"] is not None
    assert [name for name, each in weak.items() if "@" in name and each["value"] is not None] == []
    assert "weak has no curve: how often it drew may depend on outcomes." in (out / "report.md").read_text()


@pytest.mark.slow
@pytest.mark.workers
def test_worker_processes_and_this_process_buy_the_same(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_study(tmp_path, arms=best(objective={"kept_per_problem": 3}))
    run(study, tmp_path / "inline", until="sample")
    monkeypatch.undo()
    run(study, out, until="sample")
    assert rounds(out) == rounds(tmp_path / "inline")


@pytest.mark.slow
def test_a_run_is_measured_on_its_pilot_where_only_the_pilot_does_not_depend_on_outcomes(tmp_path: Path, out: Path) -> None:
    study = write_study(tmp_path, arms=best(), pilot={"problems": 10, "samples_per_problem": 2})
    run(study, out, until="sample")
    found, whole = survey_file(out, [1, 2]), survey_file(out, [1, 2], as_fixed=True)
    for model in ("weak", "strong"):
        table = pl.read_parquet(out / "samples.parquet").filter(pl.col("model") == model)
        first = first_draws_of_pilot(table)
        assert found.measures[model]["coverage@2"].n == first["problem_id"].n_unique() == 10
        assert found.measures[model]["pass@1"].value == pytest.approx(first["correct"].mean())
    assert whole.shapes["weak"].problems > 10
    assert [line for line in found.warnings if "those of the pilot" in line]
    assert not [line for line in whole.warnings if "those of the pilot" in line]


def first_draws_of_pilot(table: pl.DataFrame) -> pl.DataFrame:
    piloted = seeded_choice("pilot", 0, [f"p{i:02d}" for i in range(30)], 10)
    return table.filter(pl.col("problem_id").is_in(piloted) & (pl.col("sample_index") < 2))


@pytest.mark.slow
def test_rounds_of_an_arm_that_was_adaptive_before_are_not_taken_as_fixed(tmp_path: Path, out: Path) -> None:
    only_weak = {"policy": "adaptive", "models": ["weak"]}
    study = write_study(tmp_path, arms={"one": only_weak, "best": BEST})
    run(study, out, until="sample")
    run(study, out, settings=["arms.one={models: [weak], policy: uniform}", "budgets.low.match.samples_per_problem=1"], until="sample")
    planned = Counter({problem: count for (problem, _), count in drawn_by_last(out, "one@low").items()})
    found = survey_file(out, [1])
    assert found.shapes["weak"].least == min(planned.values())
    assert found.shapes["weak"].most == max(planned.values())
    assert found.measures["strong"]["coverage@1"].value is None


def drawn_by_last(out: Path, cell: str) -> Counter[tuple[str, str]]:
    return Counter({(problem, model): count for problem, model, _, count in rounds(out, cell)[-1]})

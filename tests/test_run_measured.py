"""`isocost measure` on a run says what the run's report says: the same costs, curves and crossovers."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from isocost.cli import app
from isocost.errors import EngineError, RunDirectoryError
from isocost.measuring import survey_file
from isocost.reporting.leading import crossed
from isocost.running import run, run_stage, runs, stages
from tests.builders import PARAMS, InlineExecutor, raw_study, recorded, write_study, write_table
from tests.matrices import first_fast

FLOPS = {"low": {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 5}}}
USD = {"dollars": {"unit": "usd", "amount": 0.03}}
ARMS = {"weak": {"models": ["weak"]}, "strong": {"models": ["strong"]}}
BY_NUMBER = {"many": {"models": ["weak"], "samples_per_problem": 9}, "few": {"models": ["strong"], "samples_per_problem": 3}}
PRICED = {
    name: {
        "engine": "replay", "table": "table.parquet", "model": name, "params": PARAMS[name], "prompt_tokens": 9,
        "price": {"input": input_, "output": output, "dated": "2026-11-01"},
    }
    for name, input_, output in (("weak", 0.1, 1.0), ("strong", 1.5, 3.0))
}  # fmt: skip


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    monkeypatch.setattr("isocost.engines.replay.engine._BATCH", 8)


def crossing_study(folder: Path, **changes: Any) -> Path:
    """Weak is ahead on little money and strong on much: half of the problems are beyond the weak model.

    Ids are not in the order of the problems, so that the order of problems in the table of samples differs from that in the study.
    """
    lots = random.Random(1)
    rows = recorded(24, 30)
    for row in rows:
        i = int(str(row["problem_id"])[1:])
        beyond = row["model"] == "weak" and i % 2 == 1
        answer = i + 7 if lots.random() < (0.03 if beyond else 0.5) else i + 8
        row["generation"] = f" Way {lots.randrange(3)}: {answer}\n#### {answer}"
    path = write_study(folder, n_problems=24, **changes)
    write_table(folder, rows)
    lines = (folder / "problems.jsonl").read_text().splitlines()
    lots.shuffle(lines)
    (folder / "problems.jsonl").write_text("\n".join(lines) + "\n")
    return path


def measured(path: Path, *more: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["measure", str(path), "--json", *more])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def reported(out: Path, name: str, unit: str) -> list[dict[str, str]]:
    rows = csv.DictReader((out / "tables" / f"{name}.csv").read_text().splitlines())
    return [row for row in rows if row.get("unit", unit) == unit]


def number(text: str) -> float | None:
    return float(text) if text else None


STUDIES: dict[str, tuple[dict[str, Any], str]] = {
    "flops": ({"budgets": FLOPS, "arms": ARMS}, "flops"),
    "usd": ({"budgets": USD, "arms": ARMS, "models": PRICED}, "usd"),
    "realised": ({"budgets": {"low": {**FLOPS["low"], "basis": "realised"}}, "arms": ARMS}, "flops"),
    "usd first": ({"budgets": USD | FLOPS, "arms": ARMS, "models": PRICED}, "usd"),
    "flops first": ({"budgets": FLOPS | USD, "arms": ARMS, "models": PRICED}, "flops"),
    "by number": ({"budgets": {}, "arms": BY_NUMBER}, "flops"),
}  # fmt: skip


@pytest.mark.parametrize("name", first_fast(STUDIES))
def test_crossovers_and_curves_of_measure_are_those_of_the_report(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes, unit = STUDIES[name]
    results: list[Any] = []
    report = stages.report
    monkeypatch.setattr(stages, "report", lambda found: results.append(found) or report(found))
    out = tmp_path / "run"
    run(crossing_study(tmp_path, **changes), out)
    found, of_file = measured(out), measured(out / "samples.parquet")
    assert of_file == found
    assert found["unit"] == unit
    (told,) = results
    own = {c.measure: c for c in told.crossovers if c.unit == unit}
    assert {c["measure"] for c in found["crossovers"]} == set(own) == {"coverage", "diversity"}
    for crossing in found["crossovers"]:
        other = own[crossing["measure"]]
        assert (crossing["models"], crossing["ahead"], crossing["cost"]["n"]) == (list(other.models), other.ahead, other.n)
        assert [crossing["cost"][end] for end in ("value", "low", "high")] == pytest.approx([other.cost, other.low, other.high])
        assert (crossing["reach"], crossing["no_crossover"]) == pytest.approx((other.reach, other.absent))
    for curve in told.curves:
        points = found["curves"][curve.model]
        assert [point["k"] for point in points] == list(curve.ks)
        assert [point["cost"] for point in points] == pytest.approx([k * curve.cost.amount(unit) for k in curve.ks])
        for measure, estimates in curve.measures.items():
            assert [point[measure]["value"] for point in points] == pytest.approx([e.value for e in estimates])
    csv_rows = reported(out, "crossovers", "FLOPs" if unit == "flops" else "USD")
    assert [number(row["cost"]) for row in csv_rows] == pytest.approx([c["cost"]["value"] for c in found["crossovers"]])
    assert crossed(own["coverage"]) in (out / "report.md").read_text().replace("\\", "")


@pytest.mark.slow
def test_the_crossover_is_one_that_tokens_would_tell_otherwise(tmp_path: Path) -> None:
    """The fault that this guards against: by tokens of one price, another model is ahead."""
    out = tmp_path / "run"
    run(crossing_study(tmp_path, budgets=FLOPS, arms=ARMS), out)
    own = next(c for c in measured(out)["crossovers"] if c["measure"] == "coverage")
    table = pl.read_parquet(out / "samples.parquet").drop("cost", "cost_unit")
    table.write_parquet(tmp_path / "tokens.parquet")
    by_tokens = next(c for c in measured(tmp_path / "tokens.parquet")["crossovers"] if c["measure"] == "coverage")
    assert own["ahead"] == "strong"
    assert own["cost"]["value"] > 0
    assert by_tokens["cost"]["value"] == 0 or by_tokens["ahead"] != own["ahead"]


def test_each_draw_has_its_cost(tmp_path: Path) -> None:
    run(write_study(tmp_path, n_samples=60, models=PRICED, budgets=USD | FLOPS, arms=ARMS), tmp_path / "run")
    for row in pl.read_parquet(tmp_path / "run" / "samples.parquet").iter_rows(named=True):
        price = PRICED[row["model"]]["price"]
        usd = (price["input"] * row["num_prompt_tokens"] + price["output"] * row["num_generated_tokens"]) / 1e6
        assert (row["cost"], row["cost_unit"]) == (pytest.approx(usd), "usd")


@pytest.mark.slow
def test_statements_for_people_are_in_the_runs_unit(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(crossing_study(tmp_path, budgets=FLOPS, arms=ARMS), out)
    text = CliRunner().invoke(app, ["measure", str(out)]).stdout
    assert "FLOPs per problem [" in text
    assert "cost per draw (FLOPs)" in text
    assert "A token costs the same" not in text
    assert "tokens" not in text


def old(out: Path) -> None:
    table = pl.read_parquet(out / "samples.parquet").drop("cost", "cost_unit")
    table.write_parquet(out / "samples.parquet")


@pytest.mark.slow
def test_an_old_run_whose_samples_have_no_costs_gets_no_statement_on_costs_and_says_how_to_get_one(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(crossing_study(tmp_path, budgets=FLOPS, arms=ARMS), out)
    before = measured(out)
    old(out)
    for path in (out, out / "samples.parquet"):
        found = measured(path)
        assert (found["crossovers"], found["curves"]["weak"]) == ([], [])
        assert found["models"]["weak"]["coverage@1"] == before["models"]["weak"]["coverage@1"]
        assert f"samples.parquet of this run does not have the costs of its draws; isocost report {out} writes them." in found["warnings"]
    assert measured(out, "--cost", "weak=1", "--cost", "strong=3")["unit"] == "priced tokens"
    run_stage(out, "report")
    assert measured(out) == before


def test_costs_that_nobody_knows_are_not_made_up(tmp_path: Path) -> None:
    models = {name: {"engine": "replay", "table": "table.parquet", "model": name} for name in PARAMS}
    arms = {"a": {"models": ["weak"], "samples_per_problem": 4}, "b": {"models": ["strong"], "samples_per_problem": 4}}
    run(write_study(tmp_path, models=models, budgets={}, arms=arms), tmp_path / "run")
    table = pl.read_parquet(tmp_path / "run" / "samples.parquet")
    assert table["cost"].null_count() == table["cost_unit"].null_count() == table.height
    found = measured(tmp_path / "run")
    assert found["crossovers"] == []
    assert "cost_per_draw" not in found["models"]["weak"]


@pytest.mark.slow
def test_one_model_whose_cost_is_not_known_in_the_budgets_unit(tmp_path: Path) -> None:
    models = {**PRICED, "strong": {key: value for key, value in PRICED["strong"].items() if key != "price"}}
    arms = {"weak": {"models": ["weak"]}, "few": {"models": ["strong"], "samples_per_problem": 3}}
    out = tmp_path / "run"
    run(write_study(tmp_path, n_samples=60, models=models, budgets=USD, arms=arms), out)
    found = measured(out)
    assert (found["unit"], found["crossovers"]) == ("usd", [])
    assert found["curves"]["weak"]
    assert found["curves"]["strong"] == []
    assert not (out / "tables" / "crossovers.csv").exists()


@pytest.mark.slow
def test_draws_of_a_policy_that_may_look_at_outcomes_get_no_curve_as_in_the_report(tmp_path: Path) -> None:
    arms = {"weak": {"models": ["weak"], "policy": "isocost.policies.uniform:build"}, "strong": {"models": ["strong"]}}
    out = tmp_path / "run"
    run(write_study(tmp_path, arms=arms), out)
    found = measured(out)
    assert sorted(found["curves"]) == ["strong"]
    assert found["crossovers"] == []
    assert found["undefined"]["weak"]["coverage@1"] == "draws may depend on outcomes"
    assert all(one["cost"] is None for one in found["overlap"])
    assert sorted(measured(out, "--as-fixed")["curves"]) == ["strong", "weak"]


@pytest.mark.slow
def test_draws_of_a_fixed_policy_are_fixed_whatever_they_look_like(tmp_path: Path) -> None:
    """Requests failed after every success: what is left looks as if it had been stopped there."""
    rows = recorded(40, 12)
    solved: set[tuple[object, object]] = set()
    for row in rows:
        key = (row["model"], row["problem_id"])
        if key in solved:
            row["finish_reason"] = "error"
        elif str(row["generation"]).endswith(f"#### {int(str(row['problem_id'])[1:]) + 7}"):
            solved.add(key)
    out = tmp_path / "run"
    study = write_study(tmp_path, n_problems=40, arms={"weak": {"models": ["weak"], "samples_per_problem": 12}}, budgets={})
    write_table(tmp_path, rows)
    run(study, out)
    assert measured(out)["curves"]["weak"]
    (tmp_path / "copy.parquet").write_bytes((out / "samples.parquet").read_bytes())
    assert measured(tmp_path / "copy.parquet")["undefined"]["weak"]["coverage@1"] == "draws look stopped"


@pytest.mark.slow
def test_a_study_that_cannot_be_read_leaves_the_draws_to_tell(tmp_path: Path) -> None:
    run(write_study(tmp_path), tmp_path / "run")
    for text in ("", "[]", "arms: [1]", "arms: {a: {models: 3}}", "{"):
        (tmp_path / "run" / "study.yaml").write_text(text)
        assert survey_file(tmp_path / "run", [1]).curves["weak"]


@pytest.mark.slow
def test_a_damaged_file_of_problems_is_named(tmp_path: Path) -> None:
    run(write_study(tmp_path), tmp_path / "run")
    (tmp_path / "run" / "problems" / "train.parquet").write_bytes(b"PAR1")
    done = CliRunner().invoke(app, ["measure", str(tmp_path / "run")])
    with pytest.raises(RunDirectoryError, match=r"train\.parquet: cannot be read: .*\n  write it again: isocost report"):
        survey_file(tmp_path / "run", [1])
    assert done.exit_code != 0


@pytest.mark.slow
def test_the_demo_with_its_models_tells_one_story(tmp_path: Path) -> None:
    """The packaged models, real draws, few problems."""
    study = raw_study(
        name="small",
        problems={"train": {"source": "lab", "split": "train", "limit": 24}},
        models={name: {"engine": "transformers", "model": f"lab:{name}", "tokens_per_sample": 34} for name in ("tiny", "weak")},
        prompt={"template": "lab-2shot"},
        budgets={"low": {"unit": "flops", "match": {"model": "weak", "samples_per_problem": 3}}},
        arms={"tiny": {"models": ["tiny"]}, "weak": {"models": ["weak"]}},
    )
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    out = tmp_path / "run"
    run(tmp_path / "study.yaml", out)
    found = measured(out)
    assert found["unit"] == "flops"
    rows = reported(out, "crossovers", "FLOPs")
    assert [(row["ahead"], number(row["cost"]), float(row["reach"])) for row in rows] == [
        (c["ahead"] or "level", pytest.approx(c["cost"]["value"]), pytest.approx(c["reach"])) for c in found["crossovers"]
    ]


@pytest.mark.slow
def test_samples_that_are_not_the_run_s_last_are_said(tmp_path: Path) -> None:
    study, out = write_study(tmp_path), tmp_path / "run"
    run(study, out, until="sample")
    assert not [line for line in measured(out)["warnings"] if "samples.parquet" in line]
    with pytest.raises(EngineError):  # the table holds no more draws
        run(study, out, settings=["budgets.low.match.samples_per_problem=50"])
    for path in (out, out / "samples.parquet"):
        said = "samples.parquet is of an earlier start: the last one has not finished sampling and grading"
        assert f"{said}; isocost sample {out} resumes it." in measured(path)["warnings"]
    run(study, out, until="sample")
    pl.read_parquet(out / "samples.parquet").with_columns(correct=True).write_parquet(out / "samples.parquet")
    said = f"samples.parquet was changed after the run had written it; isocost report {out} writes it again."
    assert said in measured(out)["warnings"]
    (out / "samples.json").unlink()
    assert said not in measured(out)["warnings"]

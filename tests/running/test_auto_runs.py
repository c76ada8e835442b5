"""Whole runs with an arm that chooses its policy after the pilot."""

import json
from pathlib import Path
from typing import Any

import pytest

from isocost.errors import BudgetError, LimitReachedError, StudyError
from isocost.forecasting import Forecast, Question
from isocost.forecasting import forecast as make_forecast
from isocost.running import Note, StageProgress, plan_study, run, runs
from isocost.summaries.status import status_of, to_text
from tests.builders import InlineExecutor, recorded, write_study, write_table
from tests.running.adaptive import AMOUNT, answered, flops, realised, rounds, stored, with_levels

PILOT = {"problems": 10, "samples_per_problem": 2}
WEAK, STRONG = 64 * 2000.0, 64 * 6000.0  # a draw at max_tokens


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


def auto_study(folder: Path, **changes: Any) -> Path:
    arms = {"best": {"policy": "auto", "models": ["weak", "strong"], **changes.pop("keys", {})}}
    return write_study(folder, **{"arms": arms, "pilot": PILOT, "budgets": {"low": {"unit": "flops", "amount": AMOUNT}}, **changes})


def choice(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "arms" / "best@low" / "choice.json").read_text())
    return found


def test_the_choice_is_noted_recorded_shown_and_kept(tmp_path: Path, out: Path) -> None:
    study = auto_study(tmp_path)
    events: list[StageProgress | Note] = []
    run(study, out, until="sample", listener=events.append)
    made = choice(out)
    said = f"best@low: auto chose the policy {made['policy']} from {' and '.join(made['models'])}. {made['reason']}"
    assert said in [event.text for event in events if isinstance(event, Note)]
    assert made["reason"].startswith("At ")
    (cell,) = status_of(out)["cells"]
    assert cell["choice"] == {key: made[key] for key in ("policy", "models", "reason")}
    assert f"best@low: auto chose {made['policy']} from" in to_text(status_of(out))
    before = [(out / name).read_bytes() for name in ("ledger.jsonl", "samples.parquet", "arms/best@low/choice.json")]
    events.clear()
    run(study, out, until="sample", listener=events.append)
    assert [(out / name).read_bytes() for name in ("ledger.jsonl", "samples.parquet", "arms/best@low/choice.json")] == before
    assert not [event for event in events if isinstance(event, Note) and "auto chose" in event.text]


@pytest.mark.slow
@pytest.mark.parametrize("basis", ["planned", "realised"])
def test_the_pilots_of_all_models_are_paid_from_the_budget(tmp_path: Path, out: Path, basis: str) -> None:
    study = auto_study(tmp_path, budgets=realised() if basis == "realised" else {"low": {"unit": "flops", "amount": AMOUNT}})
    # The weak model solves everything, the strong one nothing: then the weak one is drawn from alone, or first.
    write_table(tmp_path, answered(recorded(30, 12), {"weak": 1.0, "strong": 0.0}))
    run(study, out, until="sample")
    paid = flops(out, stored(out))
    assert paid <= AMOUNT * 1.2  # planned costs are those of the pilot's mean length
    if basis == "realised":
        assert paid <= AMOUNT
    assert sum(n for (_, model), n in stored(out).items() if model == "strong") == 20
    assert choice(out)["models"] != ["strong"]


@pytest.mark.slow
def test_a_uniform_choice_spends_what_all_pilots_left(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.sampling.choosing.CANDIDATES", ("uniform",))
    study = auto_study(tmp_path, budgets=realised())
    run(study, out, until="sample")
    (model,) = choice(out)["models"]
    counts = stored(out)
    other = "strong" if model == "weak" else "weak"
    assert sum(n for (_, name), n in counts.items() if name == other) == 20
    own = [n for (_, name), n in counts.items() if name == model]
    assert max(own) - min(own) <= 1
    left = AMOUNT - flops(out, counts)
    assert 0 <= left < (WEAK if model == "weak" else STRONG) or max(own) == 12


@pytest.mark.slow
def test_killed_by_the_limit_it_resumes_with_the_choice(tmp_path: Path, out: Path) -> None:
    study = auto_study(tmp_path, keys={"objective": {"kept_per_problem": 9}})
    run(study, tmp_path / "whole", until="sample")
    with pytest.raises(LimitReachedError):
        run(study, out, settings=[f"limit={{unit: flops, amount: {0.6 * AMOUNT}}}"], until="sample")
    begun = choice(out)
    run(study, out, until="sample")
    assert choice(out) == begun == choice(tmp_path / "whole")
    assert stored(out) == stored(tmp_path / "whole")


@pytest.mark.slow
def test_a_damaged_choice_is_made_again_and_another_budget_makes_its_own(tmp_path: Path, out: Path) -> None:
    study = auto_study(tmp_path)
    run(study, out, until="sample")
    first, counts = choice(out), stored(out)
    (out / "arms" / "best@low" / "choice.json").write_text("{")
    run(study, out, until="sample")
    assert (choice(out), stored(out)) == (first, counts)
    run(study, out, settings=[f"budgets.low.amount={1.2 * AMOUNT}"], until="sample")
    assert choice(out)["terms"] != first["terms"]


@pytest.mark.slow
def test_distinct_solutions_are_counted_for_an_objective_that_needs_them(tmp_path: Path, out: Path) -> None:
    study = auto_study(tmp_path, keys={"objective": {"kept_per_problem": 3}})
    run(study, out, until="sample")
    assert "kept" in choice(out)["reason"]
    assert rounds(out)
    assert drawn_after_pilot(out) + 2 * 10 * 2 == stored(out).total()


def drawn_after_pilot(out: Path) -> int:
    return sum(count for allocations in rounds(out) for _, _, _, count in allocations)


@pytest.mark.slow  # two starts, each of which simulates every candidate
def test_a_choice_is_by_sound_solutions_and_its_forecast_of_correct_ones(tmp_path: Path, out: Path) -> None:
    # All problems are piloted: others might be hard ones.
    pilot = {"problems": 30, "samples_per_problem": 2}
    study = auto_study(tmp_path, budgets=realised(amount=2.5 * AMOUNT), pilot=pilot)
    write_table(tmp_path, answered(recorded(30, 12), {"weak": 1.0, "strong": 1.0}))
    run(study, out, until="measure")
    plain = choice(out)
    assert "sound" not in plain["reason"]
    assert plain["models"] != ["strong"]
    unsound = auto_study(tmp_path, budgets=realised(amount=2.5 * AMOUNT), keys={"false_positive_rates": {"weak": 0.99}}, pilot=pilot)
    run(unsound, tmp_path / "sound", until="measure")
    made = choice(tmp_path / "sound")
    assert "covered by a sound solution" in made["reason"]
    assert "strong" in made["models"]
    # Every draw is correct, so the run will cover everything, whatever is sound.
    assert forecast(tmp_path / "sound")["measures"]["covered"]["value"] > 0.9
    (row,) = [each for each in json.loads((tmp_path / "sound" / "measures.json").read_text())["forecasts"] if each["measure"] == "covered"]
    assert row["discounted"]
    assert row["outcome"]["value"] == 1.0


def test_auto_needs_a_pilot_and_a_budget_that_pays_for_it(tmp_path: Path, out: Path) -> None:
    with pytest.raises(StudyError, match=r"arms\.best\.policy: auto chooses from a pilot; add one: pilot: "):
        plan_study(auto_study(tmp_path, pilot=None))
    with pytest.raises(BudgetError, match="does not pay for the pilot"):
        run(auto_study(tmp_path, budgets={"low": {"unit": "flops", "amount": 1e5}}), out, until="sample")


def forecast(out: Path, cell: str = "best@low") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "arms" / cell / "forecast.json").read_text())
    return found


@pytest.mark.slow  # two starts, one of which simulates every candidate
def test_the_forecast_of_the_choice_is_kept_beside_its_outcome(tmp_path: Path, out: Path) -> None:
    study = auto_study(tmp_path, curate={"per_problem": 4})
    run(study, out, until="measure")
    measures = json.loads((out / "measures.json").read_text())
    said = {each["measure"]: each for each in measures["forecasts"]}
    assert said.keys() == {"covered", "kept_per_problem", "cost"}
    predicted = forecast(out)["measures"]
    assert said["covered"]["predicted"]["value"] == predicted["covered"]["value"]
    assert said["covered"]["outcome"] == measures["cells"]["best@low"]["covered"]
    assert said["kept_per_problem"]["outcome"] == measures["cells"]["best@low"]["kept_per_problem"]
    assert said["cost"]["outcome"]["value"] * 30 == pytest.approx(flops(out, stored(out)))
    assert predicted["covered"]["value"] <= 1.0
    # Without the files, as in a run of an earlier version, nothing is predicted after the fact: not even if the choice is made again.
    (out / "arms" / "best@low" / "forecast.json").unlink()
    (out / "arms" / "best@low" / "choice.json").unlink()
    run(study, out, until="measure")
    assert not (out / "arms" / "best@low" / "forecast.json").exists()
    assert "forecasts" not in json.loads((out / "measures.json").read_text())


@pytest.mark.slow
def test_a_choice_knows_the_difficulty_and_draws_no_more_than_is_recorded(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Question] = []

    def keeping(*args: Any, **kwargs: Any) -> Forecast:
        asked.append(args[1])
        return make_forecast(*args, **kwargs)

    monkeypatch.setattr("isocost.sampling.choosing.forecast", keeping)
    study = auto_study(tmp_path, keys={"difficulty": "level"}, n_samples=4)
    with_levels(tmp_path, {i: f"Level {i % 5}" for i in range(30)})
    run(study, out, until="sample")
    (question,) = asked
    assert question.labels == {f"p{i:02d}": float(i % 5) for i in range(30)}
    assert set(question.available.values()) == {4}
    assert max(stored(out).values()) <= 4

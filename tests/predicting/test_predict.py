"""The forecast of a table, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from isocost.errors import InputError
from isocost.policies.base import Coverage, KeptPerProblem, MixedGroups, Objective
from isocost.predicting import Prediction, forecast_json, forecast_markdown, objective_of, predict
from isocost.predicting.asking import default_budget, name_of
from tests.predicting.tabled import RATES, TOKENS, sampled, written

GAME24 = Path(__file__).parents[3] / "shared/data/pool_game24.parquet"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Prediction:
    table = sampled(problems=100)
    wrong = (pl.col("problem_id") == "p0") & ~pl.col("correct")
    table = table.with_columns(predicted_answer=pl.when(wrong).then(pl.lit("7|7")).otherwise(pl.col("predicted_answer")))
    return predict(written(table, tmp_path_factory.mktemp("table")), pilot=4, objective=Coverage(), ks=[8, 16], policies=())


def test_a_forecast_is_scored_on_the_rest_of_the_table(found: Prediction) -> None:
    for model in found.forecast.models.values():
        (eight, sixteen) = [one for one in model.scores if one.measure == "coverage"]
        assert eight.inside
        assert sixteen.inside
    truth = sum(1 - (1 - rate) ** 16 for rate in RATES["weak"]) / 4
    assert found.forecast.models["weak"].points[1].coverage.value == pytest.approx(truth, abs=0.1)


def test_the_text_has_a_table_per_model_then_the_choices_and_one_verdict(found: Prediction) -> None:
    text = forecast_markdown(found)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## weak",
        "## strong",
        "## Choices at 480 tokens per problem",
        "## Crossovers",
        "## Verdict",
        "## Doubtful problems",
    ]
    verdict = text.split("## Verdict\n\n")[1].split("\n\n")[0]
    assert verdict.startswith("At 480 tokens per problem buy from ")
    assert "covered, against" in verdict
    assert "16.0 strong" in text
    assert "coverage@16" in text
    assert "p0: models agree on 7\\|7 (strong in 4 of 4 draws, weak in 4 of 4 draws), the reference is 5" in text


def test_json_has_the_same_numbers(found: Prediction) -> None:
    data = json.loads(json.dumps(forecast_json(found), allow_nan=False))
    assert (data["counts"], data["false_positive_rates"]) == ("correct", {})
    assert (data["pilot"], data["level"], data["objective"], data["unit"]) == (4, 0.9, "coverage", "tokens")
    point = found.forecast.models["weak"].points[0]
    assert data["models"]["weak"]["points"][0]["coverage"]["value"] == point.coverage.value
    assert data["choices"][0]["budget"] == 480.0
    assert {choice["name"] for choice in data["choices"][0]["choices"]} == {"weak", "strong", "weak+strong"}
    assert data["doubtful"]["agreements"][0]["draws"] == {"strong": [4, 4], "weak": [4, 4]}
    assert data["verdict"][0] in forecast_markdown(found)
    assert {one["inside"] for one in data["models"]["weak"]["scores"]} <= {True, False}


def test_text_and_json_say_that_sound_solutions_are_counted(tmp_path: Path) -> None:
    path = written(sampled(), tmp_path)
    found = predict(path, pilot=4, objective=Coverage(), ks=[8], policies=(), false_positive_rates={"weak": 0.4})
    text = forecast_markdown(found)
    assert text.count("Predicted are sound solutions: of the correct ones, 40% of those of weak are taken as unsound.") == 1
    assert "| covered by a sound solution |" in text
    assert "sound coverage | distinct sound |" in text
    assert "Forecast and outcome of correct solutions, sound or not, an unbiased estimate" in text
    verdict = text.split("## Verdict\n\n")[1].split("\n\n")[0]
    assert verdict.count("covered by a sound solution") == 1
    data = forecast_json(found)
    assert (data["counts"], data["false_positive_rates"]) == ("sound", {"weak": 0.4})
    with pytest.raises(InputError, match=r'--false-positives: the table has no model "week"\n  did you mean "weak"\? it has'):
        predict(path, pilot=4, objective=Coverage(), false_positive_rates={"week": 0.4})


@pytest.mark.parametrize("objective", [KeptPerProblem(4), MixedGroups(4)])
def test_other_objectives_have_columns_and_scores_of_their_own(objective: Objective, tmp_path: Path) -> None:
    found = predict(written(sampled(), tmp_path), pilot=4, objective=objective, policies=())
    text = forecast_markdown(found)
    assert name_of(objective) in text
    measure = "kept_per_problem" if isinstance(objective, KeptPerProblem) else "mixed_groups"
    assert any(one.measure == measure for one in found.forecast.models["weak"].scores)
    assert forecast_json(found)["objective"] == name_of(objective)


def test_a_difference_that_is_not_settled_says_what_would_settle_it(tmp_path: Path) -> None:
    table = sampled(rates={"weak": (0.0, 0.2, 0.5), "strong": (0.0, 0.2, 0.5)}, tokens={"weak": 10, "strong": 10}, problems=30)
    text = forecast_markdown(predict(written(table, tmp_path), pilot=4, objective=Coverage(), policies=()))
    verdict = text.split("## Verdict\n\n")[1]
    assert "Not settled: they are " in verdict
    assert "would tell them apart four times in five." in verdict or "100,000 piloted problems would not" in verdict


@pytest.mark.parametrize(("rate", "why"), [(0.0, "none of its 160 draws is correct"), (1.0, "all of its 160 draws are correct")])
def test_a_pilot_without_success_or_failure_settles_nothing(rate: float, why: str, tmp_path: Path) -> None:
    table = sampled(rates={"weak": (rate,), "strong": (rate,)})
    text = forecast_markdown(predict(written(table, tmp_path), pilot=4, objective=Coverage(), policies=()))
    assert text.count(why) == 2
    assert "The pilot is too small to recommend a choice." in text
    assert "buy from" not in text


def test_few_problems_recommend_nothing(tmp_path: Path) -> None:
    table = sampled(problems=3, rates={"weak": (0.0, 0.5, 0.1), "strong": (0.1, 0.1, 0.5)})
    text = forecast_markdown(predict(written(table, tmp_path), pilot=4, objective=Coverage(), policies=()))
    assert "per problem the pilot is too small to recommend a choice. Highest estimate: " in text
    assert "with buy" not in text


def test_unknown_costs_leave_the_choices_out(tmp_path: Path) -> None:
    path = written(sampled().drop("num_generated_tokens"), tmp_path)
    found = predict(path, pilot=4, objective=Coverage())
    assert found.forecast.comparisons == ()
    assert "The costs of draws are unknown" in forecast_markdown(found)
    with pytest.raises(InputError, match="--budget: the cost of a draw of model weak is unknown"):
        predict(path, pilot=4, objective=Coverage(), budgets=[100.0])


def test_a_budget_smaller_than_the_pilot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--budget 160 tokens per problem: the pilot alone costs 160 tokens per problem"):
        predict(written(sampled(), tmp_path), pilot=4, objective=Coverage(), budgets=[160.0])


def test_nothing_graded_is_refused(tmp_path: Path) -> None:
    table = sampled(problems=2).with_columns(correct=pl.lit(None, dtype=pl.Boolean))
    with pytest.raises(InputError, match="no sample is graded"):
        predict(written(table, tmp_path), pilot=None, objective=Coverage())


def test_forecasts_beyond_the_checked_range_are_noted(tmp_path: Path) -> None:
    path = written(sampled(problems=10), tmp_path)
    assert predict(path, pilot=4, objective=Coverage(), ks=[100], policies=()).notes == ()
    (note,) = predict(path, pilot=4, objective=Coverage(), ks=[101], policies=()).notes
    assert "101 draws per problem" in note


def test_the_default_budget_pays_for_more_than_the_pilot_of_many_models() -> None:
    assert default_budget(4, [1.0, 3.0]) == 48.0
    assert default_budget(4, [1.0] * 6) == 48.0


@pytest.mark.parametrize("text", ["coverage", "kept:4", "mixed:8"])
def test_objectives_are_read_as_they_are_printed(text: str) -> None:
    assert name_of(objective_of(text)) == text


@pytest.mark.parametrize("text", ["", "kept", "kept:0", "mixed:1", "mixed:x", "solved", "kept:-1"])
def test_other_objectives_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--objective"):
        objective_of(text)


def test_one_model_has_no_crossover(tmp_path: Path) -> None:
    table = sampled(problems=30).filter(pl.col("model") == "weak")
    text = forecast_markdown(predict(written(table, tmp_path), pilot=4, objective=Coverage(), policies=()))
    assert "## Crossovers" not in text
    assert "buy from weak: " in text


def test_names_from_a_table_cannot_break_the_text(tmp_path: Path) -> None:
    table = sampled(problems=30).with_columns(model=pl.col("model") + "|\x1b[2J\n# x")
    text = forecast_markdown(predict(written(table, tmp_path), pilot=4, objective=Coverage(), policies=()))
    assert "\x1b" not in text
    assert not any(line.startswith("# x") for line in text.splitlines())


@pytest.mark.slow
def test_game24_is_inside_and_the_policy_is_compared() -> None:
    if not GAME24.exists():
        pytest.skip(f"needs {GAME24}")
    found = predict(GAME24, pilot=4, objective=Coverage())
    assert all(one.inside for model in found.forecast.models.values() for one in model.scores)
    assert "adaptive" in {choice.name for choice in found.forecast.comparisons[0].choices}


def test_costs_per_draw_are_budgets_in_draws(found: Prediction) -> None:
    choices = {choice.name: choice for choice in found.forecast.comparisons[0].choices}
    assert choices["weak"].draws == {"weak": 480 / TOKENS["weak"]}
    assert choices["strong"].draws == {"strong": 480 / TOKENS["strong"]}

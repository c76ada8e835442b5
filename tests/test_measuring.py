import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from isocost.cli import app
from isocost.errors import InputError
from isocost.measuring import cell_estimates, survey, survey_markdown, to_json
from tests.builders import read_table

GAME24 = Path(__file__).parents[2] / "shared/data/pool_game24.parquet"


def table(*rows: tuple[str, str, bool | None, str]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"problem_id": pl.String, "model": pl.String, "correct": pl.Boolean, "generation": pl.String}, orient="row"
    )


SMALL = table(
    ("p", "m", True, "1 + 1 = 2"),
    ("p", "m", True, "1 + 1  = 2"),
    ("p", "m", True, "1+1=2"),
    ("p", "m", False, "3"),
    ("q", "m", False, "4"),
    ("q", "m", False, "4"),
    ("q", "m", None, "broken"),
    ("p", "n", None, "broken"),
)


def test_values_by_hand() -> None:
    found = {name: estimate.value for name, estimate in survey(SMALL, [1, 2]).measures["m"].items()}
    assert found == pytest.approx(
        {
            "coverage@1": (3 / 4 + 0) / 2,
            "coverage@2": (1 + 0) / 2,
            "diversity@1": 3 / 8,
            "diversity@2": 3 * (1 / 2) / 2,
            "diversity_normalised@1": 3 / 8,
            "diversity_normalised@2": (5 / 6 + 1 / 2) / 2,
            "diversity_equations@1": 3 / 8,
            "diversity_equations@2": 1 / 2,
            "pass@1": 3 / 8,
            "covered": 1 / 2,
            "pass@1[avg-of-1]": 1 / 2,
            "pass@1[avg-of-2]": 1 / 2,
        }
    )


def test_ungraded_samples_are_counted_and_never_wrong() -> None:
    found = survey(SMALL, [2, 3]).measures
    assert all(estimate.n_ungraded == 1 for estimates in found.values() for estimate in estimates.values())
    assert [found["m"][f"coverage@{k}"].n for k in (2, 3)] == [2, 1]
    assert (found["n"]["covered"].value, found["n"]["covered"].n, found["n"]["pass@1"].value) == (None, 0, None)


def test_more_draws_than_there_are_is_undefined() -> None:
    found = survey(SMALL, [50]).measures["m"]["coverage@50"]
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)


def test_without_texts_there_is_no_diversity() -> None:
    assert set(survey(SMALL.drop("generation"), [1]).measures["m"]) == {"coverage@1", "pass@1", "pass@1[avg-of-1]", "covered"}


def test_a_correct_sample_whose_text_is_lost_still_counts() -> None:
    found = survey(SMALL.with_columns(generation=pl.lit(None, dtype=pl.String)), [2]).measures["m"]
    assert found["diversity@2"].value == found["coverage@2"].value == 0.5


def test_draws_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="k: must be at least 1, not 0"):
        survey(SMALL, [0])


def test_a_cell_answers_for_every_problem() -> None:
    found = cell_estimates(np.array([4, 2, 0, 0]), np.array([3, 0, 0, 0]), n_ungraded=1)
    assert {name: (e.value, e.n, e.n_ungraded) for name, e in found.items()} == {"covered": (0.25, 4, 1), "pass@1": (0.375, 2, 1)}


def test_a_cell_that_bought_nothing_covers_nothing() -> None:
    found = cell_estimates(np.array([0, 0]), np.array([0, 0]), n_ungraded=0)
    assert (found["covered"].value, found["pass@1"].value) == (0.0, None)


def test_json_has_the_keys_of_the_contract() -> None:
    found = json.loads(json.dumps(to_json(survey(SMALL, [1, 50]).measures)))
    assert set(found) == {"models"}
    assert set(found["models"]) == {"m", "n"}
    assert found["models"]["m"]["n_ungraded"] == 1
    assert set(found["models"]["m"]["coverage@1"]) == {"value", "low", "high", "n"}
    assert found["models"]["m"]["coverage@50"] == {"value": None, "low": None, "high": None, "n": 0}


def test_the_markdown_table_has_n_and_interval_and_warns_of_few_problems() -> None:
    lines = survey_markdown(survey(SMALL.drop("generation"), [1])).splitlines()
    assert lines[0] == "| measure | m | n |"
    assert lines[2].startswith("| coverage@1 | 37.5% [")
    assert lines[2].endswith("| not defined: nothing graded |")
    assert "| samples not graded | 1 | 1 |" in lines
    assert any("Few problems" in line for line in lines)


def test_the_game_of_24_pool() -> None:
    """The cheap prompt is better at one draw, the dear one covers more of 100."""
    if not GAME24.exists():
        pytest.skip(f"needs {GAME24}")
    found = survey(read_table(str(GAME24)), [1, 10, 30, 100]).measures
    cheap, dear = found["gpt4-answer-only"], found["gpt4-steps"]
    assert [round(cheap[f"coverage@{k}"].value or 0, 3) for k in (1, 100)] == [0.072, 0.333]
    assert [round(dear[f"coverage@{k}"].value or 0, 3) for k in (1, 100)] == [0.052, 0.489]
    assert cheap["coverage@1"].value == pytest.approx(cheap["pass@1"].value)
    assert dear["coverage@100"].value == pytest.approx(dear["covered"].value)


@pytest.mark.parametrize(("cost", "arguments"), [(1e308, []), (1e-320, []), (1.0, ["--cost", "m=1e300"]), (1.0, ["--cost", "m=1e-320"])])
def test_costs_whose_sums_are_infinite_are_refused(tmp_path: Path, cost: float, arguments: list[str]) -> None:
    row = {"problem_id": "p", "model": "m", "correct": True, "num_generated_tokens": 10, "cost": cost, "cost_unit": "usd"}
    path = tmp_path / "t.jsonl"
    path.write_text((json.dumps(row) + "\n") * 3)
    with pytest.raises(InputError, match=r"from 1e-60 to 1e\+60"):
        CliRunner().invoke(app, ["measure", str(path), *arguments], catch_exceptions=False)

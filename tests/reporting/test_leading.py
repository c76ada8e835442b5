"""Sentences on models side by side: what is claimed, what is not, and where."""

from dataclasses import replace

import pytest

from isocost.reporting.leading import ahead, crossed, interval, lead_sentence, main_models, place, sentences
from tests.reporting.builder import results
from tests.reporting.curved import CROSSOVER, curved, pair


def test_who_is_ahead_is_claimed_only_where_the_interval_leaves_zero_out() -> None:
    assert ahead(pair("a", "b", 0.08), "coverage") == "a is ahead by 8.0 points [4.0, 12.0] (a 68.0% and b 60.0%)"
    assert ahead(pair("a", "b", -0.08), "coverage") == "b is ahead by 8.0 points [4.0, 12.0] (a 52.0% and b 60.0%)"
    assert ahead(pair("a", "b", 0.01), "coverage") == "no difference found (−3.0 to +5.0 points: a 61.0% and b 60.0%)"
    assert ahead(pair("a", "b", 0.0404), "coverage").startswith("no difference found (0.0 to +8.0")
    assert ahead(pair("a", "b", -0.5, half=0.1), "diversity") == "b is ahead by 0.50 solutions per problem [0.40, 0.60] (a 0.90 and b 0.80)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "From 4.0 [2.0, 7.0] TFLOPs per problem on strong is ahead, to 9.0 TFLOPs per problem, where the shorter curve ends",
        ),
        ({"absent": 0.002}, "(not so in fewer than 1% of resamples)"),
        ({"high": None, "absent": 0.38}, "From 4.0 [2.0, beyond 9.0] TFLOPs per problem on"),
        ({"high": None, "absent": 0.38}, "; 400 problems do not settle that: in 38% of resamples it is not ahead there"),
        ({"low": None, "high": None, "absent": 0.99}, "From 4.0 [beyond 9.0] TFLOPs"),
        (
            {"cost": 0.0, "low": 0.0, "high": 1e12},
            "strong is ahead from the first draw to 9.0 TFLOPs per problem, where the shorter curve ends: no crossover",
        ),
        ({"ahead": None, "cost": None}, "Both are level at 9.0 TFLOPs per problem"),
        ({"unit": "usd", "cost": 0.02, "low": 0.004, "high": None, "reach": 1.5}, "From $0.020 [$0.0040, beyond $1.50] per problem on"),
    ],
)
def test_a_crossover_says_what_is_known_of_it(changes: dict[str, object], said: str) -> None:
    assert said in crossed(replace(CROSSOVER, **changes))  # type: ignore[arg-type]


def test_a_crossover_from_the_first_draw_on_has_an_interval_from_nothing() -> None:
    assert interval(replace(CROSSOVER, cost=0.0, low=0.0, high=7e12)) == "0 [0, 7.0] TFLOPs per problem"


def test_a_place_that_ends_before_the_budget_says_so() -> None:
    assert place(results(), pair("a", "b", 0.1)) == "At budget low, 2.6 TFLOPs per problem"
    assert place(results(), pair("a", "b", 0.1, tera=2.0)) == (
        "At 2.0 TFLOPs per problem, as far as both were drawn towards budget low (2.6 TFLOPs per problem)"
    )
    assert place(results(), pair("a", "b", 0.1, budget=None)) == "At equal numbers, 10 draws each"


def test_the_models_of_the_main_cells_are_compared() -> None:
    assert main_models(curved("far", "weak", "strong")) == ("weak", "strong")
    assert main_models(curved("x", "y")) == ("x", "y")
    assert main_models(results()) is None


def test_one_paragraph_a_measure() -> None:
    coverage, diversity = sentences(curved())
    assert coverage.startswith("Coverage. At equal numbers, 10 draws each, weak is ahead by 8.0 points")
    assert lead_sentence(curved()).startswith("At budget low, 2.6 TFLOPs per problem, weak is ahead by 8.0 points [4.0, 12.0] (")
    assert ". From 4.0 [2.0, 7.0] TFLOPs per problem on strong is ahead, to 9.0 TFLOPs" in lead_sentence(curved())
    assert "TFLOPs" not in coverage  # what the first sentence of the section says is not said again
    assert diversity.startswith("Distinct correct solutions. At budget low")
    assert sentences(results()) == ()


def test_many_budgets_are_cut_in_the_sentence() -> None:
    study = curved()
    many = replace(study, model_pairs=tuple(pair("weak", "strong", 0.08, budget=f"b{i}") for i in range(5)))
    assert "The table has 2 more" in sentences(many)[0]

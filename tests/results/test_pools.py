"""Pools measured from the table of samples, against each model measured alone."""

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isocost.arrays import Bools
from isocost.measuring.draws import load
from isocost.measuring.measured import Measured
from isocost.measuring.models import models
from isocost.records import Outcome
from isocost.results import drawtable
from isocost.results.drawtable import DrawTable
from isocost.results.pools import measured_models, pass_rates, pool_measures
from tests.results.tabled import MODELS, PROBLEMS, Draw, draw, table


def drawn() -> list[Draw]:
    lots = random.Random(0)
    draws = [
        draw(model, problem, index, lots.choice(list(Outcome)), generation=f"way {lots.randrange(3)}: 1 + {index} = {1 + index}")
        for model in MODELS
        for problem in PROBLEMS
        for index in range(6 if model == "weak" else 2)
    ]
    lots.shuffle(draws)
    return draws


def every(made: DrawTable) -> Bools:
    return np.ones(made.draws.height, dtype=np.bool_)


def test_measures_are_those_of_each_model_alone(tmp_path: Path) -> None:
    draws = drawn()
    made = table(tmp_path, draws)
    found = pool_measures(measured_models(made, every(made)), len(PROBLEMS))
    assert set(found) == set(MODELS)
    for model, ks in (("weak", [1, 2, 3, 5]), ("strong", [1, 2])):
        order = sorted((d for d in draws if d["model"] == model), key=lambda d: (PROBLEMS.index(d["problem_id"]), d["sample_index"]))
        alone = pl.LazyFrame(order).select("model", "problem_id", "sample_index", "generation", "correct")
        (one,) = models(alone, load(alone), (), votes=False)
        assert found[model] == Measured.of(one, ks, as_fixed=True, with_votes=False).estimates()


def test_texts_are_parsed_without_a_query_that_reads_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws, found = drawn(), []
    monkeypatch.delattr(pl.LazyFrame, "collect_batches")
    for size in (3, 1000):
        monkeypatch.setattr(drawtable, "_ROW_GROUP", size)
        made = table(tmp_path / str(size), draws)
        some = made.draws["sample_index"].to_numpy() < 2
        found.append(pool_measures(measured_models(made, some), len(PROBLEMS)))
    assert found[0] == found[1]


def test_problems_are_numbered_as_in_the_study(tmp_path: Path) -> None:
    made = table(tmp_path, [draw("weak", "p1", 0), draw("strong", "p1", 0), draw("strong", "p10", 0)])
    places = {model.name: model.problem.tolist() for model in measured_models(made, every(made))}
    assert places == {"weak": [2], "strong": [0, 2]}


def test_nothing_drawn_is_nothing_measured(tmp_path: Path) -> None:
    made = table(tmp_path, [])
    assert measured_models(made, every(made)) == []


def test_draws_left_out_are_as_if_they_had_not_been_drawn(tmp_path: Path) -> None:
    draws = drawn()
    kept = [d for d in draws if d["model"] == "strong" or d["sample_index"] < 3]
    made, fewer = table(tmp_path, draws), table(tmp_path / "fewer", kept)
    wanted = (made.draws["model"] == "strong").to_numpy() | (made.draws["sample_index"] < 3).to_numpy()
    assert pool_measures(measured_models(made, wanted), len(PROBLEMS)) == pool_measures(measured_models(fewer, every(fewer)), len(PROBLEMS))


def test_draws_by_outcomes_are_measured_as_covered_alone(tmp_path: Path) -> None:
    made = table(tmp_path, drawn())
    measures = pool_measures(measured_models(made, every(made)), len(PROBLEMS), {"weak"})
    assert [name for name, each in measures["weak"].items() if each.value is not None] == ["covered"]
    assert measures["strong"]["coverage@2"].value is not None


def test_pass_rates_count_problems_by_their_share_of_correct_draws(tmp_path: Path) -> None:
    outcomes = {"p1": (True, True), "p2": (True, False), "p10": (False, False)}
    draws = [
        draw("weak", problem, i, Outcome.CORRECT if right else Outcome.INCORRECT)
        for problem, rights in outcomes.items()
        for i, right in enumerate(rights)
    ]
    made = table(tmp_path, [*draws, draw("weak", "p2", 2, Outcome.UNGRADED), *(draw("strong", problem, 0) for problem in PROBLEMS)])
    measured = measured_models(made, every(made))
    # The strong model has one draw of each problem, which says nothing of its rates.
    assert pass_rates(measured) == {"weak": (1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)}
    assert pass_rates(measured, {"weak"}) == {}

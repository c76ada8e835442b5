"""The table of draws against the same looked up draw by draw."""

import math
import random
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocost.records import Allocation, Cell, Cost, Outcome
from isocost.results import drawtable
from tests.results.tabled import MODELS, PROBLEMS, Draw, draw, table

CELL, OTHER = Cell(arm="a", budget="low"), Cell(arm="b", budget=None)
ALLOCATIONS = st.lists(st.tuples(st.sampled_from(PROBLEMS), st.sampled_from(MODELS), st.integers(0, 5), st.integers(1, 4)), max_size=6)


def shuffled(n: int = 3) -> list[Draw]:
    draws = [
        draw(model, problem, index, list(Outcome)[index % 4])
        for model in MODELS
        for problem in PROBLEMS[:2]
        for index in range(n + (model == "weak"))
    ]
    random.Random(0).shuffle(draws)
    return draws


def key(each: Draw) -> tuple[str, int, int]:
    return each["model"], PROBLEMS.index(each["problem_id"]), each["sample_index"]


def test_draws_are_in_the_order_of_models_problems_and_indices(tmp_path: Path) -> None:
    draws = shuffled()
    made = table(tmp_path, draws)
    assert list(made.sample_ids(np.arange(len(draws)))) == [each["id"] for each in sorted(draws, key=key)]
    assert [draws[row]["id"] for row in made.draws["row"]] == [each["id"] for each in sorted(draws, key=key)]
    assert [draws[row]["outcome"] for row in made.draws["row"]] == made.draws["outcome"].to_list()
    stored = pl.read_parquet(tmp_path / "samples.parquet")
    assert stored["generation"].to_list() == [each["generation"] for each in draws]
    assert set(stored["cost_unit"]) == {"flops"}


@given(ALLOCATIONS, ALLOCATIONS)
@settings(max_examples=60, deadline=None)
def test_a_cell_drew_what_its_allocations_name(one: list[tuple[str, str, int, int]], two: list[tuple[str, str, int, int]]) -> None:
    draws = [each for each in shuffled(4) if each["sample_index"] != 2 or each["model"] == "weak"]  # an endpoint may deliver less
    asked = {
        cell: [Allocation(problem_id=p, model=m, first_index=first, count=count) for p, m, first, count in some]
        for cell, some in ((CELL, one), (OTHER, two))
    }
    with tempfile.TemporaryDirectory() as folder:
        made = table(Path(folder), draws, asked)
    for cell, allocations in asked.items():
        named = {(a.model, PROBLEMS.index(a.problem_id), i) for a in allocations for i in range(a.first_index, a.first_index + a.count)}
        expected = [each["id"] for each in sorted(draws, key=key) if key(each) in named]
        assert list(made.sample_ids(made.cells[cell])) == expected
    assert made.drawn.tolist() == (made.cells[CELL] | made.cells[OTHER]).tolist()


@pytest.mark.parametrize("part", [2, 100])
def test_texts_are_read_for_the_draws_that_are_wanted(tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawtable, "_ROW_GROUP", part)
    draws = shuffled()
    made = table(tmp_path, draws)
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted = rng.random(len(draws)) < 0.4
        found = [(place, text) for places, texts in made.texts(wanted) for place, text in zip(places, texts, strict=True)]
        assert sorted(place for place, _ in found) == np.flatnonzero(wanted).tolist()
        by_place = [each["generation"] for each in sorted(draws, key=key)]
        assert all(text == by_place[place] for place, text in found)
        places = rng.permutation(np.flatnonzero(wanted))
        assert made.texts_of(places).to_list() == [by_place[place] for place in places]


def test_the_file_has_small_row_groups_of_which_polars_reads_many_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawtable, "_ROW_GROUP", 2)
    made = table(tmp_path, shuffled())
    written = pq.read_metadata(made.path)
    assert max(written.row_group(each).num_rows for each in range(written.num_row_groups)) == 2


def test_a_run_without_draws_has_an_empty_table(tmp_path: Path) -> None:
    made = table(tmp_path, [], {CELL: [Allocation(problem_id="p1", model="weak", first_index=0, count=2)]})
    assert made.draws.height == made.cells[CELL].size == made.drawn.size == 0
    assert list(made.texts(made.drawn)) == []
    assert made.cost(made.drawn) == Cost(flops=0.0, usd=0.0, seconds=0.0)


def test_costs_are_added_up_in_the_order_of_the_draws(tmp_path: Path) -> None:
    draws = shuffled()
    made = table(tmp_path, draws)
    total = Cost(flops=0.0, usd=0.0, seconds=0.0)
    for each in sorted(draws, key=key):
        total += Cost(flops=each["cost_flops"], usd=each["cost_usd"], seconds=each["cost_seconds"])
    assert made.cost(np.ones(len(draws), dtype=np.bool_)) == total
    assert total.usd is None
    every = np.ones(len(draws), dtype=np.bool_)
    amounts = made.amounts("weak", "flops", every)
    expected = [math.fsum(d["cost_flops"] for d in draws if (d["model"], d["problem_id"]) == ("weak", problem)) for problem in PROBLEMS]
    assert amounts.tolist() == pytest.approx(expected)
    assert np.isnan(made.amounts("weak", "usd", every)).tolist() == [True, True, False]  # what was not drawn costs nothing


def test_counts_and_tokens_are_those_of_the_draws_asked_for(tmp_path: Path) -> None:
    draws = shuffled()
    made = table(tmp_path, draws)
    own = [each for each in draws if each["model"] == "weak" and each["outcome"] is not Outcome.UNGRADED]
    which = made.is_of("weak") & made.graded
    assert made.count(which).tolist() == [sum(each["problem_id"] == problem for each in own) for problem in PROBLEMS]
    assert made.tokens(which) == sum(each["num_generated_tokens"] for each in own)
    assert made.count(made.correct).sum() == sum(each["outcome"] is Outcome.CORRECT for each in draws)
    assert (made.models, made.problem_ids) == (sorted(MODELS), list(PROBLEMS))

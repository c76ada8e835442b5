"""Pilots out of tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isocost.costs.given import GivenCosts
from isocost.errors import InputError, TableError
from isocost.predicting.pilots import read_pilots
from tests.predicting.tabled import sampled, written


def test_the_pilot_is_the_first_graded_draws_by_sample_index(tmp_path: Path) -> None:
    table = sampled()
    # Not graded: draw 1 of every problem; it is paid, and the pilot goes on to draw 4.
    table = table.with_columns(correct=pl.when(pl.col("sample_index") == 1).then(None).otherwise(pl.col("correct")))
    found = read_pilots(written(table.sample(fraction=1, shuffle=True, seed=3), tmp_path), 4)
    first = table.filter(pl.col("sample_index").is_in([0, 2, 3, 4]))
    for each in found.models:
        mine = first.filter(pl.col("model") == each.pilot.model).group_by("problem_id").agg(pl.col("correct").sum())
        expected = dict(mine.iter_rows())
        assert dict(zip(each.pilot.problem_ids, each.pilot.successes.tolist(), strict=True)) == expected
        assert each.pilot.draws.tolist() == [4] * 40
        assert each.tokens is not None
        # Five draws are paid for four graded ones.
        assert each.tokens.value == pytest.approx({"weak": 10, "strong": 30}[each.pilot.model] * 5 / 4)
    assert found.draws == 4


def test_solutions_are_distinct_by_their_texts_and_joined_over_models(tmp_path: Path) -> None:
    table = sampled()
    found = read_pilots(written(table, tmp_path), 4)
    first = table.filter(pl.col("sample_index") < 4, "correct")
    for each in found.models:
        mine = first.filter(pl.col("model") == each.pilot.model)
        assert len(each.pilot.solution_count) == mine.select("problem_id", "generation").unique().height
        assert each.pilot.solution_count.sum() == mine.height
    # With one text per problem, more correct solutions bring nothing new, whichever model they come from.
    same = read_pilots(written(table.with_columns(generation=pl.col("problem_id")), tmp_path), 4)
    assert same.together.expected(10, None)[6, 10] < 1.5  # at a pass rate of one half


def test_solutions_are_told_apart_as_training_sets_do(tmp_path: Path) -> None:
    table = sampled()
    spaced = pl.when(pl.col("sample_index") % 2 == 0).then(pl.col("generation").str.replace(" ", "  ")).otherwise("generation")
    path, first = written(table.with_columns(generation=spaced), tmp_path), table.filter(pl.col("sample_index") < 4, "correct")
    by_words = first.select("model", "problem_id", "generation").unique().height
    number = {
        level: sum(len(each.pilot.solution_count) for each in read_pilots(path, 4, distinct=level).models)
        for level in ("string", "normalised", None)
    }
    assert number["normalised"] == by_words < number["string"] < number[None] == first.height


def test_correct_draws_that_were_cut_off_are_no_solutions(tmp_path: Path) -> None:
    table = sampled()
    cut = table.with_columns(finish_reason=pl.when(pl.col("sample_index") == 0).then(pl.lit("length")))
    found = read_pilots(written(cut, tmp_path), 4)
    whole = table.filter(pl.col("sample_index").is_between(1, 3), "correct")
    assert sum(each.pilot.solution_count.sum() for each in found.models) == whole.height
    assert sum(each.pilot.successes.sum() for each in found.models) > whole.height
    assert any("correct draws of the pilot were cut off" in note for note in found.notes)
    assert found.notes[0].startswith(
        f"{min(each.pilot.model for each in found.models)}: 25% of these samples were cut off at max_tokens, so it looks worse"
    )
    rarely = table.with_columns(finish_reason=pl.when(pl.col("problem_id") == table["problem_id"][0]).then(pl.lit("length")))
    assert not any("were cut off at max_tokens" in note for note in read_pilots(written(rarely, tmp_path), 4).notes)


def test_all_draws_are_the_pilot_if_none_is_given_and_nothing_is_left_to_score(tmp_path: Path) -> None:
    found = read_pilots(written(sampled(), tmp_path), None)
    assert found.draws == 20
    assert all(each.recorded is None for each in found.models)


def test_recorded_draws_are_all_draws(tmp_path: Path) -> None:
    found = read_pilots(written(sampled(), tmp_path), 4)
    for each in found.models:
        assert each.recorded is not None
        assert each.recorded.draws.tolist() == [20] * 40


def test_costs_are_those_of_the_pilot_alone(tmp_path: Path) -> None:
    table = sampled().with_columns(num_generated_tokens=pl.when(pl.col("sample_index") < 4).then(10).otherwise(1000))
    found = read_pilots(written(table, tmp_path), 4)
    assert [each.cost.value for each in found.models if each.cost] == [10.0, 10.0]
    assert found.unit == "tokens"
    priced = read_pilots(written(table, tmp_path), 4, GivenCosts(amounts={"weak": 2.0, "strong": 5.0}))
    assert [each.cost.value for each in priced.models if each.cost] == [20.0, 50.0]
    assert priced.unit == "priced tokens"


def test_draws_stopped_at_the_first_success_are_found_and_not_scored(tmp_path: Path) -> None:
    table = sampled(problems=200)
    before = pl.col("correct").cast(pl.Int64).cum_sum().over("model", "problem_id") - pl.col("correct").cast(pl.Int64)
    found = read_pilots(written(table.filter(before == 0), tmp_path), 4)
    assert [each.is_fixed for each in found.models] == [False, False]
    assert all(each.recorded is None for each in found.models)
    assert sum("depends on outcomes, or appears to" in note for note in found.notes) == 2


def test_without_sample_index_rows_are_draws_in_their_order(tmp_path: Path) -> None:
    table = sampled()
    with_index, without = (read_pilots(written(t, tmp_path), 4) for t in (table, table.drop("sample_index")))
    for one, other in zip(with_index.models, without.models, strict=True):
        np.testing.assert_array_equal(one.pilot.successes, other.pilot.successes)
    assert any("no sample_index" in note for note in without.notes)


def test_unequal_draws_are_noted(tmp_path: Path) -> None:
    table = sampled().filter((pl.col("problem_id") != "p1") | (pl.col("sample_index") < 2))
    found = read_pilots(written(table, tmp_path), 4)
    assert any("2 to 4 draws per problem" in note for note in found.notes)


def test_models_of_other_problems_are_refused_and_of_some_others_noted(tmp_path: Path) -> None:
    table = sampled()
    apart = table.filter((pl.col("model") == "weak") == pl.col("problem_id").is_in(["p0", "p1", "p2"]))
    with pytest.raises(InputError, match="drawn for other problems"):
        read_pilots(written(apart, tmp_path), 4)
    partly = table.filter((pl.col("model") == "weak") | pl.col("problem_id").is_in(["p0", "p1", "p2"]))
    found = read_pilots(written(partly, tmp_path), 4)
    assert any("piloted on different problems" in note for note in found.notes)


def test_a_pilot_larger_than_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--pilot 21: model weak has at most 20 graded draws"):
        read_pilots(written(sampled(), tmp_path), 21)


@pytest.mark.parametrize("column", ["problem_id", "model", "correct"])
def test_a_missing_column_is_named(column: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=f"missing column {column}"):
        read_pilots(written(sampled().drop(column), tmp_path), 4)


def test_tables_of_counts_have_no_texts_answers_or_tokens(tmp_path: Path) -> None:
    table = sampled().select("problem_id", "model", "sample_index", "correct")
    found = read_pilots(written(table, tmp_path), 4)
    assert all(each.cost is None and each.tokens is None for each in found.models)
    assert all(len(each.pilot.solution_count) == 0 for each in found.models)
    assert found.answers == ()
    assert any("no texts" in note for note in found.notes)


def test_incorrect_answers_that_models_share_are_counted(tmp_path: Path) -> None:
    wrong = (pl.col("problem_id") == "p0") & (pl.col("sample_index") < 3)
    table = sampled().with_columns(predicted_answer=pl.when(wrong).then(pl.lit("7")).otherwise(pl.col("predicted_answer")))
    found = read_pilots(written(table, tmp_path), 4)
    (one,) = [each for each in found.answers if each.problem_id == "p0"]
    assert one.counts["7"] == {"strong": 3, "weak": 3}
    assert (one.reference, one.drawn) == ("5", {"weak": 4, "strong": 4})
    assert all("5" not in each.counts for each in found.answers)


def test_a_run_s_own_costs_and_policies_are_used(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("arms: {a: {models: [weak], policy: adaptive}, b: {models: [strong]}}\n")
    written(sampled(), tmp_path)
    found = read_pilots(tmp_path, 4)
    assert {each.pilot.model: each.is_fixed for each in found.models} == {"weak": False, "strong": True}
    # Counting tokens would give every model the same price.
    assert all(each.cost is None for each in found.models)

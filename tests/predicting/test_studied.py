"""The pilot of a study's models and problems."""

from pathlib import Path

import polars as pl
import pytest

from isocost.errors import InputError
from isocost.predicting.studied import read_study_pilot
from tests.predicting.tabled import TOKENS, sampled, written

PROBLEMS = [f"p{i}" for i in range(10)]


def test_only_the_studys_models_and_problems_are_read_in_the_studys_order(tmp_path: Path) -> None:
    table = written(sampled().with_columns(num_prompt_tokens=pl.lit(7)), tmp_path)
    found = read_study_pilot(table, ["strong", "weak"], PROBLEMS, 4)
    assert [each.pilot.model for each in found.pilots.models] == ["strong", "weak"]
    assert [sorted(each.pilot.problem_ids) for each in found.pilots.models] == [PROBLEMS, PROBLEMS]
    assert {name: (each.prompt, each.value) for name, each in found.lengths.items()} == {name: (7.0, TOKENS[name]) for name in TOKENS}
    alone = read_study_pilot(table, ["weak"], PROBLEMS, 4)
    assert [each.pilot.model for each in alone.pilots.models] == ["weak"]


def test_a_table_without_prompt_lengths_has_none(tmp_path: Path) -> None:
    assert read_study_pilot(written(sampled(), tmp_path), ["weak"], PROBLEMS, 4).lengths["weak"].prompt is None


def test_a_pilot_that_is_known_to_be_fixed_has_no_scores(tmp_path: Path) -> None:
    table = written(sampled(), tmp_path)
    scored, fixed = (read_study_pilot(table, ["weak"], PROBLEMS, 4, as_fixed=as_fixed).pilots.models[0] for as_fixed in (False, True))
    assert scored.recorded is not None
    assert (fixed.is_fixed, fixed.recorded) == (True, None)


def test_problems_that_a_model_never_drew_for_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no draw of model weak for the training problems of the study"):
        read_study_pilot(written(sampled(), tmp_path), ["weak"], ["other"], 4)

"""Problems to look at: probably impossible, or with a doubtful reference."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.forecasting import Answers
from isocost.forecasting.doubts import agreements, impossible
from isocost.forecasting.joint import Replicates


def test_problems_that_are_more_probably_impossible_than_not_are_listed_most_probable_first() -> None:
    drawn = Replicates(
        models=("a",),
        problem_ids=("p", "q", "r"),
        places=np.arange(3),
        cells=np.zeros((1, 3, 1), np.int64),
        impossible=np.array([0.5, 0.49, 0.9]),
        correlation=None,
    )
    assert [(one.problem_id, one.probability) for one in impossible(drawn)] == [("r", 0.9), ("p", 0.5)]


def answers(counts: dict[str, dict[str, int]], drawn: dict[str, int] | None = None) -> Answers:
    return Answers(problem_id="p", reference="5", drawn=drawn or {"weak": 4, "strong": 4}, counts=counts)


def test_two_models_that_agree_on_an_incorrect_answer_make_the_reference_doubtful() -> None:
    (found,) = agreements([answers({"7": {"weak": 3, "strong": 2}, "8": {"weak": 1, "strong": 1}})])
    assert (found.problem_id, found.answer, found.reference) == ("p", "7", "5")
    assert found.draws == {"weak": (3, 4), "strong": (2, 4)}


@pytest.mark.parametrize("counts", [{"7": {"weak": 4}}, {"7": {"weak": 3, "strong": 1}}, {}])
def test_one_model_or_a_rare_answer_is_no_agreement(counts: dict[str, dict[str, int]]) -> None:
    assert agreements([answers(counts)]) == []


def test_one_draw_of_each_model_is_no_agreement() -> None:
    assert agreements([answers({"7": {"weak": 1, "strong": 1}}, {"weak": 1, "strong": 1})]) == []


def test_the_most_frequent_agreements_come_first() -> None:
    few, many = answers({"7": {"weak": 2, "strong": 2}}), answers({"9": {"weak": 4, "strong": 4}})
    assert [one.answer for one in agreements([few, many])] == ["9", "7"]

"""What makes a study unfit for rounds, found when its file is read."""

from __future__ import annotations

from typing import Any

import pytest

from isocost.errors import StudyError
from isocost.preparing.parts import known_parts
from isocost.studyfile import check_study
from isocost.studyrounds import own_students, round_mistakes, trained_name
from tests.builders import study
from tests.iterated import TINY, raw


def mistakes(**changes: Any) -> list[str]:
    with pytest.raises(StudyError) as caught:
        check_study(raw(**changes), known_parts())
    return list(caught.value.mistakes)


def test_a_study_that_samples_its_students_is_accepted() -> None:
    made = check_study(raw(), known_parts())
    assert made.rounds == 3
    assert own_students(made, "self") == ["base"]
    assert trained_name("base", "self", 2) == "base-self-r2"


def test_a_study_of_one_round_has_none_of_these_mistakes() -> None:
    assert round_mistakes(study(), ()) == []
    assert study().rounds == 1
    assert check_study(raw(rounds=1, students=["strong"]), known_parts()).rounds == 1


def test_an_endpoint_cannot_be_the_model_that_is_trained() -> None:
    endpoint = {"engine": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1", "params": 10}
    (told,) = mistakes(base=endpoint)
    assert told == (
        "finetune.students.0: with rounds, the trained model samples; base has engine openai, whose weights cannot be trained here"
        " (transformers can)"
    )


def test_every_arm_samples_from_a_student_and_trains_it() -> None:
    arms = {"self": {"models": ["base"]}, "strong": {"models": ["strong"]}}
    assert mistakes(arms=arms) == [
        "arms.strong: with rounds, every arm trains the model that samples next; add it to finetune.arms, or leave it out",
        "arms.strong.models: with rounds, an arm samples from a student (base); this one would not change from round to round",
    ]


def test_several_budgets_are_refused() -> None:
    budget = {"unit": "flops", "match": {"model": "base", "samples_per_problem": 6}}
    (told,) = mistakes(budgets={"low": budget, "high": budget})
    assert told == "finetune.rounds: needs one budget, and the study has low, high; keep one, and run the others apart"


def test_a_number_of_samples_that_rounds_do_not_divide_is_refused() -> None:
    (told,) = mistakes(arms={"self": {"models": ["base"], "samples_per_problem": 8}})
    assert told == "arms.self.samples_per_problem: 8 is not divisible by 3 rounds"


def test_names_of_trained_models_must_be_free_and_short_enough() -> None:
    (taken,) = mistakes(models={"base-self-r2": {"engine": "transformers", "model": "lab:tiny"}})
    assert taken == "models.base-self-r2: is the name of base after round 2; choose another"
    arm = "a" * 55
    (long,) = mistakes(arms={arm: {"models": ["base"]}}, trained=[arm])
    assert long.endswith("of more than 60 characters; shorten its name")


@pytest.mark.parametrize("rounds", [0, 101, "many"])
def test_a_number_of_rounds_out_of_range_is_refused(rounds: object) -> None:
    assert mistakes(rounds=rounds)[0].startswith("finetune.rounds: ")


def test_a_model_is_trained_from_a_model_of_the_study() -> None:
    (told,) = mistakes(base={"engine": "transformers", "model": "lab:tiny", "trained_from": "bse"})
    assert told.startswith('models.base.trained_from: unknown model "bse"; did you mean "base"?')


def test_two_models_that_would_have_one_name_after_a_round_are_refused() -> None:
    arms = {"b-c": {"models": ["base"]}, "c": {"models": ["base-b"]}}
    (told,) = mistakes(arms=arms, trained=["b-c", "c"], students=["base", "base-b"], models={"base-b": {**TINY, "model": "lab:weak"}})
    assert told == (
        "arms.c: with rounds, two models have the name base-b-c-r1: base trained on b-c, and base-b trained on c; rename an arm or a model"
    )

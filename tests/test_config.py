"""Sections of the study file refuse what they do not know, and a model's own settings stand in for the study's key by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from isocost.config import Arm, AuditSpec, Budget, ExecutorSpec, GraderSpec, ModelSpec, OpenSection, Price, Section, Study, models, training
from isocost.config import study as sections
from isocost.config.study import Match

STUDY: dict[str, Any] = {
    "name": "small",
    "problems": {"train": {"source": "gsm8k", "split": "train"}},
    "models": {"weak": {"engine": "transformers", "model": "a/b"}},
    "prompt": {"template": "gsm8k-8shot", "chat": True, "system": "Be brief."},
    "sampling": {"temperature": 0.7, "max_tokens": 64},
    "arms": {"weak": {"models": ["weak"]}},
}
KINDS = [kind for module in (models, sections, training) for kind in vars(module).values() if isinstance(kind, type)]
SECTIONS = [kind for kind in dict.fromkeys(KINDS) if issubclass(kind, BaseModel)]


def types_in(annotation: object) -> Iterator[object]:
    yield annotation
    for part in get_args(annotation):
        yield from types_in(part)


def study(**changes: Any) -> Study:
    return Study.model_validate(STUDY | changes)


def of_weak(**own: Any) -> Study:
    return study(models={"weak": {"engine": "transformers", "model": "a/b", **own}})


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_a_section_is_frozen_and_either_refuses_unknown_keys_or_hands_them_to_its_part(section: type[BaseModel]) -> None:
    assert section.model_config["frozen"]
    assert section.model_config["extra"] == ("allow" if issubclass(section, OpenSection) else "forbid")
    assert issubclass(section, Section | OpenSection)


def test_keys_that_a_model_section_does_not_know_are_options_of_its_engine() -> None:
    assert study().models["weak"].options == {"model": "a/b"}
    assert study().problems.train.options == {"split": "train"}


@pytest.mark.parametrize(
    ("section", "raw", "message"),
    [
        (Budget, {"unit": "flops"}, "give either amount or match"),
        (Budget, {"unit": "flops", "amount": 1, "match": {"model": "m", "samples_per_problem": 1}}, "give either amount or match"),
        (Budget, {"unit": "flops", "amount": float("inf")}, "finite"),
        (Arm, {"models": []}, "at least 1"),
        (Arm, {"models": ["m", "m"]}, "'m' occurs twice"),
        (Price, {"input": 1}, "output is missing"),
        (Price, {"output": 1, "gpu_hour": 2, "tokens_per_second": 9}, "two kinds of price"),
        (Price, {"gpu_hour": 2}, "tokens_per_second is missing"),
        (Price, {"output": 1, "gpus": 2}, "gpu_hour is missing"),
        (Price, {"output": False}, "must be a number"),
        (ExecutorSpec, {"name": "local", "workers": 2}, "workers goes with name: ray"),
        (AuditSpec, {"by": "judge"}, "by: judge needs model"),
        (AuditSpec, {"max_tokens": 5}, "max_tokens goes with by: judge"),
        (ModelSpec, {"engine": "replay", "params": 1 << 63}, "less than"),
    ],
)
def test_values_that_do_not_fit_together_are_refused(section: type[BaseModel], raw: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        section.model_validate(raw)


NUMBERS = [
    pytest.param(section, name, id=f"{section.__name__}.{name}")
    for section in SECTIONS
    for name, field in section.model_fields.items()
    if {int, float} & set(types := list(types_in(field.annotation))) and bool not in types
]


@pytest.mark.parametrize(("section", "name"), NUMBERS)
def test_true_is_no_number(section: type[BaseModel], name: str) -> None:
    for value in (True, [True]):
        with pytest.raises(ValidationError) as caught:
            section.model_validate({name: value})
        of_field = [error for error in caught.value.errors() if error["loc"] == (name,)]
        assert [error["msg"] for error in of_field] == ["Value error, must be a number"]


TOO_LARGE = [1e308, float("inf"), float("nan"), -1]


@pytest.mark.parametrize(
    ("section", "name", "values"),
    [
        (Match, "samples_per_problem", [*TOO_LARGE, 0]),
        (ModelSpec, "tokens_per_sample", [*TOO_LARGE, 0]),
        (Budget, "amount", [*TOO_LARGE, 0, 1e-308]),
        (Price, "output", TOO_LARGE),
    ],
)
def test_a_number_that_sums_and_quotients_could_not_hold_is_refused(section: type[BaseModel], name: str, values: list[float]) -> None:
    for value in values:
        with pytest.raises(ValidationError) as caught:
            section.model_validate({name: value})
        assert (name,) in [error["loc"] for error in caught.value.errors()]


def test_a_model_has_the_sampling_of_the_study_but_for_the_keys_of_its_own() -> None:
    own = of_weak(sampling={"temperature": 1.0}).sampling_of("weak")
    assert (own.temperature, own.max_tokens) == (1.0, 64)
    assert study().sampling_of("weak") == study().sampling


def test_a_model_has_the_prompt_of_the_study_but_for_the_keys_of_its_own() -> None:
    assert study().prompt_of("weak") == study().prompt
    assert of_weak(prompt={"system": "Be long."}).prompt_of("weak").system == "Be long."
    assert of_weak(prompt={"template": "math-4shot"}).prompt_of("weak").system == "Be brief."
    assert of_weak(prompt={"chat": False}).prompt_of("weak").system is None


def test_a_form_and_a_template_replace_each_other() -> None:
    own = of_weak(prompt={"form": "{question}"}).prompt_of("weak")
    assert (own.form, own.template, own.chat) == ("{question}", None, True)


def test_a_name_stands_for_an_executor() -> None:
    assert study(executor="ray").executor == ExecutorSpec(name="ray")


def test_students_of_a_judged_study_are_graded_against_reference_answers() -> None:
    judged = study(grader={"name": "judge", "model": "weak"})
    assert judged.is_judged
    assert judged.reference_grader == GraderSpec()
    assert not study().is_judged
    assert study(grader={"name": "number"}).reference_grader.name == "number"


def test_an_engine_outside_isocost_may_have_an_option_called_batch() -> None:
    own = ModelSpec.model_validate({"engine": "mine:open_engine", "batch": 4})
    assert own.options == {"batch": 4}
    assert not own.is_batched
    assert ModelSpec.model_validate(own.model_dump()).options == {"batch": 4}
    endpoint = ModelSpec.model_validate({"engine": "openai", "batch": True})
    assert endpoint.is_batched
    assert endpoint.options == {}
    with pytest.raises(ValidationError, match="valid boolean"):
        ModelSpec.model_validate({"engine": "openai", "batch": 4})

"""Mistakes of a study beyond the types of its values."""

from __future__ import annotations

from typing import Any

import pytest

from isocost.hints import nearest
from isocost.preparing.parts import known_parts
from isocost.studynames import references
from tests.builders import raw_study


def mistakes(**changes: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return list(references(raw_study(**changes), known_parts()))


def test_a_sound_study_has_none() -> None:
    assert mistakes() == []


@pytest.mark.parametrize(
    ("policy", "models", "mistake"),
    [
        ("dart", ["weak", "strong"], "the policy dart takes one model, got 2"),
        ("first-hit", ["weak", "strong"], "the policy first-hit takes one model, got 2"),
        ("mixed", ["weak"], "the policy mixed takes at least two models, got 1"),
        ("cascade", ["weak"], "the policy cascade takes at least two models, got 1"),
    ],
)
def test_a_policy_has_the_number_of_models_that_it_takes(policy: str, models: list[str], mistake: str) -> None:
    assert mistakes(arms={"a": {"policy": policy, "models": models}}) == [(("arms", "a", "models"), mistake)]


@pytest.mark.parametrize("policy", ["adaptive", "auto", "module:Own"])
def test_other_policies_take_any_number(policy: str) -> None:
    assert [mistakes(arms={"a": {"policy": policy, "models": models}}) for models in (["weak"], ["weak", "strong"])] == [[], []]


def test_sections_of_other_types_are_passed_over() -> None:
    assert mistakes(arms={"a": {"policy": [], "models": "weak"}}, budgets=3) == [
        (("arms", "a"), "has nothing to spend; add a budget under budgets, or samples_per_problem here")
    ]


def test_the_nearest_name_or_all_names_are_offered() -> None:
    assert nearest("unifrom", ["uniform", "dart"]) == 'did you mean "uniform"?'
    assert nearest("zzz", ["uniform", "dart"]) == "known: dart, uniform"
    assert nearest("zzz", []) == "none is defined"


def test_training_sets_need_an_audit_that_the_study_makes() -> None:
    arms = {"a": {"models": ["weak"], "curate": {"audit": "judge"}}, "b": {"models": ["weak"], "curate": {"audit": "steps"}}}
    wanted = "no model judges the reasoning; add audit: {by: judge, model: NAME}, or use audit: steps here"
    assert mistakes(arms=arms) == [(("arms", "a", "curate", "audit"), wanted)]
    assert mistakes(curate={"audit": "judge"}) == [(("curate", "audit"), wanted)]
    assert mistakes(curate={"audit": ["steps", "judge"]}) == [(("curate", "audit"), wanted)]
    assert mistakes(curate={"audit": ["steps", "labels"]}) == []
    assert mistakes(arms=arms, audit={"by": "judge", "model": "weak"}) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test", '"test" is no set: '),
        ("gsm8l:test", 'unknown problem source "gsm8l"; did you mean "gsm8k"?'),
        ("held.csv", '"held.csv" is no set: '),
        ("gsm8k:test", None),
        ("held.jsonl", None),
    ],
)
def test_near_duplicates_are_looked_for_in_sets_that_can_be_found(name: str, message: str | None) -> None:
    found = mistakes(curate={"decontaminate": [name]})
    assert [(keys, text[: len(message)]) for keys, text in found if message] == (
        [(("curate", "decontaminate", 0), message)] if message else []
    )
    assert bool(found) is (message is not None)

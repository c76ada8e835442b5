"""Digests of terms, under which rounds are recorded."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from isocost.ids import digest
from isocost.policies.base import KeptPerProblem, MixedGroups, Terms
from isocost.sampling.cells import _terms_fields

TERMS = Terms(
    problem_ids=("p", "q"),
    models=("a", "b"),
    amount=12.5,
    unit="usd",
    basis="realised",
    expected={"a": 1.0, "b": 2.0},
    worst={"a": 3.0, "b": 4.0},
    samples_per_problem=None,
    seed=7,
    piloted={("q", "b"): 2, ("p", "a"): 1},
    prompt={"a": 0.5},
)
LATER = {
    "objective": KeptPerProblem(4),
    "false_positive_rates": {"a": 0.1},
    "labels": {"p": 1.0},
    "shares": {"a": 0.5, "b": 0.5},
    "target": 3,
    "by_difficulty": True,
    "per_request": {"a": 4},
    "large_rounds": True,
}


def stamp(terms: Terms) -> str:
    return digest("terms", _terms_fields(terms), "uniform")


def test_rounds_of_earlier_versions_are_found_under_the_digest_that_they_had() -> None:
    assert stamp(TERMS) == "65de1b52d873373a"


@pytest.mark.parametrize("name", LATER)
def test_each_field_changes_the_digest(name: str) -> None:
    assert stamp(replace(TERMS, **{name: LATER[name]})) != stamp(TERMS)  # type: ignore[arg-type]


def test_a_longer_table_is_no_reason_to_allocate_again() -> None:
    assert stamp(replace(TERMS, available={("q", "a"): 3})) == stamp(TERMS)


def test_objectives_with_the_same_number_differ() -> None:
    assert stamp(replace(TERMS, objective=KeptPerProblem(4))) != stamp(replace(TERMS, objective=MixedGroups(4)))


def test_no_field_is_missing() -> None:
    first = len(_terms_fields(TERMS))
    assert first + len(LATER) + len(["available"]) == len(fields(Terms)), "mark a new field as ADDED_LATER, and add it to LATER"

"""Scores with values other than 0 and 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.errors import TableError
from isocost.tables import scan_table
from isocost.tables.scores import rule_for
from tests.tables import foreign
from tests.tables.test_formats import read, verdicts


def rewards(path: Path, *values: float) -> Path:
    return foreign.lines(path, [foreign.rollout(place, value) for place, value in enumerate(values)])


def test_a_reward_that_is_a_fraction_somewhere_grades_nothing(tmp_path: Path) -> None:
    path = rewards(tmp_path / "results.jsonl", 0.0, 1.0, 0.9)
    rows, account = read(path)
    assert verdicts(rows) == [None] * 3
    assert not account.scores
    assert verdicts(read(path, rule="reward>=0.5")[0]) == [False, True, True]
    assert verdicts(read(rewards(path, 0.0, 1.0))[0]) == [False, True]


def test_a_rule_on_the_reward_takes_no_verdict_for_one(tmp_path: Path) -> None:
    row = {"problem_id": 1, "model": "m", "generation": "2", "correct": True}
    rows = [row, {**row, "problem_id": 2, "reward": 0.2}]
    assert verdicts(read(foreign.lines(tmp_path / "r.jsonl", rows), rule="reward>=0.5")[0]) == [None, False]


def test_commands_refuse_a_fraction_and_name_a_rule_that_fits(tmp_path: Path) -> None:
    path = rewards(tmp_path / "results.jsonl", 0.0, 0.9)
    with pytest.raises(TableError) as caught:
        scan_table(str(path))
    assert str(caught.value) == (
        f'{path}:2: score "reward" has the value 0.9, neither 0 nor 1\n'
        "  say what counts as correct, for example: isocost import FILE -o TABLE --correct 'reward>=0.5'"
    )


def test_fractions_without_texts_name_a_rule(tmp_path: Path) -> None:
    path = foreign.lines(tmp_path / "r.jsonl", [{"problem_id": i, "model": "m", "reward": i / 2} for i in range(3)])
    with pytest.raises(TableError, match="neither 0 nor 1\n  say what counts as correct, for example: isocost import"):
        read(path)


@pytest.mark.parametrize(
    ("values", "threshold"),
    [
        ((0.0, 0.9), "0.5"),
        ((0.0, 0.1, 1.0, 1.1), "0.6"),
        ((0.0, 0.5, 1.0), "0.8"),
        ((0.9,), "0.9"),
        ((0.9991, 0.9992), "0.99915"),
        ((-3, 5), "1"),
    ],
)
def test_the_threshold_of_a_rule_lies_between_values(values: tuple[float, ...], threshold: str) -> None:
    assert rule_for("reward", values) == f"--correct 'reward>={threshold}'"

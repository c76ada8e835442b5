"""Draws of other settings that a start would buy again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from isocost.events import Note
from isocost.sampling.formerpools import note_former_draws
from isocost.store import RunDirectory
from tests.sampling.pooling import FACTS, buy_all, order, pool_in, problems, wanted


def notes(folder: Path, identity: str = "weights", **questions: str) -> list[str]:
    found: list[str] = []
    pool = pool_in(folder, problems("p", **questions), facts=replace(FACTS, identity=identity))
    note_former_draws({"weak": pool}, RunDirectory(folder), lambda event: found.append(event.text if isinstance(event, Note) else ""))
    return found


@pytest.mark.parametrize("is_sealed", [True, False])
def test_draws_of_other_settings_are_told_and_those_of_other_questions_are_not(tmp_path: Path, is_sealed: bool) -> None:
    pool = pool_in(tmp_path, problems("p"))
    assert notes(tmp_path) == []
    order(pool, ("p", 0, 3))
    buy_all(pool, wanted(p=3))
    if is_sealed:
        pool.seal()
    assert notes(tmp_path) == []
    assert notes(tmp_path, p="Another question?") == []
    (told,) = notes(tmp_path, "other weights")
    assert told.startswith("weak: it is sampled from the start; its 3 stored draws of before do not count, as the model, ")

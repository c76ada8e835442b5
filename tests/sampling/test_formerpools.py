"""Draws of other settings that a start would buy again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from isocost.events import Note
from isocost.running import dry_run, plan_from_pilot, run, runs
from isocost.sampling.formerpools import note_former_draws
from isocost.store import RunDirectory
from tests.builders import InlineExecutor, recorded, write_study, write_table
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
    assert told.startswith("weak: it is sampled from the start; its 3 stored draws of before do not count, as the model (its ")


def test_a_dry_run_tells_of_draws_that_would_not_count_and_a_plan_of_changed_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    study, out = write_study(tmp_path, pilot={"problems": 10, "samples_per_problem": 2}), tmp_path / "run"
    write_table(tmp_path, recorded(30, 12))
    run(study, out, until="pilot")

    def told(rehearse: Callable[..., object], *settings: str, folder: Path = out) -> list[str]:
        found: list[str] = []
        rehearse(study, settings, out=folder, listener=lambda event: found.append(event.text if isinstance(event, Note) else ""))
        return [each.partition(" would not count")[0] for each in found if "would not count" in each or "changed" in each]

    changed = "sampling.temperature=0.3"
    expected = [f"{name}: it would be sampled from the start; its stored draws in {out}" for name in ("weak", "strong")]
    assert [told(dry_run), told(dry_run, changed), told(dry_run, changed, folder=tmp_path / "none")] == [[], expected, []]
    assert told(plan_from_pilot) == []
    (text,) = told(plan_from_pilot, changed)
    assert text.startswith("settings changed since the last start: sampling.temperature 0.3 (was ")
    assert told(plan_from_pilot, changed, folder=tmp_path / "none") == []

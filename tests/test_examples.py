"""The example study files and the packaged one: each is planned, which checks everything that needs no download."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.lab import study_file
from isocost.preparing.prepare import known_parts
from isocost.running import plan_study
from isocost.studyfile import load_study
from tests.matrices import first_fast

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.yaml"))


def test_there_are_at_most_eight() -> None:
    assert 1 <= len(EXAMPLES) <= 8


@pytest.mark.parametrize("path", [*EXAMPLES, study_file("demo")], ids=lambda path: path.stem)
def test_the_study_file_is_valid(path: Path) -> None:
    assert load_study(path, (), known_parts()).name


@pytest.mark.parametrize("name", first_fast(["paper", "full"]))
def test_the_plan_of_a_study_without_downloads(name: str) -> None:
    path = next(p for p in EXAMPLES if p.stem == name)
    _, _, plans = plan_study(path)
    counts = {plan.cell.name: round(sum(plan.samples_per_problem.values()), 2) for plan in plans}
    assert counts["strong@low"] == 1
    assert counts["strong@high"] == 10
    if name == "paper":
        assert (counts["weak@low"], counts["weak@high"]) == (3, 30)

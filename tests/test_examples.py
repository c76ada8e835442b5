"""The example study files and the packaged one: each is planned, which checks everything that needs no download."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isocost.lab import study_file
from isocost.preparing.parts import known_parts
from isocost.running import dry_run, plan_study, runs
from isocost.studyfile import load_study
from tests.builders import InlineExecutor
from tests.matrices import first_fast

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.yaml"))


def test_there_are_at_most_ten() -> None:
    assert 1 <= len(EXAMPLES) <= 10


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


def code_stand_ins(folder: Path) -> list[str]:
    """Settings that put a small file and an embedded model in the place of each download."""
    mbpp = {"task_id": 601, "text": "Add one.", "code": "def f(x):\n    return x + 1", "test_list": ["assert f(1) == 2"]}
    human = {
        "task_id": "HumanEval/0",
        "prompt": "def g(x):\n",
        "entry_point": "g",
        "canonical_solution": "    return x\n",
        "test": "def check(g):\n    assert g(1) == 1\n",
    }
    rows = {"train": [mbpp], "validation": [{**mbpp, "task_id": 511, "text": "Add one to x."}], "test": [human]}
    for split, own in rows.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in own))
    return [
        *(f"problems.{split}.path={folder / split}.jsonl" for split in rows),
        *(f"models.{name}.model=lab:{name}" for name in ("weak", "strong")),
    ]


@pytest.mark.parametrize("name", first_fast(["ablations", "full", "judge", "code", "iterated"]))
def test_a_study_of_the_paper_passes_a_dry_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    monkeypatch.setenv("OPENAI_API_KEY", "never-sent")
    path = next(p for p in EXAMPLES if p.stem == name)
    prepared, _, plans, prompts = dry_run(path, code_stand_ins(tmp_path) if name == "code" else ())
    assert {plan.cell.arm for plan in plans} == set(prepared.study.arms)
    assert all(f"{model}:" in prompts or model in prompts for plan in plans for model in plan.models)


def test_the_ablations_are_those_of_the_paper() -> None:
    study = load_study(next(p for p in EXAMPLES if p.stem == "ablations"), (), known_parts())
    rules = {arm: study.curate_of(arm) for arm in study.arms}
    assert rules["weak-one"].per_problem == 1
    assert rules["strong-500"].problems == 500
    assert rules["weak-all"].filter == "none"
    # A control differs from its arm in the one thing that it controls for: the draws are the same.
    assert study.arms["weak-one"].models == study.arms["weak"].models
    assert study.finetune is not None
    assert set(study.finetune.arms) == set(study.arms)

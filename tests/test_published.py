"""The paper's cost matching, through the study file and the plan (method.md, section 2): no model is opened, sizes and prices are given."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from isocost.executors.local import LocalExecutor
from isocost.records import CellPlan
from isocost.running import plan_study
from tests.builders import raw_study, write_problems

GEMMA2_9B, GEMMA2_27B = 9_000_000_000, 27_000_000_000


@pytest.fixture(autouse=True)
def no_model_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(LocalExecutor, "submit", refuse)


def plans(folder: Path, **changes: Any) -> dict[str, CellPlan]:
    write_problems(folder, 40)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(raw_study(**changes)), encoding="utf-8")
    return {plan.cell.name: plan for plan in plan_study(path)[2]}


def model(hub_name: str, **facts: object) -> dict[str, object]:
    return {"engine": "transformers", "model": hub_name, **facts}


GEMMA = {"weak": model("google/gemma-2-9b", params=GEMMA2_9B), "strong": model("google/gemma-2-27b", params=GEMMA2_27B)}
GEMINI = {"weak": model("flash", price={"output": 0.3}), "strong": model("pro", price={"output": 10.5})}


@pytest.mark.parametrize(("strong", "weak"), [(1, 3), (10, 30)])
def test_gemma2_9b_against_27b(tmp_path: Path, strong: int, weak: int) -> None:
    found = plans(tmp_path, models=GEMMA, budgets={"b": {"unit": "flops", "match": {"model": "strong", "samples_per_problem": strong}}})
    assert found["strong@b"].samples_per_problem == {"strong": strong}
    assert found["weak@b"].samples_per_problem == {"weak": weak}
    assert found["weak@b"].cost.flops == found["strong@b"].cost.flops == pytest.approx(2 * GEMMA2_27B * 64 * strong * 40)


@pytest.mark.parametrize("strong", [1, 5])
def test_gemini_flash_against_pro_by_price(tmp_path: Path, strong: int) -> None:
    found = plans(tmp_path, models=GEMINI, budgets={"b": {"unit": "usd", "match": {"model": "strong", "samples_per_problem": strong}}})
    assert found["weak@b"].samples_per_problem == {"weak": 35 * strong}
    assert found["strong@b"].samples_per_problem == {"strong": strong}
    assert found["weak@b"].cost.usd == pytest.approx(10.5e-6 * 64 * strong * 40)
    assert found["weak@b"].cost.flops is None


def test_declared_lengths_make_the_ratio_one_of_costs(tmp_path: Path) -> None:
    """Equal counts times 2P are not equal cost: a weak model that writes three times as much buys as many samples, not three times."""
    models = {"weak": GEMMA["weak"] | {"tokens_per_sample": 60}, "strong": GEMMA["strong"] | {"tokens_per_sample": 20}}
    found = plans(tmp_path, models=models, budgets={"b": {"unit": "flops", "match": {"model": "strong", "samples_per_problem": 4}}})
    assert found["weak@b"].samples_per_problem == {"weak": 4}


def test_number_matched_arms_keep_their_count(tmp_path: Path) -> None:
    found = plans(tmp_path, models=GEMMA)
    assert found["equal@number"].samples_per_problem == {"weak": 2}
    assert found["equal@number"].amount is None
    assert found["equal@number"].cost.flops == pytest.approx(2 * GEMMA2_9B * 64 * 2 * 40)

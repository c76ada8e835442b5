"""A plan's lines on models that are bought in batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isocost.running import plan_study, runs
from isocost.summaries.plans import to_markdown
from tests.builders import InlineExecutor
from tests.openai_runs import model, raw, write

PRICE = {"input": 10.0, "output": 100.0, "batch": {"input": 5.0, "output": 40.0}}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def line(folder: Path, *, price: dict[str, Any] = PRICE, batch: bool = True, **changes: Any) -> str:
    """The lines of the plan that name batches, of 8 problems, prompts of 6 tokens and solutions of 20."""
    one = model("http://127.0.0.1:1/v1", price=price, batch=batch, tokens_per_sample=20)
    study = write(folder, raw("", models={"weak": one}, **changes))
    text = to_markdown(*plan_study(study))
    return "\n".join(each for each in text.splitlines() if "batches" in each)


def test_a_fixed_plan_is_one_round_with_the_dollars_that_it_saves(tmp_path: Path) -> None:
    found = line(tmp_path)
    assert found.startswith("weak is bought in batches: 1 round, each of which may take 24 hours, so up to 24 hours in all. ")
    # 24 draws of 6 + 20 tokens: $0.01992 and $0.04944
    assert "Its samples cost $0.020, sent singly $0.049: $0.030 saved." in found


def test_a_pilot_is_a_round_of_its_own(tmp_path: Path) -> None:
    arms = {"weak": {"models": ["weak"]}}
    found = line(tmp_path, arms=arms, pilot={"problems": 4, "samples_per_problem": 1}, budgets={"low": {"unit": "usd", "amount": 1}})
    assert "2 rounds, each of which may take 24 hours, so up to 48 hours in all" in found


def test_rounds_of_a_policy_that_observes_outcomes_double_until_the_money_is_spent(tmp_path: Path) -> None:
    arms = {"weak": {"models": ["weak"], "policy": "adaptive"}}
    one = 8 * (20 * 40 + 6 * 5) / 1e6  # a draw for each problem
    found = line(tmp_path, arms=arms, budgets={"low": {"unit": "usd", "amount": 8 * one}})
    assert "about 4 rounds" in found
    assert "up to 96 hours" in found


def test_without_prices_of_single_requests_only_the_wait_is_told(tmp_path: Path) -> None:
    found = line(tmp_path, price={"output": 100.0, "batch": PRICE["batch"]})
    assert found.endswith("up to 24 hours in all.")


def test_a_model_that_is_asked_singly_is_not_named(tmp_path: Path) -> None:
    assert line(tmp_path, batch=False) == ""


def test_prompts_are_read_once_per_request(tmp_path: Path) -> None:
    """3 draws of each of 8 problems, two to a request, read its prompt twice: 24 x 20 tokens at $40, 16 x 6 at $5 and the same singly."""
    one = model("http://127.0.0.1:1/v1", price=PRICE, batch=True, tokens_per_sample=2000, n=2, prompt_tokens=60_000)
    study = write(tmp_path, raw("", models={"weak": one}, sampling={"max_tokens": 2000}))
    (found,) = [each for each in to_markdown(*plan_study(study)).splitlines() if "bought in batches" in each]
    cheap, dear = (24 * 2000 * output / 1e6 + 16 * 60_000 * entry / 1e6 for entry, output in ((5, 40), (10, 100)))
    assert f"Its samples cost ${cheap:.2f}, sent singly ${dear:.2f}: ${dear - cheap:.2f} saved." in found

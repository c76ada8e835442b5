"""Endpoints that answer several draws of a request for the price of one prompt: what is planned is what is billed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from isocost.costs import expected
from isocost.sampling import data
from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

PROMPT, DRAW = 7 * 100 / 1e6, 9 * 10 / 1e6  # dollars: what the endpoint reads and writes has the same length for every problem
N = 8  # problems


def study(url: str, n: int, **changes: Any) -> dict[str, Any]:
    """A model whose prompts cost far more than its draws."""
    priced = {"prompt_tokens": 7, "tokens_per_sample": 9, "price": {"input": 100.0, "output": 10.0}}
    return runs.raw(url, models={"weak": runs.model(url, n=n, **priced)}, **changes)


def planned(shell: Shell, path: Path) -> dict[str, Any]:
    left = shell("plan", path, "--json")
    assert left.code == 0, left
    found: dict[str, Any] = json.loads(left.out)["budgets"]
    return found


def billed(out: Path) -> float:
    """What the endpoint was owed: a prompt per request, and the draws."""
    return sum(e["usd"] for e in runs.ledger(out) if e["event"] == "done")


@pytest.mark.parametrize("n", first_fast([4, 1, 3, 16]))
@pytest.mark.parametrize("amount", first_fast([0.0311, 0.03, 0.0099]))
@pytest.mark.parametrize("pilot", first_fast([{"problems": 5, "samples_per_problem": 2}, None]))
def test_a_planned_budget_costs_what_it_says(n: int, amount: float, pilot: dict[str, int] | None, tmp_path: Path, shell: Shell) -> None:
    with Server() as server:
        own = study(server.url, n, budgets={"low": {"unit": "usd", "amount": amount}}, arms={"weak": {"models": ["weak"]}}, pilot=pilot)
        path = runs.write(tmp_path, own)
        (choice,) = planned(shell, path)["low"]["choices"]
        left = shell("run", path, "-o", tmp_path / "out")
        assert left.code == 0, left
        requests = runs.completions(server)
    assert choice["cost"]["usd"] == pytest.approx(billed(tmp_path / "out"))
    assert choice["cost"]["usd"] == pytest.approx(requests * PROMPT + len(runs.stored(tmp_path / "out")) * DRAW)
    assert amount - (PROMPT + DRAW) < choice["cost"]["usd"] <= amount


@pytest.mark.parametrize("n", first_fast([3, 1, 4, 16]))
@pytest.mark.parametrize("count", first_fast([7, 2, 16]))
def test_a_matched_budget_is_the_bill_of_the_draws_that_it_matches(n: int, count: int, tmp_path: Path, shell: Shell) -> None:
    with Server() as server:
        budgets = {"low": {"unit": "usd", "match": {"model": "weak", "samples_per_problem": count}}}
        arms = {"weak": {"models": ["weak"]}, "given": {"models": ["weak"], "samples_per_problem": count}}
        path = runs.write(tmp_path, study(server.url, n, budgets=budgets, arms=arms))
        low = planned(shell, path)["low"]
        assert shell("run", path, "-o", tmp_path / "out").code == 0
    assert low["amount"] == pytest.approx(billed(tmp_path / "out"))
    assert low["choices"][0]["samples_per_problem"] == {"weak": count}
    assert len(runs.stored(tmp_path / "out")) == count * N


@pytest.mark.parametrize("policy", first_fast(["first-hit", "adaptive"]))
def test_a_policy_that_observes_is_charged_for_the_prompts_of_its_rounds(policy: str, tmp_path: Path, shell: Shell) -> None:
    """No answer is right, so every problem is asked again in each round, in a request of its own."""
    with Server(answer=lambda prompt, seed, choice: "so by all of this the answer is 999") as server:
        budgets = {"low": {"unit": "usd", "amount": 0.03}}
        arms = {"weak": {"models": ["weak"], "policy": policy}}
        path = runs.write(tmp_path, study(server.url, 4, budgets=budgets, arms=arms))
        left = shell("run", path, "-o", tmp_path / "out")
        assert left.code == 0, left
    assert 0.03 - (PROMPT + DRAW) < billed(tmp_path / "out") <= 0.03 * (1 + 1e-9)


@pytest.mark.slow
def test_a_run_that_an_earlier_version_began_keeps_its_plan(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier versions counted a prompt per problem, however many requests it took: 0.03 dollars paid for 34 draws each."""

    def as_before(*arguments: Any) -> dict[str, expected.DrawCost]:
        return {name: data.replace(each, per_request=None) for name, each in expected.draw_costs(*arguments).items()}

    with Server() as server:
        own = study(server.url, 4, budgets={"low": {"unit": "usd", "amount": 0.03}}, arms={"weak": {"models": ["weak"]}})
        path, out = runs.write(tmp_path, own), tmp_path / "out"
        with monkeypatch.context() as earlier:
            earlier.setattr(data, "draw_costs", as_before)
            assert shell("run", path, "-o", out).code == 0
        requests, rounds = runs.completions(server), (out / "arms" / "weak@low" / "rounds.jsonl").read_bytes()
        assert len(runs.stored(out)) == 271
        again = shell("run", path, "-o", out)
        assert again.code == 0, again
        assert runs.completions(server) == requests
        assert (out / "arms" / "weak@low" / "rounds.jsonl").read_bytes() == rounds
        larger = shell("run", path, "-o", out, "--set", "budgets.low.amount=0.1")
        assert larger.code == 0, larger
        assert 0.1 - (PROMPT + DRAW) < json.loads((out / "plan.json").read_text())["budgets"]["low"]["choices"][0]["cost"]["usd"] <= 0.1

"""Costs of a judge's verdicts."""

from pathlib import Path

import pytest

from isocost.judging.replies import verdict_cost
from tests import openai_runs as runs
from tests.costs.cards import card
from tests.engines.openai.server import Server
from tests.judging.test_unanswered import Judging, write
from tests.judging_engine import JUDGING
from tests.openai_runs import Shell, shell

__all__ = ["shell"]


def test_a_verdict_costs_two_flops_per_parameter_and_token_read_or_written() -> None:
    assert verdict_cost(card(parameters=10, flops_per_token=20.0), 100, 5).flops == 20 * (100 + 5)


def test_a_verdict_of_a_model_of_unknown_size_has_its_price_alone() -> None:
    judge = card(parameters=None, flops_per_token=None, usd_per_million={"input": 1.0, "output": 10.0})
    cost = verdict_cost(judge, 100, 5)
    assert cost.flops is None
    assert cost.usd == (100 * 1.0 + 5 * 10.0) / 1e6


def test_a_judges_tokens_of_a_cache_are_charged_at_their_own_prices(tmp_path: Path, shell: Shell) -> None:
    judge = card(usd_per_million={"input": 1.0, "output": 10.0, "input_cache_read": 0.1, "input_cache_write": 2.0})
    cost = verdict_cost(judge, 100, 5, cached_tokens=60, cache_write_tokens=30)
    assert cost.usd == pytest.approx((10 * 1.0 + 60 * 0.1 + 30 * 2.0 + 5 * 10.0) / 1e6)

    prices = {"input": 1.0, "output": 10.0, "input_cache_read": 0.0}
    with Server(every={"cached": 1}, answer=Judging._solve_or_judge) as server:
        path = write(tmp_path, server, judge={"price": prices})
        assert shell("run", path, "-o", tmp_path / "out").code == 0
        prompts = sum(len(sent.prompt.split()) - 2 for sent in server.asked if JUDGING in sent.prompt)  # two of each are cached
    lines = runs.ledger(tmp_path / "out")
    asked = {line["request"] for line in lines if line["event"] == "reserve" and line["account"] == "judge"}
    verdicts = [line for line in lines if line["event"] == "done" and line["request"] in asked]
    tokens = sum(line["tokens"] for line in verdicts)
    assert sum(line["usd"] for line in verdicts) == pytest.approx((prompts * 1.0 + tokens * 10.0) / 1e6)

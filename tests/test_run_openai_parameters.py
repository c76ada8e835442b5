"""Parameters that an endpoint refuses are left out, and reasoning beside the content is kept: whole studies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests import openai_runs as runs
from tests.engines.openai.replies import FAULTS, Asked, Reply
from tests.engines.openai.server import Server
from tests.openai_runs import Shell, shell

__all__ = ["shell"]


def test_every_parameter_can_be_left_out_of_a_judges_requests_too(tmp_path: Path, shell: Shell) -> None:
    sampling = {"temperature": None, "top_p": None, "top_k": None, "stop": None, "max_tokens": runs.MAX_TOKENS}
    options = {"seeds": False, "max_tokens_field": None}
    with Server() as server, Server() as judge:
        models = {
            "weak": runs.model(server.url, **options),
            "judge": runs.model(judge.url, sampling={"temperature": None, "top_p": None}, **options),
        }
        raw = runs.raw(server.url, sampling=sampling, models=models, grader={"name": "judge", "model": "judge"})
        path = runs.write(tmp_path, raw)
        assert "temperature not sent" in shell("run", path, "--dry-run").out
        assert shell("run", path, "-o", tmp_path / "out").code == 0
    assert {frozenset(asked.body) for asked in [*server.asked, *judge.asked]} == {frozenset({"model", "prompt"})}


def test_max_tokens_is_reserved_and_cannot_be_left_out(tmp_path: Path, shell: Shell) -> None:
    left = shell("plan", runs.write(tmp_path, runs.raw("http://127.0.0.1:9/v1", sampling={"max_tokens": None})))
    assert left.code == 2
    assert "max_tokens_field: null" in left.err


def _thinks(asked: Asked, good: Reply) -> Reply:
    value: dict[str, Any] = json.loads(good.body)
    for choice in value["choices"]:
        text = choice["message"]["content"]
        choice["message"] = {"role": "assistant", "content": text, "reasoning_content": "Add the units, then the tens."}
    value["usage"]["completion_tokens_details"] = {"reasoning_tokens": 4 * len(value["choices"])}
    value["usage"]["completion_tokens"] += 4 * len(value["choices"])
    del value["usage"]["total_tokens"]
    return Reply(body=json.dumps(value).encode(), headers=good.headers)


def test_reasoning_is_kept_beside_the_solution_and_paid_once(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "thinks", _thinks)
    with Server(every={"thinks": 1}) as server:
        raw = runs.raw(server.url, models={"weak": runs.model(server.url, api="chat")})
        assert shell("run", runs.write(tmp_path, raw), "-o", out).code == 0
    table = pl.read_parquet(out / "samples.parquet", glob=False)
    assert set(table["reasoning"]) == {"Add the units, then the tens."}
    assert not table["generation"].str.contains("units").any()
    assert set(table["num_reasoning_tokens"]) == {4}
    assert set(table["num_generated_tokens"]) == {9 + 4}  # the words of the answer, and the reasoning
    paid = sum(line["usd"] for line in runs.ledger(out) if line["event"] == "done")
    tokens = table.select(pl.col("num_prompt_tokens").sum() * 1e-6 + pl.col("num_generated_tokens").sum() * 10e-6).item()
    assert paid == pytest.approx(tokens)
    assert f"reasoning: 96 of weak's {24 * 13} tokens (data); it is paid as generated tokens, once" in shell("status", out).out
    assert "Tokens of reasoning are generated tokens, paid once: 96 of weak's 312 (data)." in (out / "report.md").read_text()


def _caches(asked: Asked, good: Reply) -> Reply:
    value: dict[str, Any] = json.loads(good.body)
    value["usage"] |= {"prompt_cache_hit_tokens": 2, "cache_creation_input_tokens": 3}
    return Reply(body=json.dumps(value).encode(), headers=good.headers)


def test_requests_caches_and_tiers_are_paid_and_the_limit_holds(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out, limit = tmp_path / "out", 0.3
    monkeypatch.setitem(FAULTS, "caches", _caches)
    tiers = [{"above": 6, "input": 8.0, "output": 100.0, "input_cache_read": 1.0, "input_cache_write": 20.0}]
    price = {"input": 1.0, "output": 10.0, "request": 0.01, "tiers": tiers}
    with Server(every={"caches": 1}) as server:
        raw = runs.raw(server.url, models={"weak": runs.model(server.url, price=price)}, limit={"unit": "usd", "amount": limit})
        path = runs.write(tmp_path, raw)
        planned = shell("plan", path).out
        assert "request $0.01 each; above 6 prompt tokens input $8.00, output $100.00" in planned
        assert shell("run", path, "-o", out).code == 0
    words = 7  # of each prompt: above the tier
    each = 0.01 + ((words - 5) * 8 + 2 * 1 + 3 * 20 + 9 * 100) * 1e-6
    assert [line["usd"] for line in runs.ledger(out) if line["event"] == "done"] == pytest.approx([each] * 24)
    assert max(spent + reserved for spent, reserved in runs.balances(out)) <= limit

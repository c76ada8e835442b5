"""The first contact with endpoints: `plan --check-endpoints`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from isocost.running import contact
from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.openai_runs import Shell, ThreadExecutor, shell

__all__ = ["shell"]


def test_one_small_request_a_model_is_shown_with_usage_and_price(tmp_path: Path, shell: Shell) -> None:
    with Server() as server, Server(faults=["cached"]) as judge:
        models = {"weak": runs.model(server.url), "judge": runs.model(judge.url)}
        raw = runs.raw(server.url, models=models, grader={"name": "judge", "model": "judge"}, sampling={"max_tokens": 4000})
        path = runs.write(tmp_path, raw)
        left = shell("plan", path, "--check-endpoints", "--json")
        assert (runs.completions(server), runs.completions(judge)) == (1, 1)
        assert server.asked[0].body["max_tokens"] == 256
    assert left.code == 0
    assert "budgets" in json.loads(left.out)  # what the endpoints say is no part of the data
    assert "weak: answered as tiny in " in left.err
    assert "7 prompt tokens, 9 generated: $0.000097" in left.err
    assert "finish_reason stop" in left.err
    assert "text: Out of " in left.err
    assert "2 cached" in left.err
    assert not (tmp_path / "runs").exists()


def test_an_endpoint_that_fails_is_told_and_a_limit_holds(tmp_path: Path, shell: Shell) -> None:
    with Server(faults=["429 quota"]) as server:
        path = runs.write(tmp_path, runs.raw(server.url))
        left = shell("plan", path, "--check-endpoints")
        assert left.code == 1
        assert "the account has no quota left (429)" in left.err
        before = runs.completions(server)
        left = shell("plan", path, "--check-endpoints", "--set", "limit={unit: usd, amount: 0.0001}")
        assert runs.completions(server) == before
    assert left.code == 1
    assert "does not fit under limit.amount" in left.err


def test_without_the_flag_nobody_is_asked(tmp_path: Path, shell: Shell) -> None:
    pilot = {"problems": 2, "samples_per_problem": 1}
    with Server() as server:
        path = runs.write(tmp_path, runs.raw(server.url, pilot=pilot, models={"weak": runs.model(server.url, prompt_tokens=None)}))
        for command in (("plan", path), ("run", path, "--dry-run")):  # a pilot that has not run is planned all the same
            assert shell(*command).code == 0
        assert runs.completions(server) == 0


def test_an_endpoint_that_does_not_answer_is_told_and_given_up_sooner_than_in_a_run(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact, "SILENT", 0.5)
    monkeypatch.setattr(contact, "MOST_SECONDS", 2.0)
    with Server(faults=["hangs"]) as server, ThreadPoolExecutor() as threads:

        class Waiting(ThreadExecutor):
            def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
                return threads.submit(function, *args, **kwargs)

        monkeypatch.setattr("isocost.running.runs.LocalExecutor", Waiting)
        left = shell("plan", runs.write(tmp_path, runs.raw(server.url)), "--check-endpoints")
    assert left.code == 1
    assert re.search(r"^weak: no answer for \d\.\d s$.*no reply within 2 s", left.err, re.MULTILINE | re.DOTALL), left.err

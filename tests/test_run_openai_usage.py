"""Runs on endpoints that lie about what they used: the limit holds but for what is in flight, nothing is asked again, one line says why."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests import openai_runs as runs
from tests.engines.openai.replies import FAULTS, Asked, Reply
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

LIMIT = 0.02


def lying(change: Callable[[dict[str, Any], Asked], object]) -> Callable[[Asked, Reply], Reply]:
    """A reply whose usage is changed in place."""

    def fault(asked: Asked, good: Reply) -> Reply:
        body = json.loads(good.body)
        change(body, asked)
        return Reply(body=json.dumps(body).encode(), headers=good.headers)

    return fault


def usage(**values: Any) -> Callable[[Asked, Reply], Reply]:
    return lying(lambda body, asked: body["usage"].update(values))


def _empty(body: dict[str, Any]) -> None:
    body["usage"] = dict.fromkeys(body["usage"], 0)
    for choice in body["choices"]:
        choice["text"] = ""


def _failed(body: dict[str, Any], choices: list[Any]) -> None:
    body["choices"] = choices
    body["usage"]["completion_tokens"] = 900


LIES: dict[str, tuple[Callable[[Asked, Reply], Reply], str, str]] = {
    "missing": (lying(lambda body, asked: body.pop("usage")), "reports no usage", "extra_body"),
    "empty": (lying(lambda body, asked: body.update(usage={})), "reports usage without prompt_tokens", "extra_body"),
    "text": (usage(completion_tokens="9"), "reports completion_tokens '9'", "base_url"),
    "negative": (usage(prompt_tokens=-4), "reports prompt_tokens -4", "base_url"),
    "no whole number": (usage(completion_tokens=9.5), "reports completion_tokens 9.5", "base_url"),
    "all zero": (usage(prompt_tokens=0, completion_tokens=0, total_tokens=0), "reports 0 completion tokens for", "base_url"),
    "zero prompt": (usage(prompt_tokens=0), "reports 0 prompt tokens for a prompt of", "base_url"),
    "above max_tokens": (usage(completion_tokens=260), "reports 260 completion tokens, more than max_tokens 20", "sampling.max_tokens"),
    "hidden reasoning": (usage(total_tokens=1000), "completion tokens, more than max_tokens 20", "sampling.max_tokens"),
    "more than bytes": (usage(prompt_tokens=900_000), "reports 900,000 prompt tokens, more than", "hidden_prompt_tokens"),
    "zero for an empty answer": (lying(lambda body, asked: _empty(body)), "reports 0 prompt tokens for a prompt of", "base_url"),
    "beside no choices": (lying(lambda body, asked: _failed(body, [])), "reports 900 completion tokens, more than", "sampling.max_tokens"),
    "beside a choice of no shape": (lying(lambda body, asked: _failed(body, [7])), "reports 900 completion tokens", "sampling.max_tokens"),
    "too few": (usage(completion_tokens=1, total_tokens=7), "reports 1 completion tokens for", "bytes_per_token"),
}


@pytest.fixture
def lie(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(FAULTS, "lie", LIES[request.param][0])
    return str(request.param)


def study(folder: Path, server: Server, **changes: Any) -> Path:
    return runs.write(folder, runs.raw(server.url, limit={"unit": "usd", "amount": LIMIT}, **changes))


@pytest.mark.parametrize("lie", first_fast(LIES, 2), indirect=True)
def test_the_first_reply_stops_a_run_on_an_endpoint_that_lies(tmp_path: Path, shell: Shell, lie: str) -> None:
    out = tmp_path / "out"
    with Server(every={"lie": 1}, delay=0.05) as server:
        left = shell("run", study(tmp_path, server), "-o", out)
        assert runs.completions(server) == 1
        assert left.code == 1
        assert len(left.errors) == 2
        assert "the reply to problem p00, draw 0, id x" in left.errors[0]
        assert LIES[lie][1] in left.errors[0]
        assert LIES[lie][2] in left.errors[1]
        found = runs.events(out)
        assert found["lost"] == 1
        assert found["reserve"] == 1 + found["unsent"]
        assert runs.stored(out) == []
        again = shell("run", study(tmp_path, server), "-o", out)
        assert again.code == 1
        assert runs.completions(server) <= 2


def _one_of_several(body: dict[str, Any], asked: Asked) -> None:
    text = "She reads fifteen pages a day, so in four weeks she reads 15 * 28 = 420 pages.\n#### 420"
    for choice in body["choices"]:
        choice["text"] = text
    body["usage"].update(completion_tokens=-(-len(text) // 4))  # what one of the choices has, at four bytes per token


def test_a_server_that_counts_one_of_several_choices_is_not_believed(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "one", lying(_one_of_several))
    for folder, n, more in (("several", 3, {}), ("single", 1, {}), ("settled", 3, {"bytes_per_token": 16})):
        (tmp_path / folder).mkdir()
        with Server(every={"one": 1}) as server:
            models = {"weak": runs.model(server.url, n=n, **more)}
            left = shell(
                "run", study(tmp_path / folder, server, models=models, sampling={"max_tokens": 64}), "-o", tmp_path / folder / "out"
            )
            if folder == "several":
                assert left.code == 1
                assert "completion tokens for 252 bytes of text without repeats, over 8 a token" in left.errors[0]
                assert "if it counts the tokens of one choice alone, set n: 1" in left.errors[1]
                assert runs.completions(server) == 1
            else:
                assert left.code == 0, left.errors


COSTS = [("above max_tokens", 6e-6 + 260e-5), ("more than bytes", 0.9 + 9e-5), ("missing", 85e-6 + 20e-5)]


@pytest.mark.parametrize(("lie", "cost"), COSTS, indirect=["lie"])
def test_a_reply_that_cannot_be_right_is_charged_at_what_it_says_if_that_is_more(
    tmp_path: Path, shell: Shell, lie: str, cost: float
) -> None:
    out = tmp_path / "out"
    with Server(every={"lie": 1}) as server:
        assert shell("run", study(tmp_path, server), "-o", out).code == 1
    (lost,) = (line for line in runs.ledger(out) if line["event"] == "lost")
    assert lost["usd"] == pytest.approx(cost, rel=0.05)


ABSURD: dict[str, Callable[[dict[str, Any]], object]] = {
    "completion": lambda body: body["usage"].update(completion_tokens=10**15),
    "prompt": lambda body: body["usage"].update(prompt_tokens=10**15),
    "completion without a prompt": lambda body: body.update(usage={"completion_tokens": 10**15}),
    "a total": lambda body: body.update(usage={"total_tokens": 10**15}),
    "in quotes": lambda body: body["usage"].update(prompt_tokens=str(10**14)),
    "beside an error": lambda body: body.update(error={"message": "overloaded", "code": 503}, choices=[], usage={"total_tokens": 10**15}),
}


@pytest.mark.parametrize("status", first_fast([200, 500]))
@pytest.mark.parametrize("name", first_fast(ABSURD))
def test_tokens_that_no_model_has_are_no_bill(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    """The request is charged at its worst case, and the run goes on once the endpoint counts again."""
    out = tmp_path / "out"

    def lie(asked: Asked, good: Reply) -> Reply:
        body = json.loads(good.body)
        ABSURD[name](body)
        return Reply(body=json.dumps(body).encode(), headers=good.headers, status=status)

    monkeypatch.setitem(FAULTS, "lie", lie)
    with Server(faults=["lie"]) as server:
        path = study(tmp_path, server)
        left = shell("run", path, "-o", out)
        assert left.code == 1
        assert len(left.errors) == 2
        assert "cost is not known" in left.errors[0] or "no count of tokens" in left.errors[0]
        (lost,) = (line for line in runs.ledger(out) if line["event"] == "lost")
        assert lost["usd"] == pytest.approx(85e-6 + 20e-5, rel=0.05)
        assert shell("run", path, "-o", out).code == 0
    assert max(spent + reserved for spent, reserved in runs.balances(out)) <= LIMIT


@pytest.mark.parametrize("lie", ["above max_tokens", "missing"])
def test_an_endpoint_that_begins_to_lie_later_is_asked_nothing_more(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    out, replies = tmp_path / "out", itertools.count()
    monkeypatch.setitem(FAULTS, "lie", lambda asked, good: LIES[lie][0](asked, good) if next(replies) >= 6 else good)
    with Server(every={"lie": 1}, delay=0.05) as server:
        left = shell("run", study(tmp_path, server), "-o", out)
        asked = runs.completions(server)
    assert left.code == 1
    assert 7 <= asked <= 7 + 4 - 1 + 4  # those in flight when the lie was sent, and those sent before it was read
    assert len(runs.stored(out)) == asked - runs.events(out)["lost"]
    in_flight = [line for line in left.errors if "in flight could cost" in line]
    assert bool(in_flight) == (lie == "above max_tokens")
    if in_flight:
        assert in_flight[0].startswith("  nothing more is sent; ")
        assert len(left.errors) == 3


def test_whole_numbers_as_floats_are_numbers(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "lie", lying(lambda body, asked: body.update(usage={k: float(v) for k, v in body["usage"].items()})))
    with Server(every={"lie": 1}) as server:
        assert shell("run", study(tmp_path, server), "-o", tmp_path / "out").code == 0
    assert len(runs.stored(tmp_path / "out")) == 24


def test_reasoning_outside_completion_tokens_is_charged_and_said_once(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "lie", lying(lambda body, asked: body["usage"].update(total_tokens=body["usage"]["total_tokens"] + 5)))
    with Server(every={"lie": 1}) as server:
        left = shell("run", study(tmp_path, server), "-o", out)
    assert left.code == 0
    assert len([note for note in left.notes if "are charged" in note]) == 1
    assert {row["num_generated_tokens"] for row in runs.stored(out)} == {14}


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "told"), first_fast([(1.0, 0), (1.04, 0), (1.2, 1), (0.5, 1), (100.0, 1)], 3))
def test_an_endpoints_own_cost_is_recorded_and_a_difference_told(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, factor: float, told: int
) -> None:
    out = tmp_path / "out"

    def own(body: dict[str, Any], asked: Asked) -> None:
        tokens = body["usage"]
        tokens["cost"] = factor * (tokens["prompt_tokens"] * 1e-6 + tokens["completion_tokens"] * 10e-6)

    monkeypatch.setitem(FAULTS, "lie", lying(own))
    with Server(every={"lie": 1}) as server:
        left = shell("run", study(tmp_path, server), "-o", out)
    assert left.code == 0
    assert len([note for note in left.notes if "check models.weak.price" in note]) == told
    rows = runs.stored(out)
    assert all(row["cost_usd_reported"] == pytest.approx(factor * row["cost_usd"]) for row in rows)
    done = [line for line in runs.ledger(out) if line["event"] == "done"]
    assert sum(line["reported_usd"] for line in done) == pytest.approx(factor * sum(line["usd"] for line in done))


def test_a_run_goes_on_once_the_study_says_what_the_endpoint_adds(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "lie", lying(lambda body, asked: body["usage"].update(prompt_tokens=500)))
    with Server(every={"lie": 1}) as server:
        path = study(tmp_path, server)
        left = shell("run", path, "-o", out)
        assert left.code == 1
        _, _, value = left.errors[1].partition("hidden_prompt_tokens")[2].partition(" at least ")
        left = shell("run", path, "-o", out, "--set", f"models.weak.hidden_prompt_tokens={int(value) + 2}")
        assert left.code == 0, left
        assert max(spent + reserved for spent, reserved in runs.balances(out)) <= LIMIT
    assert pl.read_parquet(out / "samples.parquet", glob=False).height == 24


def test_a_model_that_judges_is_checked_like_one_that_writes(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "lie", usage(completion_tokens=5000))
    with Server(answer=right) as server, Server(every={"lie": 1}, delay=0.05) as judge:
        raw = runs.raw(server.url, limit={"unit": "usd", "amount": 1.0}, audit={"by": "judge", "model": "judge", "per_model": 4})
        raw["models"]["judge"] = runs.model(judge.url)
        left = shell("run", runs.write(tmp_path, raw), "-o", out)
        assert runs.completions(judge) == 1
    assert left.code == 1
    assert "reports 5,000 completion tokens" in left.errors[0]


def right(prompt: str, seed: int | None, choice: int) -> str:
    """A right answer to `What is 3 + 7?`."""
    first, second = re.findall(r"\d+", prompt)
    return f"The answer is {int(first) + int(second)}."


def test_a_reply_without_end_is_cut_off(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.engines.openai.client.MOST_BYTES", 100_000)
    monkeypatch.setitem(FAULTS, "lie", lambda asked, good: Reply(body=b'{"choices": [{"text": "' + b"so " * 200_000, cut=True))
    with Server(every={"lie": 1}) as server:
        left = shell("run", study(tmp_path, server), "-o", tmp_path / "out")
        assert runs.completions(server) == 1
    assert left.code == 1
    assert "bytes" in left.errors[0]
    assert len(left.errors) == 2


def test_what_is_cached_never_passes_the_limit(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cached tokens may cost more than others by the study, and an endpoint may say that all are cached."""
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "lie", lying(lambda body, asked: body["usage"].update(prompt_tokens_details={"cached_tokens": 10**9})))
    with Server(every={"lie": 1}) as server:
        price = {"input": 1.0, "output": 10.0, "input_cache_read": 100.0}
        path = study(tmp_path, server, models={"weak": runs.model(server.url, price=price)})
        assert shell("run", path, "-o", out).code == 1
    assert runs.events(out)["done"] > 1
    assert max(spent + reserved for spent, reserved in runs.balances(out)) <= LIMIT


def test_the_whole_prompt_is_paid_where_fewer_choices_come(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(faults=["fewer choices"] * 4) as server:
        path = study(tmp_path, server, models={"weak": runs.model(server.url, n=3)})
        assert shell("run", path, "-o", out).code == 0
        assert runs.completions(server) == 8 + 4
    words = 7  # of each prompt
    tokens = sum(line["tokens"] for line in runs.ledger(out) if line["event"] == "done")
    paid = sum(line["usd"] for line in runs.ledger(out) if line["event"] == "done")
    assert paid == pytest.approx(((8 + 4) * words * 1.0 + tokens * 10.0) / 1e6)


@pytest.mark.slow
def test_fewer_tokens_than_the_prompt_needs_are_said_once(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "lie", usage(prompt_tokens=1, total_tokens=10))
    with Server(every={"lie": 1}) as server:
        path = study(tmp_path, server, prompt={"form": "Answer this question, with no word but the number.\nQ: {question}\nA:"})
        left = shell("run", path, "-o", tmp_path / "out")
    assert left.code == 0
    assert len([note for note in left.notes if "reports 1 prompt tokens for" in note]) == 1


def test_what_was_bought_at_an_unknown_cost_keeps_a_limit_out_and_says_what_to_do(tmp_path: Path, shell: Shell) -> None:
    out, arms = tmp_path / "out", {"weak": {"models": ["weak"], "samples_per_problem": 1}}
    with Server() as server:
        free = runs.raw(server.url, models={"weak": runs.model(server.url, price=None, params=1000)}, arms=arms, budgets=None)
        assert shell("run", runs.write(tmp_path, free), "-o", out).code == 0
        left = shell("run", study(tmp_path, server), "-o", out)
        assert left.code == 2
        assert "bought at a cost not known in usd" in left.errors[0]
        assert "limit.unit: flops" in left.errors[1]
        flops = {**free, "limit": {"unit": "flops", "amount": 1e9}}
        assert shell("run", runs.write(tmp_path, flops), "-o", out).code == 0

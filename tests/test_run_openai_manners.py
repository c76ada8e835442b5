"""Manners of endpoints that people have, through a whole study: whose fault it is decides what happens, and the limit holds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests import openai_runs as runs
from tests.engines.openai.replies import FAULTS, JSON, Asked, Reply, refusal
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

LIMIT = 0.02
N = 24  # draws of the study: eight problems, three each
Fault = Callable[[Asked, Reply], Reply]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """What an endpoint does, and what is right then.

    Attributes:
        fault: Its reply to a request, from the good one.
        code: The exit status.
        told: Texts of the notes and errors.
        failed: The problems whose draws have failed.
        lost: Requests that count as charged without an answer; None if any number is right.
        retried: At least so many requests were refused for free, and asked again or given up.
        model: Keys of the model.
        problems: Problems of the study.
    """

    fault: Fault
    code: int = 0
    told: tuple[str, ...] = ()
    failed: frozenset[str] = frozenset()
    lost: int | None = 0
    retried: int = 0
    model: dict[str, Any] = field(default_factory=dict)
    problems: int = 8


def body(value: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode(), headers=JSON)


def first(n: int, bad: Callable[[], Reply], after: int = 0) -> Fault:
    """Reply badly to `n` requests after the first `after`, then well."""
    numbers = itertools.count()
    return lambda asked, good: bad() if after <= next(numbers) < after + n else good


def one_prompt(bad: Callable[[Reply], Reply]) -> Fault:
    """Reply badly to one problem's requests, well to the others: `What is 3 + 7?` is p03 of `write_problems`."""
    return lambda asked, good: bad(good) if "3 + " in asked.prompt and "13" not in asked.prompt else good


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Reply], Reply]:
    def reply(good: Reply) -> Reply:
        value = json.loads(good.body)
        change(value)
        return body(value)

    return reply


def _refuse(value: dict[str, Any]) -> None:
    value["choices"][0].update(text="", message={"role": "assistant", "content": None, "refusal": "I can't help with that."})


def _one_of_three(value: dict[str, Any]) -> None:
    if len(value["choices"]) == 3:
        value["choices"][1] = {"index": 1, "finish_reason": "error", "text": "", "error": {"code": 502, "message": "gone"}}


def _names(*names: str) -> Fault:
    turn = itertools.cycle(names)
    return lambda asked, good: changed(lambda value: value.update(model=next(turn)))(good)


MANNERS: dict[str, Callable[[], Manner]] = {
    "Google's list with a 429": lambda: Manner(
        fault=first(2, lambda: body([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota of requests"}}])),
        retried=2,
    ),
    "unknown words about one prompt": lambda: Manner(
        fault=one_prompt(lambda good: refusal(400, "Line 3 holds a sequence that the tokenizer lacks")),
        failed=frozenset({"p03"}),
        told=("3 draws of 1 problem failed", "refused (400): Line 3 holds a sequence that the tokenizer lacks"),
        retried=3,
    ),
    "unknown words about every prompt": lambda: Manner(
        fault=lambda asked, good: refusal(400, "Assistant prefill is not enabled"),
        code=1,
        told=("refuses the request (400): Assistant prefill is not enabled", "change what it objects to"),
        retried=4,
    ),
    "MiniMax's status": lambda: Manner(
        fault=first(3, lambda: body({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit exceeded"}})),
        retried=3,
    ),
    "MiniMax's success": lambda: Manner(
        fault=lambda asked, good: changed(lambda value: value.update(base_resp={"status_code": 0, "status_msg": "success"}))(good)
    ),
    "an error object that says success": lambda: Manner(
        fault=lambda asked, good: changed(lambda value: value.update(error={"code": 0, "message": "success"}))(good)
    ),
    "Cloudflare's errors": lambda: Manner(
        fault=first(2, lambda: body({"success": False, "errors": [{"code": 7009, "message": "Upstream service unavailable"}]})), retried=2
    ),
    "a detail in a 200": lambda: Manner(fault=first(1, lambda: body({"detail": "model is still loading"})), retried=1),
    "moderation of one prompt": lambda: Manner(
        fault=one_prompt(lambda good: refusal(403, "Input requires moderation and was flagged for violence")),
        failed=frozenset({"p03"}),
        told=("refused (403): Input requires moderation",),
        lost=3,
    ),
    "moderation of every prompt": lambda: Manner(
        fault=lambda asked, good: refusal(403, "The input was flagged by moderation"),
        code=1,
        failed=frozenset(f"p{number:02d}" for number in range(7)),
        told=("refuses problem", "flagged by moderation"),
        lost=None,
        problems=12,
    ),
    "an account that is flagged": lambda: Manner(
        fault=lambda asked, good: refusal(403, "Your organization was flagged for potential abuse"), code=1, told=("(403)",), retried=1
    ),
    "too long in other words": lambda: Manner(
        fault=one_prompt(lambda good: refusal(400, "Input validation error: the input is longer than 4096 tokens")),
        failed=frozenset({"p03"}),
        told=("too long (400): ",),
    ),
    "max_tokens that fits no prompt": lambda: Manner(
        fault=lambda asked, good: refusal(
            400, "maximum context length is 100 tokens. However, you requested 144 tokens (80 in the messages, 64 in the completion)"
        ),
        code=1,
        told=("too long (400): ", "lower sampling.max_tokens"),
        retried=8,
        problems=12,
    ),
    "too long as a 500": lambda: Manner(
        fault=one_prompt(lambda good: refusal(500, "the prompt exceeds the context window")), failed=frozenset({"p03"}),
        told=("too long (500)",),
    ),
    "no money half-way": lambda: Manner(
        fault=first(10**9, lambda: refusal(400, "Your credit balance is too low to access the API"), after=5),
        code=1,
        told=("asks for payment (400): Your credit balance is too low",),
        retried=1,
    ),
    "a refusal in words": lambda: Manner(
        fault=one_prompt(changed(_refuse)), failed=frozenset({"p03"}), told=("refused: I can't help with that.",), model={"api": "chat"}
    ),
    "a finish reason that the study explains": lambda: Manner(
        fault=lambda asked, good: changed(lambda value: value["choices"][0].update(finish_reason="DONE_OK"))(good),
        model={"finish_reasons": {"done_ok": "stop"}},
    ),
    "an error in one choice of three": lambda: Manner(
        fault=lambda asked, good: changed(_one_of_three)(good), model={"n": 3}, told=("returned 2 of 3 solutions",)
    ),
    "a web page half-way": lambda: Manner(
        fault=first(3, lambda: Reply(body=b"<!doctype html><title>Maintenance</title>", headers={"content-type": "text/html"}), after=4),
        retried=3,
    ),
    "a web page from the start": lambda: Manner(
        fault=lambda asked, good: Reply(body=b"\n<html><head><title>Sign in</title>", headers={"content-type": "text/html"}),
        code=1,
        told=('replies with a web page ("Sign in"), not JSON', "check base_url"),
        retried=1,
    ),
    "two models in turn": lambda: Manner(
        fault=_names("tiny-2026-01-01", "tiny-2026-05-05"),
        told=("the endpoint answers as 'tiny-2026-05-05', before as 'tiny-2026-01-01'",),
    ),
    "a 500 on the first prompt": lambda: Manner(
        fault=lambda asked, good: refusal(500, "grammar failed") if "0 + " in asked.prompt and "10 + " not in asked.prompt else good,
        failed=frozenset({"p00"}),
        told=("500: grammar failed",),
        lost=None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", first_fast(MANNERS, 3))
def test_what_is_right_happens_and_the_limit_holds(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    out, manner = tmp_path / "out", MANNERS[name]()
    monkeypatch.setitem(FAULTS, "manner", manner.fault)
    with Server(every={"manner": 1}) as server:
        raw = runs.raw(server.url, limit={"unit": "usd", "amount": LIMIT}, models={"weak": runs.model(server.url, **manner.model)})
        left = shell("run", runs.write(tmp_path, raw, n_problems=manner.problems), "-o", out)
    said = "\n".join([*left.notes, *left.errors])
    assert left.code == manner.code, left
    assert all(text in said for text in manner.told), said
    assert len(left.errors) <= 3
    found = runs.events(out)
    assert manner.lost is None or found["lost"] == manner.lost
    assert found["retry"] >= manner.retried
    assert max(spent + reserved for spent, reserved in runs.balances(out)) <= LIMIT
    rows = runs.stored(out)
    assert {row["problem_id"] for row in rows if row["finish_reason"] == "error"} == manner.failed
    if not manner.code:
        assert len({row["id"] for row in rows}) == len(rows) == N
        table = pl.read_parquet(out / "samples.parquet", glob=False)
        assert all(answerer.startswith("tiny") for answerer in table["answered_by"].drop_nulls())
        assert ("failure" in table.columns) == bool(manner.failed)


def test_a_model_that_changes_between_two_starts_is_told(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setitem(FAULTS, "manner", _names("tiny-2026-01-01"))
    with Server(every={"manner": 1}) as server:
        path = runs.write(tmp_path, runs.raw(server.url))
        assert shell("run", path, "-o", out).notes == []
        monkeypatch.setitem(FAULTS, "manner", _names("tiny-2026-05-05"))
        left = shell("run", path, "-o", out, "--set", "arms.weak.samples_per_problem=4")
    assert left.notes[1:] == ["note: model weak: the endpoint answers as 'tiny-2026-05-05', at the last start as 'tiny-2026-01-01'"]

"""Endpoints that refuse, fail, lie and go away, and what a person is told: one clear line, nothing lost, and the same command resumes."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from isocost.dispatch.calls import Retrying
from isocost.store import RunDirectory
from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

N = 24  # draws of the study: eight problems, three each


def complete(out: Path, n: int = N) -> None:
    """Every draw is there once, and paid for once."""
    rows = runs.stored(out)
    assert len({row["id"] for row in rows}) == len(rows) == n
    done = [line for line in runs.ledger(out) if line["event"] == "done"]
    assert sum(line["count"] for line in done) == n


@pytest.mark.parametrize("fault", first_fast(["empty", "truncated", "not UTF-8", "closes mid reply", "500", "hangs"]))
def test_what_may_have_been_charged_is_lost_and_asked_again(tmp_path: Path, shell: Shell, fault: str) -> None:
    out = tmp_path / "out"
    with Server(every={fault: 6}) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url, models={"weak": runs.model(server.url, timeout=0.5)})), "-o", out)
        assert runs.completions(server) == N + 4
    assert (left.code, left.errors) == (0, [])
    complete(out)
    assert runs.events(out) == {"reserve": N + 4, "done": N, "lost": 4}
    assert "4 lost" in left.err
    lost = [line["usd"] for line in runs.ledger(out) if line["event"] == "lost"]
    assert min(lost) >= runs.MAX_TOKENS * 10e-6  # the worst that it can have cost


@pytest.mark.slow
def test_a_busy_endpoint_costs_nothing_and_is_waited_for(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(faults=["429"] * 6 + ["503"] * 6 + ["429 milliseconds"]) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url)), "-o", out)
    assert (left.code, left.errors) == (0, [])
    complete(out)
    assert runs.events(out) == {"reserve": N + 13, "done": N, "retry": 13}
    (note,) = left.notes
    assert note == f"note: {server.url}, model 'tiny': 429: refused with 429; retrying for up to 60 seconds without an answer"


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "the key": ({"key": "another"}, "refuses the key in $ISOCOST_TEST_KEY (401)", "set that variable to a key for this endpoint"),
    "the model": ({"models": ("tiny-1b", "large")}, "no such model (404)", "did you mean 'tiny-1b'? it offers tiny-1b, large"),
    "the account": ({"faults": ["402"] * 99}, "asks for payment (402)", "add to the account, then resume the run"),
    "the quota": ({"faults": ["429 quota"] * 99}, "the account has no quota left (429)", "add to it, then resume the run"),
    "the address": ({"paths": ()}, "no such model or address (404)", "check model and base_url, which usually ends in /v1"),
}


@pytest.mark.parametrize("what", first_fast(REFUSED))
def test_what_the_endpoint_refuses_costs_nothing(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    options, happened, advice = REFUSED[what]
    monkeypatch.setenv(runs.VARIABLE, runs.KEY)
    out = tmp_path / "out"
    limit = {"unit": "usd", "amount": N * 230e-6}  # room for the draws, and for no request that was lost
    with Server(**options) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url, limit=limit)), "-o", out)
    assert left.code == 1
    assert len(left.errors) == 2
    assert left.errors[0].startswith(f"error: {server.url}, model 'tiny': {happened}")
    assert left.errors[1].startswith(f"  {advice}")
    assert "lost" not in runs.events(out)
    with Server() as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url, limit=limit)), "-o", out)
    assert left.code == 0, left
    complete(out)
    assert "lost" not in runs.events(out)


def test_openai_itself_needs_a_key(tmp_path: Path, shell: Shell) -> None:
    path = runs.write(tmp_path, runs.raw("https://api.openai.com/v1"))
    left = shell("run", path, "-o", tmp_path / "out")
    assert left.code == 2
    assert left.errors == [
        f"error: {path}:7: models.weak: https://api.openai.com/v1, model 'tiny': no key in $ISOCOST_TEST_KEY",
        "  set that environment variable, or name another: api_key_env",
    ]
    rehearsed = shell("run", path, "--dry-run")
    assert (rehearsed.code, rehearsed.errors) == (2, left.errors)
    assert shell("plan", path).code == 0


def test_a_prompt_beyond_the_context_is_counted_and_left_out(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(context=8) as server:
        path = runs.write(tmp_path, runs.raw(server.url))
        with (tmp_path / "problems.jsonl").open("a") as file:
            file.write(json.dumps({"id": "long", "question": "What is one " + "and one " * 30, "answer": "31"}) + "\n")
        left = shell("run", path, "-o", out)
    assert left.code == 0
    (note,) = left.notes
    assert note.startswith("note: 3 draws of 1 problem failed, not graded (first: weak, long): ")
    complete(out, N + 3)
    failed = [row for row in runs.stored(out) if row["finish_reason"] == "error"]
    assert {row["problem_id"] for row in failed} == {"long"}
    assert {row["cost_usd"] for row in failed} == {0.0}
    assert "draws that failed: 3" in shell("status", out).out
    report = (out / "report.md").read_text()
    header, row = next((a, b) for a, b in zip(report.splitlines(), report.splitlines()[2:], strict=False) if a.startswith("| Cell | drawn"))
    funnel = dict(zip(header.split(" | "), row.split(" | "), strict=True))
    assert (funnel["drawn"], funnel["error"]) == ("27", "3")


@pytest.mark.slow
def test_a_filtered_reply_is_not_blamed_on_the_context(tmp_path: Path, shell: Shell) -> None:
    with Server(faults=["filtered"]) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url)), "-o", tmp_path / "out")
    (note,) = left.notes
    assert note.startswith("note: 1 draw of 1 problem failed, not graded (first: weak, ")
    assert note.endswith(": finish_reason content_filter")


@pytest.mark.parametrize("at", [0, 5])
def test_a_filtered_prompt_fails_alone(tmp_path: Path, shell: Shell, at: int) -> None:
    """Asking again would bring the same, at the first request of a start as well; the others are answered."""
    out = tmp_path / "out"
    with Server(faults=["gzip"] * at + ["Azure's filter"] * 2) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url)), "-o", out)
        assert runs.completions(server) == N
    assert (left.code, left.errors) == (0, [])
    (note,) = left.notes
    assert note.startswith("note: 2 draws of ")
    assert note.endswith(": refused (400): The response was filtered")
    complete(out)
    assert runs.events(out) == {"reserve": N, "done": N, "lost": 2}


def test_fewer_choices_than_asked_for_are_asked_for_again_and_said(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(faults=["fewer choices"] * 4) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url, models={"weak": runs.model(server.url, n=3)})), "-o", out)
        assert runs.completions(server) == 8 + 4
    assert left.code == 0
    assert left.notes == [
        "note: model weak: the endpoint returned 2 of 3 solutions; the rest is requested again, and its prompt paid again"
    ]
    complete(out)


@pytest.mark.slow
def test_an_endpoint_that_is_down_is_given_up_and_gone_on_with(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = runs.write(tmp_path, runs.raw(f"http://127.0.0.1:{port}/v1"))
    shell.retry(Retrying(first=0.01, longest=0.05, patience=0.3))
    left = shell("run", path, "-o", out)
    assert left.code == 1
    assert len(left.errors) == 2
    assert "no connection" in left.errors[0]
    assert left.errors[1].endswith("no answer for 0.3 seconds; answers so far are saved, run the same command to resume")
    assert len(left.notes) == 1
    assert set(runs.events(out)) == {"reserve", "retry"}
    shell.retry(runs.SOON)
    with Server(port=port):
        assert shell("run", path, "-o", out).code == 0
    complete(out)


@pytest.mark.slow
def test_an_endpoint_that_goes_away_and_comes_back(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(faults=["closes at once"] * 20) as server:
        left = shell("run", runs.write(tmp_path, runs.raw(server.url)), "-o", out)
    assert left.code == 0
    assert len(left.notes) == 1
    complete(out)
    assert runs.events(out)["lost"] == 20


BUDGETS: dict[str, tuple[dict[str, Any], str]] = {
    "smaller than a draw at its worst": ({"unit": "usd", "amount": 1e-5, "basis": "realised"}, "does not pay for one draw of model weak"),
    "smaller than a draw": ({"unit": "usd", "amount": 1e-5}, "does not pay for one draw of model weak"),
    "in flops": ({"unit": "flops", "amount": 1e9}, "the cost of model weak in flops is not known"),
}


@pytest.mark.parametrize("what", BUDGETS)
def test_a_budget_that_buys_nothing_is_refused(tmp_path: Path, shell: Shell, what: str) -> None:
    budget, happened = BUDGETS[what]
    with Server() as server:
        path = runs.write(tmp_path, runs.raw(server.url, budgets={"low": budget}, arms={"weak": {"models": ["weak"]}}))
        left = shell("run", path, "-o", tmp_path / "out")
        assert runs.completions(server) == 0
    assert left.code == 2
    assert len(left.errors) == 2
    assert happened in left.errors[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("unit", "key"), [("usd", "price"), ("flops", "params")])
def test_a_limit_in_a_unit_that_is_not_known_is_refused(tmp_path: Path, shell: Shell, unit: str, key: str) -> None:
    with Server() as server:
        raw = runs.raw(server.url, limit={"unit": unit, "amount": 1.0})
        raw["models"]["weak"].pop("price")
        left = shell("run", runs.write(tmp_path, raw), "-o", tmp_path / "out")
        assert runs.completions(server) == 0
    assert left.code == 2
    where = f"{tmp_path / 'study.yaml'}:31"
    free = "if nothing is to be paid, leave out limit and budgets, and give arms samples_per_problem"
    assert left.errors == [f"error: {where}: limit: the cost of weak in {unit} is not known", f"  give models.weak.{key}; {free}"]
    assert not (tmp_path / "out").exists()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server() as server:
        path = runs.write(tmp_path, runs.raw(server.url))
        with RunDirectory(out):
            left = shell("run", path, "-o", out)
    assert left.code == 2
    assert left.errors == [f"error: {out}: in use by process {os.getpid()}", "  wait for it, or stop it, or name another folder with -o"]


FLAGS = [
    (["--sett", "a=b"], "Error: No such option: --sett"),
    (["--set", "models.weak.concurency=3"], 'unknown key "concurency"; did you mean "concurrency"?'),
    (["--set", "models.weak.base_url=ftp://x"], "models.weak.base_url: no address of an endpoint; it looks like http://localhost:8000/v1"),
    (["--set", "models.weak.base_url=http://me:hidden@h/v1"], "models.weak.base_url: only scheme, host, port and path"),
    (["--set", "models.weak.timeout=-1"], "models.weak.timeout: "),
    (["--executor", "slurm"], "--executor slurm: is not known; one of local, ray"),
]


@pytest.mark.parametrize(("flags", "mistake"), FLAGS)
def test_a_wrong_flag_is_named_and_makes_no_folder(tmp_path: Path, shell: Shell, flags: list[str], mistake: str) -> None:
    left = shell("run", runs.write(tmp_path, runs.raw("http://127.0.0.1:9/v1")), "-o", tmp_path / "out", *flags)
    assert left.code == 2
    assert mistake in left.err
    assert "hidden" not in left.err
    assert not (tmp_path / "out").exists()


ECHOES = ["echoes the key", "echoes the key forbidden", "echoes the key in 500", "echoes the key inside"]


@pytest.mark.parametrize("fault", ECHOES)
def test_the_key_is_nowhere_even_where_the_endpoint_echoes_it(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv(runs.VARIABLE, runs.KEY)
    out = tmp_path / "out"
    shell.retry(Retrying(first=0.001, longest=0.002, patience=0.05))
    with Server(every={fault: 1}) as server:
        path = runs.write(tmp_path, runs.raw(server.url))
        left = shell("run", path, "-o", out, "--debug")
        assert server.asked[0].headers["authorization"] == f"Bearer {runs.KEY}"
    assert left.code == 1
    assert "Traceback" in left.err
    assert runs.KEY not in left.out + left.err
    assert "\x1b" not in left.err
    assert runs.holds(out, runs.KEY) == []

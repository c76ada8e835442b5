"""Runs on endpoints that are killed, interrupted, or run out of disk: what was answered is kept, what was not is paid for once."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isocost.sampling.pools import Pool
from tests import openai_runs as runs
from tests.engines.openai.replies import Asked
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

pytestmark = pytest.mark.slow
N_PROBLEMS, EACH, KILLS, CONCURRENCY = 40, 10, 10, 16  # twice as many requests lie at the worker


def study(folder: Path, server: Server, **changes: object) -> Path:
    raw = runs.raw(
        server.url,
        models={"weak": runs.model(server.url, concurrency=CONCURRENCY)},
        arms={"weak": {"models": ["weak"], "samples_per_problem": EACH}},
        **changes,
    )
    return runs.write(folder, raw, n_problems=N_PROBLEMS)


class Watch:
    """Sets an event once so many requests for solutions have come."""

    def __init__(self, server: Server) -> None:
        self.seen, self._wanted, self.reached = 0, 0, threading.Event()
        server.on_request = self._count

    def after(self, more: int) -> threading.Event:
        self.reached.clear()
        self._wanted = self.seen + more
        return self.reached

    def _count(self, asked: Asked) -> None:
        self.seen += 1
        if self.seen >= self._wanted:
            self.reached.set()


def unanswered(out: Path) -> set[str]:
    open_: set[str] = set()
    for line in runs.ledger(out):
        (open_.add if line["event"] == "reserve" else open_.discard)(line["request"])
    return open_


def test_ten_kills_lose_no_answer_and_no_money(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Server(delay=0.1) as server:
        watch, lost, kept = Watch(server), 0, set[str]()
        worst = 1.0 * 13e-6 + 10.0 * runs.MAX_TOKENS * 1e-6  # "Q: What is 39 + 7?\nA:" and one byte more is 23 tokens at most
        limit = {"unit": "usd", "amount": N_PROBLEMS * EACH * worst + KILLS * 2 * CONCURRENCY * worst * 1.2}
        path = study(tmp_path, server, limit=limit)
        for _ in range(KILLS):
            reached = watch.after(2 * CONCURRENCY)
            with runs.started("run", path, "-o", out) as process:
                assert reached.wait(60), process.communicate()
                process.kill()
                process.wait()
            rows = runs.stored(out)
            assert kept <= {row["id"] for row in rows}
            kept = {row["id"] for row in rows}
            lost += len(unanswered(out) - batches(out))
        assert len(kept) > KILLS * 10
        assert len(kept) < N_PROBLEMS * EACH
        left = runs.run_process("run", path, "-o", out)
        assert left.code == 0, left
        asked = runs.completions(server)
        assert runs.run_process("run", path, "-o", tmp_path / "other").code == 0
    ids = [row["id"] for row in runs.stored(out)]
    assert sorted(ids) == sorted(row["id"] for row in runs.stored(tmp_path / "other"))
    assert len(set(ids)) == len(ids) == N_PROBLEMS * EACH
    assert kept <= set(ids)
    assert runs.events(out) == Counter({"reserve": len(ids) + lost, "done": len(ids), "lost": lost})
    assert asked - len(ids) <= lost <= KILLS * 2 * CONCURRENCY
    assert max(spent + reserved for spent, reserved in runs.balances(out)) <= limit["amount"] * (1 + 1e-9)


def batches(out: Path) -> set[str]:
    """The batches that are committed in logs."""
    logs = [path for path in out.glob("pools/*/*.jsonl") if path.name != "rounds.jsonl"]
    return {json.loads(line)["batch"] for path in logs for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")}


@pytest.mark.parametrize("number", first_fast([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
def test_a_signal_to_all_processes_waits_for_what_is_in_flight_and_sends_nothing_more(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    with Server(delay=1.5) as server:
        watch = Watch(server)
        path = study(tmp_path, server)
        reached = watch.after(1 + 2 * CONCURRENCY)  # the first goes alone; then the second time that all are under way
        patience = "import isocost.dispatch.inflight as a; a.PATIENCE = 1e6"  # however busy the machine is
        patience += "; import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"  # the tests may run under nohup
        with runs.started("run", path, "-o", out, first=patience) as process:
            assert reached.wait(60)
            for _ in range(3 if number == signal.SIGHUP else 1):  # the shell, the terminal and the kernel each send one
                os.killpg(process.pid, number)
                time.sleep(0.1)
            printed, said = process.communicate()
        assert process.returncode == 130
        assert printed == ""
        n = 1 + 2 * CONCURRENCY
        assert watch.seen == len(runs.stored(out)) == n
        stopped = said[said.index("stopped:") :].splitlines()
        assert stopped[0] == f"stopped: {n} samples are saved, and all that was made of them"
        assert re.fullmatch(r"  they cost \$0\.00\d+", stopped[1])
        assert stopped[2].startswith("  resume with: ")
        assert len(stopped) == 3
        held = runs.events(out)["unsent"]
        assert runs.events(out) == Counter({"reserve": n + held, "done": n, "unsent": held})
        assert runs.run_process("run", path, "-o", out).code == 0
        assert watch.seen == N_PROBLEMS * EACH
    ids = [row["id"] for row in runs.stored(out)]
    assert len(set(ids)) == len(ids) == N_PROBLEMS * EACH


def test_ctrl_c_while_answers_are_written_down_loses_none(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out, add_answers, begun = tmp_path / "out", Pool.add_answers, threading.Event()

    def interrupted(*arguments: Any) -> Any:
        if not begun.is_set():
            begun.set()
            signal.raise_signal(signal.SIGINT)
        return add_answers(*arguments)

    monkeypatch.setattr(Pool, "add_answers", interrupted)
    with Server(delay=0.3) as server:
        left = shell("run", study(tmp_path, server), "-o", out)
        assert left.code == 130
        assert begun.is_set()
        assert runs.completions(server) == len(runs.stored(out)) >= CONCURRENCY
    found = runs.events(out)
    assert found["done"] == runs.completions(server) < N_PROBLEMS * EACH
    assert found["done"] + found["unsent"] == found["reserve"] == found.total() - found["done"] - found["unsent"]
    assert unanswered(out) == set()


def test_ctrl_c_does_not_wait_for_ever(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Server(faults=["", *["hangs"] * CONCURRENCY]) as server:  # the first goes alone
        watch = Watch(server)
        path = study(tmp_path, server)
        reached = watch.after(1 + CONCURRENCY)
        with runs.started("run", path, "-o", out, first="import isocost.dispatch.inflight as a; a.PATIENCE = 2.0") as process:
            assert reached.wait(60)
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate()
        assert process.returncode == 130
        stopped = said[said.index("stopped:") :].splitlines()
        assert stopped[0] == "stopped: 1 samples are saved, and all that was made of them"
        assert "; requests without an answer may cost up to $0.00" in stopped[1]
        assert len(stopped) == 3
        assert watch.seen == 1 + CONCURRENCY
        assert runs.run_process("run", path, "-o", out).code == 0
    found = runs.events(out)
    assert CONCURRENCY <= found["lost"] <= 2 * CONCURRENCY  # on a busy machine nobody comes to say that the others were not sent
    assert found["done"] == N_PROBLEMS * EACH == found["reserve"] - found["lost"] - found["unsent"]


def test_an_endpoint_that_refuses_is_asked_nothing_more(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Server(faults=["402"] * N_PROBLEMS * EACH, delay=0.3) as server:
        left = runs.run_process("run", study(tmp_path, server), "-o", out)
        assert runs.completions(server) <= CONCURRENCY
    assert left.code == 1
    assert "asks for payment (402)" in left.err
    assert runs.events(out)["unsent"] >= CONCURRENCY
    assert unanswered(out) == set()


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Server(faults=["", *["hangs"] * CONCURRENCY]) as server:  # the first goes alone
        watch = Watch(server)
        reached = watch.after(1 + CONCURRENCY)
        patience = "import isocost.dispatch.inflight as a; a.PATIENCE = 1e6"
        with runs.started("run", study(tmp_path, server), "-o", out, first=patience) as process:
            assert reached.wait(60)
            os.killpg(process.pid, signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):  # it waits
                process.communicate(timeout=2)
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in said
        assert len(said[said.index("stopped:") :].splitlines()) == 3
    assert watch.seen == 1 + CONCURRENCY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(tmp_path: Path, small_disk: Path) -> None:
    out = small_disk / "out"
    with Server(delay=0.02, answer=lambda prompt, seed, choice: f"{'so ' * 15}{seed} is {prompt[3:20]}") as server:
        path = study(tmp_path, server)
        left = runs.run_process("run", path, "-o", out)
        assert left.code == 1
        assert "the disk is full" in left.errors[0]
        assert left.errors[1] == "  make room and run the same command again"
        assert len(left.errors) == 2
        kept = {row["id"] for row in runs.stored(out)}
        assert kept
        again = runs.run_process("run", path, "-o", out)
        assert again.code == 1
        subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
        left = runs.run_process("run", path, "-o", out)
        assert left.code == 0, left
    rows = runs.stored(out)
    assert len({row["id"] for row in rows}) == len(rows) == N_PROBLEMS * EACH
    assert kept <= {row["id"] for row in rows}
    assert runs.events(out)["done"] == len(rows)

"""Worker processes: they share the work, and nobody hangs when one of them ends or the driver does."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import psutil
import pytest

from isocost.errors import EngineError
from isocost.executors.local import LocalExecutor
from isocost.store import BatchLog
from tests.executors.engines import job, noted

pytestmark = pytest.mark.slow


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalExecutor]:
    """Two workers, whatever machine this is."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr("isocost.executors.local.shutil.which", lambda name: None)
    made = LocalExecutor(1)
    yield made
    made.close(wait=False)


def eventually(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def begun(path: Path) -> list[int]:
    """The processes of jobs that have begun."""
    return [int(line.split()[3]) for line in noted(path) if line.startswith("begin")]


def test_functions_are_spread_over_all_workers(executor: LocalExecutor) -> None:
    assert executor.workers == 2
    pids = [future.result(60) for future in [executor.submit(os.getpid) for _ in range(10)]]
    assert len(set(pids)) == 2
    assert os.getpid() not in pids


def test_many_threads_that_start_at_once_start_each_worker_once(executor: LocalExecutor, tmp_path: Path) -> None:
    gate = threading.Barrier(8)

    def work(number: int) -> object:
        gate.wait(30)
        if number % 2:
            return executor.send(job(tmp_path, f"j{number}", stored=True)).result(60)
        return executor.submit(os.getpid).result(60)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert len(executor._processes) == 2
    assert BatchLog(tmp_path / "pool").batches() == {"j1", "j3", "j5", "j7"}


def test_jobs_are_answered_by_all_workers_and_committed_by_each(executor: LocalExecutor, tmp_path: Path) -> None:
    futures = [executor.send(job(tmp_path, f"j{i}", stored=True, waits="go")) for i in range(8)]
    eventually(lambda: len(begun(tmp_path)) == 2)
    (tmp_path / "go").touch()
    assert all(len(future.result(60).stored) == 1 for future in futures)
    assert len(set(begun(tmp_path))) == 2
    assert {path.name for path in tmp_path.glob("pool*")} == {"pool.w0.jsonl", "pool.w1.jsonl"}
    assert len(list(BatchLog(tmp_path / "pool").rows())) == 16


def test_an_endpoint_has_a_worker_of_its_own(executor: LocalExecutor, tmp_path: Path) -> None:
    here = [executor.send(job(tmp_path, f"here{i}", waits="go")) for i in range(2)]
    there = executor.send(job(tmp_path, "there", remote=True, concurrency=4, name="endpoint"))
    assert there.result(60).generations
    assert not any(future.done() for future in here)
    assert executor.capacity(job(tmp_path, "x")) == 4
    assert executor.capacity(job(tmp_path, "x", remote=True, concurrency=4)) == 8
    (tmp_path / "go").touch()
    assert all(future.result(60) for future in here)


@pytest.mark.parametrize("largest", [1, None], ids=["a-worker-per-core", "one-worker"])
def test_clients_of_endpoints_that_start_first_are_no_workers_for_devices(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, largest: int | None
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr("isocost.executors.local.shutil.which", lambda name: None)
    executor = LocalExecutor(largest)
    try:
        clients = {executor.submit_to(name, os.getpid).result(60) for name in ("a", "b")}
        functions = {executor.submit(os.getpid).result(60) for _ in range(4)}
        executor.send(job(tmp_path, "here")).result(60)
        assert len(clients) == 2
        assert len(functions) == executor.workers
        assert not clients & (functions | set(begun(tmp_path)))
    finally:
        executor.close(wait=False)


def test_a_worker_that_is_killed_fails_its_jobs_at_once_and_those_that_come(executor: LocalExecutor, tmp_path: Path) -> None:
    futures = [executor.send(job(tmp_path, f"j{i}", waits="never")) for i in range(6)]
    eventually(lambda: len(begun(tmp_path)) == 2)
    for pid in begun(tmp_path):
        os.kill(pid, signal.SIGKILL)
    for future in futures:
        assert isinstance(future.exception(60), BrokenProcessPool)
    assert isinstance(executor.send(job(tmp_path, "late")).exception(60), BrokenProcessPool)
    with pytest.raises(BrokenProcessPool):
        executor.submit(os.getpid).result(60)


def test_an_engine_that_takes_its_process_down(executor: LocalExecutor, tmp_path: Path) -> None:
    assert isinstance(executor.send(job(tmp_path, "a", does="die")).exception(60), BrokenProcessPool)


@pytest.mark.parametrize(("does", "kind", "says"), [("value error", ValueError, "surprise"), ("unpicklable", RuntimeError, "said 500")])
def test_what_nobody_expected_comes_back_with_its_traceback(
    executor: LocalExecutor, tmp_path: Path, does: str, kind: type[Exception], says: str
) -> None:
    error = executor.send(job(tmp_path, "a", does=does)).exception(60)
    assert isinstance(error, kind)
    assert says in str(error)
    assert "tests/executors/engines.py" in error.__notes__[0]
    assert isinstance(executor.send(job(tmp_path, "b", does="engine error")).exception(60), EngineError)


def test_closing_in_the_middle_leaves_no_process_and_no_future_open(executor: LocalExecutor, tmp_path: Path) -> None:
    futures = [executor.send(job(tmp_path, f"j{i}", waits="never")) for i in range(6)]
    futures += [executor.send(job(tmp_path, "far", remote=True, waits="never", name="endpoint"))]
    eventually(lambda: len(begun(tmp_path)) == 3)
    processes = [psutil.Process(pid) for pid in begun(tmp_path)]
    executor.close(wait=False)
    assert not any(process.is_running() for process in processes)
    assert all(future.exception(60) is not None for future in futures)
    executor.close(wait=False)  # as a run does whose evaluation was stopped


def test_closing_waits_for_what_is_under_way(executor: LocalExecutor, tmp_path: Path) -> None:
    futures = [executor.send(job(tmp_path, f"j{i}", stored=True)) for i in range(9)]
    processes = [psutil.Process(each.call(os.getpid).result(60)) for each in executor._processes]
    executor.close()
    assert all(future.result(0).stored for future in futures)
    assert not any(process.is_running() for process in processes)


def test_an_executor_that_nobody_used_closes() -> None:
    LocalExecutor(None).close()


DRIVER = """
import os, sys
from isocost.executors.local import LocalExecutor
executor = LocalExecutor(None)
executor._start()
print([p.pid for w in executor._processes for p in w._pool._processes.values()][0], flush=True)
if sys.argv[1] == "ready":
    executor.submit(os.getpid).result()
    print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("when", ["starting", "ready"])
def test_a_driver_that_is_killed_takes_its_workers_with_it(when: str) -> None:
    """Also while a worker is still starting, before it can ask to be told of its parent's end."""
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, when], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    worker = psutil.Process(int(driver.stdout.readline()))
    if when == "ready":
        assert driver.stdout.readline() == "ready\n"
    driver.kill()
    driver.communicate()
    _, alive = psutil.wait_procs([worker], timeout=60)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]

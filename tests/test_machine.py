import ctypes
import gc
import os
import signal
import subprocess
import sys

import psutil
import pyarrow as pa
import pytest

from isocost.machine import SELDOM, available_cores, memory_returned, rare_collections, release_freed, stop_signals


def test_the_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_cores() == len(os.sched_getaffinity(0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert available_cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert available_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


HELD = """
import isocost, polars as pl, psutil
rss = lambda: psutil.Process().memory_info().rss
pl.Series([0]).to_frame()
before = rss()
numbers = pl.int_range(25_000_000, eager=True) + 1
full = rss()
del numbers
print((rss() - before) / (full - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="polars uses another allocator elsewhere")
@pytest.mark.parametrize(("own", "returned"), [(None, True), ("dirty_decay_ms:60000", False)])
def test_polars_returns_memory_at_once_unless_the_user_has_chosen_otherwise(own: str | None, returned: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    if own:
        environment["_RJEM_MALLOC_CONF"] = own
    done = subprocess.run([sys.executable, "-c", HELD], env=environment, capture_output=True, text=True, check=True)
    assert (float(done.stdout) < 0.3) == returned


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="other C libraries return freed memory by themselves, or never")
def test_freed_memory_below_a_block_in_use_is_returned() -> None:
    # 64 kB: small enough for the heap, where glibc returns by itself only what is above every block in use.
    blocks = [ctypes.create_string_buffer(b"x" * 64_000) for _ in range(2000)]
    in_use = blocks[::100]
    del blocks
    before = psutil.Process().memory_info().rss
    release_freed()
    assert before - psutil.Process().memory_info().rss > 60_000_000
    assert len(in_use) == 20


def test_garbage_is_looked_for_less_often_inside_and_as_before_behind() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == (SELDOM, *before[1:])
        with rare_collections():
            assert gc.get_threshold()[0] == SELDOM
        assert gc.get_threshold()[0] == SELDOM
    assert gc.get_threshold() == before


@pytest.mark.parametrize("chosen", [0, SELDOM + 1])
def test_a_collector_that_is_off_or_rarer_already_is_left_alone(chosen: int) -> None:
    before = gc.get_threshold()
    gc.set_threshold(chosen, *before[1:])
    try:
        with rare_collections():
            assert gc.get_threshold()[0] == chosen
    finally:
        gc.set_threshold(*before)


def test_a_closed_terminal_stops_a_process_unless_nohup_keeps_it_going(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    assert stop_signals() == (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    assert stop_signals() == (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("has_jemalloc", [True, False])
def test_pyarrow_returns_memory_and_keeps_its_own_allocator(monkeypatch: pytest.MonkeyPatch, has_jemalloc: bool) -> None:
    def absent() -> pa.MemoryPool:
        raise NotImplementedError

    own, pool = pa.default_memory_pool().backend_name, pa.system_memory_pool()
    monkeypatch.setattr(pa, "jemalloc_memory_pool", (lambda: pool) if has_jemalloc else absent)
    with memory_returned():
        assert pa.default_memory_pool().backend_name == (pool.backend_name if has_jemalloc else own)
    assert pa.default_memory_pool().backend_name == own

"""Which engines stay open, and who waits for whom."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from isocost.errors import EngineError, ModelError
from isocost.executors.enginecache import MAX_OPEN, EngineCache
from tests.executors.engines import noted, spec


def opened(path: Path) -> list[str]:
    return [line.split()[1] for line in noted(path) if line.startswith("open")]


def closed(path: Path) -> list[str]:
    return [line.split()[1] for line in noted(path) if line.startswith("close")]


def test_an_engine_is_opened_once(tmp_path: Path) -> None:
    engines = EngineCache()
    with engines.borrow(spec(tmp_path, name="a")) as first, engines.borrow(spec(tmp_path, name="a")) as second:
        assert first is second
    assert engines.get(spec(tmp_path, name="a")) is first
    assert opened(tmp_path) == ["a"]


def test_an_engine_of_another_identity_than_its_draws_are_stored_under_is_refused(tmp_path: Path) -> None:
    engines = EngineCache()
    given = spec(tmp_path, name="a", model="folder")
    for _ in range(2):
        with pytest.raises(ModelError, match=r"^folder: its files are not those that the run was started with\n  restore them"):
            engines.get(replace(given, identity="b"))
    assert engines.get(replace(given, identity="a")) is engines.get(given)


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    engines = EngineCache()
    for name in ["a", "b", "c", "d", "a", "e"]:
        with engines.borrow(spec(tmp_path, name=name)):
            pass
    assert MAX_OPEN == 4
    assert closed(tmp_path) == ["b"]
    with engines.borrow(spec(tmp_path, name="b")):
        pass
    assert closed(tmp_path) == ["b", "c"]
    assert opened(tmp_path) == ["a", "b", "c", "d", "e", "b"]


def test_an_exclusive_engine_is_alone(tmp_path: Path) -> None:
    engines = EngineCache()
    for name, exclusive in (("a", False), ("b", False), ("big", True), ("a", False)):
        with engines.borrow(spec(tmp_path, name=name, exclusive=exclusive)):
            pass
    assert closed(tmp_path) == ["a", "b", "big"]


def test_an_exclusive_engine_waits_for_users_of_others(tmp_path: Path) -> None:
    engines, inside, leave = EngineCache(), threading.Event(), threading.Event()

    def use() -> None:
        with engines.borrow(spec(tmp_path, name="a")):
            inside.set()
            assert leave.wait(30)

    def take_all() -> list[str]:
        with engines.borrow(spec(tmp_path, name="big", exclusive=True)):
            return closed(tmp_path)

    with ThreadPoolExecutor(2) as threads:
        using = threads.submit(use)
        assert inside.wait(30)
        taking = threads.submit(take_all)
        with pytest.raises(TimeoutError):
            taking.result(timeout=0.05)
        assert closed(tmp_path) == []
        leave.set()
        using.result(30)
        assert taking.result(30) == ["a"]


def test_one_that_waits_may_be_put_away_by_another_and_is_opened_again(tmp_path: Path) -> None:
    """Two models that take the device whole, several jobs at once: the change from one to the other is where both are wanted."""
    engines, inside, leave = EngineCache(), threading.Event(), threading.Event()
    weak, strong = (spec(tmp_path, name=name, exclusive=True) for name in ("weak", "strong"))

    def use_weak() -> None:
        with engines.borrow(weak):
            inside.set()
            assert leave.wait(30)

    def use_strong() -> str:
        with engines.borrow(strong) as engine:
            return engine.identity

    with ThreadPoolExecutor(2) as threads:
        using = threads.submit(use_weak)
        assert inside.wait(30)
        waiting = threads.submit(use_strong)
        while "strong" not in opened(tmp_path):
            pass
        with engines.borrow(weak):  # a job of the first model that was sent before: it finds the second one idle
            assert closed(tmp_path) == ["strong"]
        leave.set()
        using.result(30)
        assert waiting.result(30) == "strong"
    assert closed(tmp_path) == ["strong", "weak"]


def test_many_threads_and_two_exclusive_engines_never_meet(tmp_path: Path) -> None:
    engines, lock = EngineCache(), threading.Lock()
    using: list[str] = []
    met: list[set[str]] = []

    def use(number: int) -> None:
        name = ("weak", "strong")[number % 2]
        with engines.borrow(spec(tmp_path, name=name, exclusive=True)):
            with lock:
                using.append(name)
                met.append(set(using))
            with lock:
                using.remove(name)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(100)))
    assert all(len(names) == 1 for names in met)
    assert len(met) == 100


def test_an_engine_that_raises_while_it_is_opened_leaves_the_cache_as_it_was(tmp_path: Path) -> None:
    engines = EngineCache()
    with engines.borrow(spec(tmp_path, name="a")):
        pass
    for _ in range(2):
        with pytest.raises(EngineError, match="it does not open"), engines.borrow(spec(tmp_path, name="b", does="refuse")):
            pass
    with engines.borrow(spec(tmp_path, name="a")):
        pass
    assert opened(tmp_path) == ["a"]


def test_an_error_inside_gives_the_engine_back(tmp_path: Path) -> None:
    engines = EngineCache()
    with pytest.raises(ZeroDivisionError), engines.borrow(spec(tmp_path, name="a")):
        raise ZeroDivisionError
    with engines.borrow(spec(tmp_path, name="big", exclusive=True)):
        assert closed(tmp_path) == ["a"]

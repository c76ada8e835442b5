"""The number of requests that an endpoint has at once: a slow server gets few, a fast one all that the study allows."""

from __future__ import annotations

import heapq
import time
from pathlib import Path

import pytest

from isocost.executors.concurrency import Room
from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

TIMEOUT, SIZE, TOKENS = 600.0, 64, 100


def served(lengths: list[float], *, slots: int, size: int = SIZE) -> tuple[list[float], list[int]]:
    """Simulate a server that answers `slots` requests at once, each as long as its entry says, first come, first served.

    Returns the seconds that each reply took from the moment its request was sent, and the places after each reply.
    """
    room, waits, places = Room(size), [], []
    free = [0.0] * slots
    under_way: list[tuple[float, float, float]] = []  # end, begin, length
    waiting, now = list(reversed(lengths)), 0.0
    while waiting or under_way:
        while waiting and len(under_way) < room.places:
            length = waiting.pop()
            start = max(now, heapq.heappop(free))
            heapq.heappush(free, start + length)
            heapq.heappush(under_way, (start + length, now, length))
        now, sent, length = heapq.heappop(under_way)
        waits.append(now - sent)
        room.count_reply(waits[-1], round(length), TIMEOUT)
        places.append(room.places)
    return waits, places


@pytest.mark.parametrize("seconds", [0.5, 5, 30, 60])
def test_no_request_waits_past_its_timeout_behind_a_server_that_answers_one_at_a_time(seconds: float) -> None:
    waits, _ = served(varied(seconds), slots=1)
    assert max(waits) < TIMEOUT


def test_few_requests_wait_past_a_timeout_that_two_of_them_exceed() -> None:
    waits, _ = served(varied(200), slots=1)
    assert sum(wait > TIMEOUT for wait in waits) <= 9  # 3%


def varied(seconds: float) -> list[float]:
    """The lengths of 300 replies; the first is the shortest, and others are up to twice as long."""
    return [seconds * (1 + i % 5 / 4) for i in range(300)]


@pytest.mark.parametrize("seconds", [0.5, 30, 160, 500])
def test_a_server_that_answers_many_at_once_gets_as_many_as_the_study_allows(seconds: float) -> None:
    waits, places = served([seconds] * 1000, slots=1000)
    assert places[-1] == SIZE
    assert places.index(SIZE) < 2 * SIZE
    assert max(waits) == pytest.approx(seconds)


def test_a_first_reply_that_was_slow_to_start_does_not_stay_the_measure() -> None:
    _, places = served([120.0, *[2.0] * 400], slots=8)
    assert places[0] == 1
    assert places[-1] == SIZE


def test_a_request_without_a_reply_takes_half_of_the_places() -> None:
    room = Room(SIZE)
    room.count_reply(1.0, TOKENS, TIMEOUT)
    assert room.places == SIZE
    for expected in (32, 16, 8, 4, 2, 1, 1):
        room.count_timeout()
        assert room.places == expected
    for _ in range(14):
        room.count_reply(1.0, TOKENS, TIMEOUT)
    assert room.places == 1
    for _ in range(2 * SIZE):
        room.count_reply(1.0, TOKENS, TIMEOUT)
    assert room.places == SIZE


def test_an_engine_without_a_timeout_has_all_places_after_its_first_reply() -> None:
    room = Room(SIZE)
    assert room.places == 1
    room.count_reply(1e9, 0, None)
    assert room.places == SIZE


def test_nothing_is_lost_to_a_server_that_answers_one_request_at_a_time(tmp_path: Path, shell: Shell) -> None:
    """The last of 42 requests that are sent at once waits over four seconds."""

    def answer(prompt: str, seed: int | None, choice: int) -> str:
        time.sleep(0.1)  # in the server's only thread
        return "It is so. #### 7"

    with Server(answer=answer) as server:
        study = runs.raw(server.url, models={"weak": runs.model(server.url, concurrency=64, timeout=3.0)})
        left = shell("run", runs.write(tmp_path, study, n_problems=14), "-o", tmp_path / "out")
    assert left.code == 0, left
    assert runs.events(tmp_path / "out")["lost"] == 0
    assert runs.completions(server) == 42

"""The calls of a pool's batches: their worst case, their place, and the objects that they share."""

from dataclasses import replace
from pathlib import Path

import pytest

from isocost.sampling.poolcalls import PoolCalls
from tests.sampling.pooling import order, pool_in, problems


def test_the_worst_case_pays_for_every_byte_of_the_prompt_and_every_token_of_each_draw(tmp_path: Path) -> None:
    pool = pool_in(tmp_path, problems(*"pq"))
    order(pool, ("p", 0, 3), ("q", 0, 1))  # one batch of four draws
    (call,) = (call for call, _ in pool.calls(None))
    prompt = len("Q: What is p?\nA:") + 1
    assert call.worst.usd == pytest.approx(4 * (prompt * 1 + 16 * 2) / 1e6)
    assert (call.worst.flops, call.worst.seconds) == (4 * 16 * 2.0, 0.0)
    assert call.facts == {"account": "data", "model": "weak", "pool": pool.id, "count": 4}


def test_calls_of_one_problem_share_their_prompt_their_place_and_their_facts(tmp_path: Path) -> None:
    """50,000 calls may wait for one batch of an endpoint, and what each has of its own is held that often."""
    pool = pool_in(tmp_path, problems("p"))
    for first in range(3):
        order(pool, ("p", first, 1))
    calls = [call for call, _ in pool.calls(None)]
    assert len({call.key for call in calls}) == 3
    for shared in (
        [call.job.storing for call in calls],
        [call.job.requests[0].prompt for call in calls],
        [call.worst for call in calls],
        [call.facts for call in calls],
    ):
        assert len({id(each) for each in shared}) == 1


def test_batches_of_different_problems_have_places_of_their_own(tmp_path: Path) -> None:
    pool = pool_in(tmp_path, problems(*"pq"))
    for problem in "pqp":
        order(pool, (problem, pool.bought(problem), 1))
    first, second, third = (call.job.storing for call, _ in pool.calls(None))
    assert first is not None
    assert second is not None
    assert first == third != second
    assert first.stem.is_absolute()


def test_a_worst_case_that_is_not_known_stays_unknown(tmp_path: Path) -> None:
    pool = pool_in(tmp_path, problems("p"))
    order(pool, ("p", 0, 2))
    unpriced = replace(pool.card, flops_per_token=None, usd_per_million=None)
    calls = PoolCalls(pool.job, tmp_path, pool.id, unpriced, lambda problem: 5, lambda problem: "asked")
    worst = calls.worst(next(pool.missing(None)).requests)
    assert (worst.flops, worst.usd) == (None, None)

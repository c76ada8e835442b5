import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.base import Request
from isocost.engines.batching import SMALLEST, Batching, cut


def request(problem: str, length: int, count: int, first: int = 0) -> Request:
    return Request(problem_id=problem, prompt="x" * length, first_index=first, count=count)


def test_sorts_by_length_and_keeps_requests_whole() -> None:
    long, short, middle = request("a", 9, 3), request("b", 1, 3), request("c", 5, 4)
    assert cut([long, short, middle], 7) == [(short, middle), (long,)]
    assert cut([long, short, middle], 6) == [(short,), (middle,), (long,)]


def test_splits_what_is_larger_than_a_batch() -> None:
    assert cut([request("a", 1, 10, first=5)], 4) == [(request("a", 1, 4, 5),), (request("a", 1, 4, 9),), (request("a", 1, 2, 13),)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), max_size=20), st.integers(1, 16), st.randoms())
def test_every_draw_once_in_batches_that_fit(shapes: list[tuple[int, int]], size: int, rng: object) -> None:
    requests = [request(f"p{i}", length, count) for i, (length, count) in enumerate(shapes)]
    batches = cut(requests, size)
    draws = sorted((r.problem_id, i) for batch in batches for r in batch for i in range(r.first_index, r.first_index + r.count))
    assert draws == sorted((r.problem_id, i) for r in requests for i in range(r.count))
    assert all(0 < sum(r.count for r in batch) <= size for batch in batches)
    rng.shuffle(requests)  # type: ignore[attr-defined]
    assert cut(requests, size) == batches


@pytest.mark.parametrize(
    ("draws", "workers", "sizes"),
    [
        (100, 2, [50, 50]),  # one batch of 128, of which the second worker would have nothing
        (300, 2, [75] * 4),  # three batches, of which one worker would get two
        (31, 2, [31]),  # two would be smaller than a batch should be
        (40, 16, [20, 20]),
        (1024, 2, [128] * 8),  # every worker gets several in any case
        (100, 1, [100]),
    ],
)
def test_a_small_round_is_spread_over_the_workers(draws: int, workers: int, sizes: list[int]) -> None:
    requests = [request(f"p{i:04}", 5, 1) for i in range(draws)]
    batches = Batching(size=128).spread(requests, workers).cut(requests)
    assert [len(batch) for batch in batches] == sizes


@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(1, 40))
def test_a_spread_round_has_no_more_batches_than_it_needs(counts: list[int], workers: int) -> None:
    requests = [request(f"p{i}", 5, count) for i, count in enumerate(counts)]
    usual, spread = Batching(size=64).cut(requests), Batching(size=64).spread(requests, workers).cut(requests)
    assert len(spread) <= max(len(usual), sum(counts) // SMALLEST, 1)
    assert all(sum(r.count for r in batch) <= 64 for batch in spread)
    assert sum(r.count for batch in spread for r in batch) == sum(counts)


def test_an_engine_that_answers_a_request_at_a_time_is_not_spread() -> None:
    rule = Batching(size=8, mixed=False)
    assert rule.spread([request("p", 5, 100)], 4) == rule

from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.base import Request
from isocost.engines.batching import cut


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

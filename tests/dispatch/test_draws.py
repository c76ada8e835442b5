"""Draws without their texts: the sums of batches."""

import polars as pl
import pytest

from isocost.dispatch.draws import PAID_COLUMNS, Draw, iter_batches, summarise_batch
from isocost.ledger import Answered
from isocost.records import Cost


def draw(tokens: int, flops: float | None, usd: float | None) -> Draw:
    return Draw(7, tokens, "stop", flops, usd)


@pytest.mark.parametrize(
    ("draws", "cost"),
    [
        ([draw(3, 6.0, 0.5)], Cost(flops=6.0, usd=0.5, seconds=2.0)),
        ([draw(3, None, 0.5)], Cost(flops=None, usd=0.5, seconds=2.0)),
        ([draw(1, 2.0, 0.25), draw(2, 4.0, 0.25)], Cost(flops=6.0, usd=0.5, seconds=2.0)),
        ([draw(1, 2.0, None), draw(2, 4.0, 0.5)], Cost(flops=6.0, usd=None, seconds=2.0)),
    ],
)
def test_a_batch_of_one_is_summed_as_one_of_several(draws: list[Draw], cost: Cost) -> None:
    found = summarise_batch("key", draws, 2.0)
    assert (found.request, found.cost, found.count, found.tokens) == ("key", cost, len(draws), 3)


def test_a_batch_without_draws_costs_nothing() -> None:
    found = summarise_batch("key", [], 0.0)
    assert (found.cost, found.count, found.tokens) == (Cost(flops=0, usd=0, seconds=0.0), 0, 0)


ROWS = [
    ("a", 7, 3, "stop", 6.0, 0.5, 1.0),
    ("a", 7, 0, "error", 0.0, None, 1.0),
    ("b", 7, 0, "error", 0.0, 0.0, 0.25),
    ("c", 7, 0, "error", None, 0.0, 0.25),
    ("c", 7, 2, "error", 4.0, 0.125, 0.25),
    ("c", 7, 5, "length", 1.0, 0.125, 0.25),
]


@pytest.mark.parametrize("size", range(1, len(ROWS) + 1))
def test_a_stored_batch_is_summed_once_over_all_frames_that_hold_it(size: int) -> None:
    found: list[tuple[Answered, bool]] = []
    frames = [
        pl.DataFrame(ROWS[at : at + size], schema=["batch", *PAID_COLUMNS], orient="row", infer_schema_length=None)
        for at in range(0, len(ROWS), size)
    ]
    assert sum(frame.height for frame in iter_batches(frames, lambda *each: found.append(each))) == len(ROWS)
    own = {name: [Draw(*row[1:6]) for row in ROWS if row[0] == name] for name in "abc"}  # type: ignore[arg-type]
    expected = [summarise_batch(name, own[name], sum(row[6] for row in ROWS if row[0] == name)) for name in "abc"]
    assert found == list(zip(expected, [False, True, False], strict=True))


def test_no_frame_is_no_batch() -> None:
    assert list(iter_batches([], lambda *each: pytest.fail("a batch"))) == []

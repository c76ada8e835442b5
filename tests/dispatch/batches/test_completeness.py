"""Result files that lack lines, by what a batch's state says of them."""

import pytest

from isocost.dispatch.batches.completeness import lacking_lines, ran_nothing
from isocost.engines.batches import BatchState
from isocost.executors.batchworker import LineCount


def state(status: str = "completed", **counts: int) -> BatchState:
    return BatchState(id="b", status=status, **counts)  # type: ignore[arg-type]  # only numbers are given


@pytest.mark.parametrize(
    ("shown", "found", "text"),
    [
        (state(total=3, completed=3), LineCount(asked=3, lines=3, replies=3), ""),
        (state(total=3, completed=3), LineCount(asked=3, lines=2, replies=2), "batch b has 3 answers, and its files have 2 of them"),
        (state(total=3, completed=3), LineCount(asked=3), "batch b has 3 answers, and its files have none"),
        (state("expired", total=3, completed=1), LineCount(asked=3, lines=1, replies=1), ""),
        (state(), LineCount(asked=3, lines=2, replies=2), "batch b is completed, and its files have 2 of its 3 requests"),
        (state("expired"), LineCount(asked=3, lines=2, replies=2), ""),
        (state("expired"), LineCount(asked=3), "batch b is expired, and its files have 0 of its 3 requests"),
        (state("failed"), LineCount(asked=3), ""),
    ],
)
def test_a_batch_lacks_the_lines_that_its_state_promises(shown: BatchState, found: LineCount, text: str) -> None:
    assert lacking_lines(shown, found, began=False) == text


def test_a_failed_batch_ran_nothing_unless_something_shows_that_it_ran() -> None:
    assert ran_nothing(state("failed"), LineCount(asked=3), began=False)
    assert not ran_nothing(state("failed"), LineCount(asked=3), began=True)
    assert not ran_nothing(state("failed", failed=1), LineCount(asked=3), began=False)
    assert not ran_nothing(state("expired"), LineCount(asked=3), began=False)

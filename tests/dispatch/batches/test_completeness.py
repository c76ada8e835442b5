"""Result files that lack lines, by what the last state of a batch and earlier ones say of them."""

from typing import Any

import pytest

from isocost.dispatch.batches.completeness import contradiction, lacking_lines, ran_nothing
from isocost.engines.batches import BatchState
from isocost.executors.batchworker import LineCount
from isocost.ledger.submissions import Submission


def state(status: str = "completed", **counts: int) -> BatchState:
    return BatchState(id="b", status=status, **counts)  # type: ignore[arg-type]  # only numbers are given


def seen(**facts: Any) -> Submission:
    return Submission(id="s", model="m", stage="created", reserved=0.0, requests=3, **facts)


UNSEEN = seen()
RAN = seen(began=True)
COUNTED = seen(began=True, most_completed=2)


@pytest.mark.parametrize(
    ("shown", "found", "looks", "text"),
    [
        (state(total=3, completed=3), LineCount(asked=3, lines=3, replies=3), UNSEEN, ""),
        (
            state(total=3, completed=3),
            LineCount(asked=3, lines=2, replies=2),
            UNSEEN,
            "batch b has 3 answers, and its files have 2 of them",
        ),
        (state(total=3, completed=3), LineCount(asked=3), UNSEEN, "batch b has 3 answers, and its files have none"),
        (state("expired", total=3, completed=1), LineCount(asked=3, lines=1, replies=1), UNSEEN, ""),
        (state(), LineCount(asked=3, lines=2, replies=2), UNSEEN, "batch b is completed, and its files have 2 of its 3 requests"),
        (state("expired"), LineCount(asked=3, lines=2, replies=2), UNSEEN, ""),
        (state("expired"), LineCount(asked=3), UNSEEN, "batch b is expired, and its files have 0 of its 3 requests"),
        (state("failed"), LineCount(asked=3), UNSEEN, ""),
        # A total counts nothing, and counts of failures are no lines.
        (state("failed", total=3), LineCount(asked=3), UNSEEN, ""),
        (state(total=3), LineCount(asked=3), UNSEEN, "batch b is completed, and its files have 0 of its 3 requests"),
        (state("cancelled", total=3), LineCount(asked=3), UNSEEN, "batch b is cancelled, and its files have 0 of its 3 requests"),
        (state("cancelled", total=3, failed=3), LineCount(asked=3), UNSEEN, "batch b is cancelled, and its files have 0 of its 3 requests"),
        (
            state("expired", total=3),
            LineCount(asked=3, lines=1, not_run=1),
            UNSEEN,
            "batch b is expired, and its files have 1 of its 3 requests",
        ),
        (state("expired", total=3, failed=1), LineCount(asked=3, lines=1, not_run=1), UNSEEN, ""),
        (
            state("expired", total=3, completed=1),
            LineCount(asked=3, lines=2, replies=2, is_cut_off=True),
            UNSEEN,
            "batch b is expired, and its files have 2 of its 3 requests",
        ),
        # What earlier looks have counted.
        (state("failed", total=3), LineCount(asked=3), RAN, "batch b is failed, and its files have 0 of its 3 requests"),
        (state("failed", total=3), LineCount(asked=3), COUNTED, "batch b has 2 answers, and its files have none"),
        (state("expired", total=3), LineCount(asked=3, lines=1, replies=1), COUNTED, "batch b has 2 answers, and its files have 1 of them"),
        (state("expired", total=3, completed=1, failed=1), LineCount(asked=3, lines=2, replies=1, not_run=1), COUNTED, ""),
        (
            state("expired", total=3, failed=3),
            LineCount(asked=3, lines=3, not_run=3),
            COUNTED,
            "batch b has 2 answers, and its files say that 3 of its 3 requests were not run",
        ),
        (state("expired", total=3, completed=3), LineCount(asked=3, lines=3, replies=1, not_run=2), UNSEEN, ""),
        (state("expired", total=3, completed=2, failed=1), LineCount(asked=3, lines=3, replies=2, not_run=1), COUNTED, ""),
    ],
)
def test_a_batch_lacks_the_lines_that_its_states_promise(shown: BatchState, found: LineCount, looks: Submission, text: str) -> None:
    assert lacking_lines(shown, found, looks) == text


@pytest.mark.parametrize("total", [0, 3])
def test_a_failed_batch_ran_nothing_unless_something_shows_that_it_ran(total: int) -> None:
    assert ran_nothing(state("failed", total=total), LineCount(asked=3), UNSEEN)
    assert not ran_nothing(state("failed", total=total), LineCount(asked=3), RAN)
    assert not ran_nothing(state("failed", total=total, failed=1), LineCount(asked=3), UNSEEN)
    assert not ran_nothing(state("failed", total=total), LineCount(asked=3, lines=1, not_run=1), UNSEEN)
    assert not ran_nothing(state("expired", total=total), LineCount(asked=3), UNSEEN)


def test_requests_that_are_counted_as_answered_and_called_not_run_are_told() -> None:
    """They are believed to be free, as some endpoints count every line as answered."""
    found = LineCount(asked=3, lines=3, replies=1, not_run=2)
    said = contradiction(state(total=3, completed=3), found, UNSEEN)
    assert said.startswith("batch b counts all of its 3 requests as answered, and its files say that 2 were not run: nothing is charged")
    assert not contradiction(state(total=3, completed=1), found, UNSEEN)
    assert not contradiction(state(total=3, completed=3), LineCount(asked=3, lines=3, replies=3), UNSEEN)

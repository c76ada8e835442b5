"""Compare the lines of a batch's result files with what its state says that they hold."""

from __future__ import annotations

from isocost.engines.batches import BatchState
from isocost.executors.batchworker import LineCount
from isocost.ledger.submissions import Submission


def lacking_lines(state: BatchState, found: LineCount, *, began: bool) -> str:
    """Return a message on answers of a batch that its files lack, "" if they have all of which is known.

    Args:
        state: The state of the batch.
        found: The lines of its files.
        began: True if it was seen to run.
    """
    if found.lines >= found.asked:
        return ""
    if state.total or state.completed or state.failed:
        # Some endpoints count what failed as completed, and as nothing else.
        answers = found.replies if state.failed else found.replies + found.refused
        have = f"{answers:,} of them" if answers else "none"
        return f"batch {state.id} has {state.completed:,} answers, and its files have {have}" if answers < state.completed else ""
    # Without counts: a batch that was completed has a line for each request, and one that ended early has a reply, or may have some.
    may_have_run = state.status != "failed" or state.output_file or (began and not state.exceeds_queue)
    if state.status == "completed" or found.is_cut_off or (may_have_run and not found.replies):
        return f"batch {state.id} is {state.status}, and its files have {found.lines:,} of its {found.asked:,} requests"
    return ""


def with_closed(state: BatchState, own: LineCount, all_lines: LineCount, submission: Submission) -> LineCount:
    """Return the count of a whole batch, of which an earlier start has closed some requests.

    Their lines count as they are in the files, and as replies where they are not: that start has read them, and stored the answers.

    Args:
        state: The state of the batch.
        own: The lines of requests that are open.
        all_lines: All lines of its files.
        submission: Its submission.
    """
    closed = max(state.total, state.completed + state.failed, submission.requests) - own.asked
    shown = LineCount(lines=all_lines.lines - own.lines, replies=all_lines.replies - own.replies, refused=all_lines.refused - own.refused)
    stored = max(0, closed - shown.lines)
    return own + shown + LineCount(asked=closed, lines=stored, replies=stored)


def ran_nothing(state: BatchState, found: LineCount, *, began: bool) -> bool:
    """Return True if a batch was not accepted. One without counts that was seen to run is taken to have run."""
    ran = state.completed or state.failed or state.output_file or found.lines or (began and not state.total and not state.exceeds_queue)
    return state.status == "failed" and not ran

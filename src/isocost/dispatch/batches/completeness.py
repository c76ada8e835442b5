"""Compare the lines of a batch's result files with what the endpoint has shown of the batch, by its last state and by earlier ones."""

from __future__ import annotations

from isocost.engines.batches import BatchState
from isocost.errors import EngineError
from isocost.executors.batchworker import LineCount
from isocost.ledger.submissions import Submission


def lacking_lines(state: BatchState, found: LineCount, seen: Submission) -> str:
    """Return a message on answers of a batch that its files lack and that may be paid, "" if they have all of which is known.

    Args:
        state: The last state of the batch.
        found: The lines of its files.
        seen: What all looks at it have shown.
    """
    completed, failed = _counts(state, seen)
    # Some endpoints count what failed as completed, and as nothing else.
    answers = found.replies if failed else found.replies + found.refused
    lines = f"batch {state.id} is {state.status}, and its files have {found.lines:,} of its {found.asked:,} requests"
    if found.lines >= found.asked:
        most = max(state.completed, seen.most_completed)
        denied = (
            f"batch {state.id} has {most:,} answers, and its files say that {found.not_run:,} of its {found.asked:,} requests were not run"
        )
        # One that counts every line as completed, those that were not run too, says nothing by it.
        return denied if found.asked - found.not_run < most < found.asked else ""
    if answers < completed:
        have = f"{answers:,} of them" if answers else "none"
        return f"batch {state.id} has {completed:,} answers, and its files have {have}"
    if not _may_have_run(state, found, seen):
        return ""
    if found.is_cut_off or not found.lines:
        return lines
    # Without counts: a batch that was completed has a line for each request, and one that ended early has a reply, or may have some.
    return lines if not (completed or failed) and (state.status == "completed" or not found.replies) else ""


def contradiction(state: BatchState, found: LineCount, seen: Submission) -> str:
    """Return a note where an endpoint counts requests as answered, and its files say that they were not run; "" elsewhere.

    Some count every line as answered, so they are believed: such requests are free, and bought again.
    """
    most = max(state.completed, seen.most_completed)
    if not found.not_run or most < found.asked:
        return ""
    counts = (
        f"batch {state.id} counts all of its {found.asked:,} requests as answered, and its files say that {found.not_run:,} were not run"
    )
    return f"{counts}: nothing is charged for these, and they are bought again; compare the endpoint's own bill"


def doubtful(model: str, batches: int) -> EngineError:
    """Return the error that stops a start in which several batches of a model had such a contradiction."""
    return EngineError(
        f"model {model}: {batches:,} batches of this start count requests as answered, and their files say that these were not run",
        details=["nothing is charged for them, and they would be bought again; if the endpoint bills them, the limit does not hold"],
        advice="compare the endpoint's own bill; the same command goes on buying",
    )


def no_results(found: LineCount) -> str:
    """Return what files have that are in another form than results."""
    lines = "1 line of its files is no result" if found.strange == 1 else f"{found.strange:,} lines of its files are no results"
    return f'{lines} of a request; the first begins: "{found.first_strange}"'


def ran_nothing(state: BatchState, found: LineCount, seen: Submission) -> bool:
    """Return True if a batch was not accepted: it has failed, and nothing that was ever seen of it shows that it ran."""
    return state.status == "failed" and not _may_have_run(state, found, seen)


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
    shown = LineCount(
        lines=all_lines.lines - own.lines,
        replies=all_lines.replies - own.replies,
        refused=all_lines.refused - own.refused,
        not_run=all_lines.not_run - own.not_run,
    )
    stored = max(0, closed - shown.lines)
    return own + shown + LineCount(asked=closed, lines=stored, replies=stored)


def _counts(state: BatchState, seen: Submission) -> tuple[int, int]:
    """Return the requests of a batch that were answered and that failed: by its last state, unless earlier ones counted more.

    What was counted as answered while the batch ran may be divided into answers and failures in the end.
    """
    if state.completed + state.failed >= max(seen.most_completed, seen.most_failed):
        return state.completed, state.failed
    return max(state.completed, seen.most_completed), max(state.failed, seen.most_failed)


def _may_have_run(state: BatchState, found: LineCount, seen: Submission) -> bool:
    """Return True unless a batch has failed, and no look, no count, no file and no line shows that it ran."""
    shows = state.completed or state.failed or state.output_file or found.lines or seen.began
    return state.status != "failed" or bool(shows)

"""Batches of earlier starts: which reservations they keep open, and how they are cancelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from isocost.dispatch.batches.dispatcher import BatchDispatcher
from isocost.dispatch.batches.terms import TIMING, BatchContext, BatchTerms
from isocost.errors import BatchesOpenError, RunDirectoryError, StorageError
from isocost.executors.base import Executor
from isocost.grading import Grading
from isocost.ledger import Answered, Ledger
from isocost.ledger.identity import read_progress
from isocost.ledger.submissions import FILE, Submissions, describe_open
from isocost.ledger.summary import begins_with
from isocost.paths import shell_word
from isocost.sampling.loop import buy
from isocost.sampling.pools import Pool
from isocost.sampling.progress import Progress
from isocost.store import RunDirectory

FOLDER = "batches"  # of the files of batches, inside the run directory


def settle_batches(
    submissions: Submissions, ledger: Ledger, stored: Mapping[str, Answered], pools: Mapping[str, Pool], directory: RunDirectory
) -> None:
    """Settle the ledger, and keep the reservations of batches that may be under way.

    Args:
        submissions: The submissions.
        ledger: The ledger, compared with the stored batches.
        stored: The stored answers to open requests, by request.
        pools: The pools, by model.
        directory: The run directory.

    Raises:
        StorageError: the record of submissions was cut or lacks one, or the ledger lacks requests of a batch under way.
        RunDirectoryError: the answers of a batch under way would have no place: the study or its problems were changed.
    """
    _refuse_cut(directory)
    kept: dict[str, str] = {}
    unsent: list[str] = []
    for request, row in ledger.unanswered().items():
        if (id := row.get("submission")) is None or request in stored:
            continue
        if id not in submissions:
            raise StorageError(
                f"{directory.path}: batches.jsonl lacks submission {id}, of which requests are open in the ledger",
                advice=f"put the file back as it was: it has the endpoint's id of the batch, whose input file is isocost-{id}.jsonl there",
            )
        if submissions[id].may_be_paid:
            kept[request] = str(row.get("model", ""))
        elif submissions[id].is_unused:
            unsent.append(request)
    _refuse_unreserved(submissions, ledger)
    for model in set(kept.values()):
        own = {request for request, of_model in kept.items() if of_model == model}
        known = {batch.key for batch in pools[model].missing(None)} if model in pools else set[str]()
        if own - known:
            raise changed_error(submissions, directory)
    ledger.settle(stored, kept, unsent)
    ledger.adopt(kept)


def _refuse_cut(directory: RunDirectory) -> None:
    """Refuse a record of submissions that lost lines while batches were under way: they would be bought again."""
    path, known = directory.path / FILE, (read_progress(directory) or {}).get("batches")
    if isinstance(known, dict) and isinstance(under_way := known.get("open"), str) and under_way and not begins_with(path, known):
        raise StorageError(
            f"{path}: was cut, changed or removed since there were under way: {under_way}",
            advice="put the file back as it was: without it they would be bought again",
        )


def _refuse_unreserved(submissions: Submissions, ledger: Ledger) -> None:
    """Refuse a ledger that lacks requests of a batch under way: their answers would have no place, and would be bought again."""
    paid = [each for each in submissions.open() if each.may_be_paid]
    if not paid:
        return
    reserved = Counter(entry.get("submission") for entry in ledger.log.entries() if entry["event"] == "reserve")
    for each in paid:
        if (lacking := each.requests - reserved[each.id]) > 0:
            raise StorageError(
                f"{ledger.log.path}: lacks {lacking:,} requests of what is under way: {describe_open([each])}",
                advice="the file was cut, or is older than batches.jsonl: put it back as it was",
            )


def changed_error(submissions: Submissions, directory: RunDirectory) -> RunDirectoryError:
    """Return the error for a study that was changed while batches of it are under way."""
    folder = shell_word(directory.path)
    return RunDirectoryError(
        f"{directory.path}: the study or its problems were changed while batches are under way: {describe_open(submissions.open())}",
        advice=f"resume the study as it was, or cancel them and keep what is paid: isocost sample {folder} --cancel-batches",
    )


def open_dispatcher(
    submissions: Submissions, directory: RunDirectory, executor: Executor, ledger: Ledger, terms: BatchTerms, progress: Progress
) -> BatchDispatcher:
    """Return the dispatcher of batches of a start."""
    dispatcher = BatchDispatcher(
        BatchContext(
            submissions=submissions,
            folder=(directory.path / FOLDER).resolve(),
            executor=executor,
            ledger=ledger,
            terms=terms,
            timing=TIMING,
            notify=progress.trouble,
        )
    )
    progress.batches, progress.submissions = dispatcher.describe, submissions
    return dispatcher


def cancel_batches(
    submissions: Submissions,
    pools: Mapping[str, Pool],
    executor: Executor,
    ledger: Ledger,
    grading: Grading,
    progress: Progress,
    batches: BatchDispatcher,
) -> None:
    """Cancel all batches that are under way, and store and grade what they have brought.

    Raises:
        BatchesOpenError: always, as nothing more is bought: it says what was done.
        EngineError: an endpoint does not answer, or a batch is not cancelled in time.
    """
    cancelled = [each for each in submissions.open() if each.may_be_paid]
    if cancelled:
        buy([pool for pool in pools.values() if pool.is_batched], {}, executor, grading, ledger, progress, batches)
    number = "1 batch" if len(cancelled) == 1 else f"{len(cancelled):,} batches"
    if not cancelled:
        raise BatchesOpenError("no batch is under way")
    brought = (
        f"cancelled and collected: {number}, {batches.answers:,} answers" if batches.answers else f"cancelled: {number}, no new answer"
    )
    raise BatchesOpenError(brought)

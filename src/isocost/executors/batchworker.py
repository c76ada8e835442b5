"""The functions that run in the process for an endpoint's batches: write the file, talk to the endpoint, commit the replies.

The driver decides and keeps the ledger. This process has the client and the texts.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from isocost.engines.base import Generation, Request
from isocost.engines.batches import NOT_RUN, BatchApi, BatchEngine, BatchState, Sighting
from isocost.engines.batching import split
from isocost.errors import EngineError, TryAgainError
from isocost.executors.concurrency import JobResult
from isocost.executors.engineworker import this_worker
from isocost.executors.jobs import EngineSpec, Job, Outcome
from isocost.executors.resultfiles import ResultFiles
from isocost.machine import rare_collections
from isocost.store.files import make_folder, storage_errors

_open: dict[tuple[Path, ...], ResultFiles] = {}  # the files that are being read: one batch at a time


@rare_collections()
def write_requests(path: Path, jobs: Sequence[Job], most_bytes: int, *, first: bool) -> list[int]:
    """Append the requests of jobs to a batch's file; return the size of the file after each job that fits.

    Args:
        path: The file.
        jobs: The jobs, in order.
        most_bytes: Size that the file may have. A job that would make it larger is left out, and so are those behind it.
        first: True to begin the file.
    """
    ends: list[int] = []
    engine = _engine(jobs[0].spec)
    with storage_errors(path):
        make_folder(path.parent)
        with path.open("wb" if first else "ab") as file:
            end = file.tell()
            parts: list[bytes] = []
            for job in jobs:
                lines = b"".join(
                    engine.write_line(custom_id, part, job.params, job.seed) for custom_id, part in _parts(job, engine.most_choices)
                )
                if end + len(lines) > most_bytes:
                    break
                end += len(lines)
                parts.append(lines)
                ends.append(end)
            file.write(b"".join(parts))
    return ends


def submit_file(spec: EngineSpec, path: Path, size: int, name: str) -> str:
    """Cut the file of a batch to the requests that are reserved, flush and upload it; return the endpoint's id of it."""
    with storage_errors(path), path.open("rb+") as file:
        file.truncate(size)
        os.fsync(file.fileno())
    return _api(spec).upload(path, name)


def create(spec: EngineSpec, file: str, request: Request, submission: str) -> BatchState:
    """Create a batch of an uploaded file with requests like this one."""
    return _api(spec).create(file, _engine(spec).batch_url(request), submission)


def look(spec: EngineSpec, batch: str) -> BatchState | None:
    """Return the state of a batch, None if the endpoint does not know it."""
    return _api(spec).look(batch)


def cancel(spec: EngineSpec, batch: str) -> BatchState | None:
    """Ask the endpoint to cancel a batch."""
    return _api(spec).cancel(batch)


def find(spec: EngineSpec, submission: str, file: str, others: Collection[str]) -> Sighting:
    """Look for the batch of a submission in the listing."""
    return _api(spec).find(submission, file, others)


def has_file(spec: EngineSpec, file: str) -> bool:
    """Return True if the endpoint knows a file."""
    return _api(spec).has_file(file)


def download(spec: EngineSpec, file: str, path: Path) -> bool:
    """Download a result file; return False if the endpoint does not have it."""
    _close()  # the file may be another than the one that was read before
    return path.exists() or _api(spec).download(file, path)


def delete(spec: EngineSpec, files: Sequence[str], local: Sequence[Path]) -> None:
    """Delete the files of a batch whose answers are committed: at the endpoint, where an error counts for nothing, and here."""
    _close()
    for file in files:
        try:
            _api(spec).delete(file)
        except EngineError:
            continue  # it expires at the endpoint by itself
    for path in local:
        path.unlink(missing_ok=True)


def remove(spec: EngineSpec, submission: str, files: Sequence[str], local: Sequence[Path]) -> None:
    """Delete the input files of a submission that no batch uses, at the endpoint and here.

    Args:
        spec: The engine.
        submission: The id of the submission, which is in the names of its files.
        files: Their ids at the endpoint, if they are known; else they are looked for by name.
        local: The files here.

    Raises:
        TryAgainError: the endpoint does not answer.
        EngineError: it has no list of files, or refuses.
    """
    api = _api(spec)
    for file in files or api.find_files(submission):
        api.delete(file)
    for path in local:
        path.unlink(missing_ok=True)


@rare_collections()
def collect(paths: Sequence[Path], jobs: Sequence[Job]) -> list[Outcome]:
    """Read the answers to jobs from the result files of their batch, and commit the draws.

    Args:
        paths: The files with replies and with errors, as far as there are any. The first line of a custom_id counts.
        jobs: Some jobs of the batch.

    Returns:
        The outcomes. A job without a line has a TryAgainError that is charged.
    """
    found = _results(tuple(paths))
    engine = _engine(jobs[0].spec)
    return this_worker().commit([_result(job, engine, found) for job in jobs])


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """The lines that result files have for the requests of some jobs.

    Attributes:
        asked: The requests.
        lines: Requests with a line, of whatever kind.
        replies: Requests with a reply of status 200.
        refused: Requests with a reply of another status.
        not_run: Requests with a line that says that they were not run.
        is_cut_off: True if a line of the files is not whole.
        strange: Lines of the files that are no results of any request.
        first_strange: The beginning of the first of them.
    """

    asked: int = 0
    lines: int = 0
    replies: int = 0
    refused: int = 0
    not_run: int = 0
    is_cut_off: bool = False
    strange: int = 0
    first_strange: str = ""

    def __add__(self, other: LineCount) -> LineCount:
        return LineCount(
            asked=self.asked + other.asked,
            lines=self.lines + other.lines,
            replies=self.replies + other.replies,
            refused=self.refused + other.refused,
            not_run=self.not_run + other.not_run,
            is_cut_off=self.is_cut_off or other.is_cut_off,
            strange=max(self.strange, other.strange),  # both are of the same files
            first_strange=self.first_strange or other.first_strange,
        )


def count_lines(paths: Sequence[Path], jobs: Sequence[Job]) -> LineCount:
    """Count the lines that result files have for the requests of these jobs."""
    found, most = _results(tuple(paths)), _engine(jobs[0].spec).most_choices
    return _counted(found, [custom_id for job in jobs for custom_id, _ in _parts(job, most)])


def count_all(paths: Sequence[Path]) -> LineCount:
    """Count the lines that result files have for any request."""
    found = _results(tuple(paths))
    return _counted(found, found.ids())


def _counted(found: ResultFiles, ids: Sequence[str]) -> LineCount:
    lines = [_gist(found.line(custom_id)) for custom_id in ids]
    return LineCount(
        asked=len(lines),
        lines=len(lines) - lines.count(""),
        replies=lines.count("reply"),
        refused=lines.count("refused"),
        not_run=lines.count("not run"),
        is_cut_off=found.cut_off > 0,
        strange=found.strange,
        first_strange=found.first_strange,
    )


def _gist(line: Mapping[str, Any] | None) -> str:
    """Return what a line has: a reply, a reply with an error, an error without a reply, that it was not run, or nothing."""
    if line is None or not (line.get("response") or line.get("error")):
        return ""
    response = line.get("response")
    if not isinstance(response, dict):
        error = line.get("error")
        code = str(error.get("code")).lower() if isinstance(error, dict) else ""
        return "not run" if any(each in code for each in NOT_RUN) else "error"
    return "reply" if response.get("status_code") in (None, 200, "200") else "refused"


def _result(job: Job, engine: BatchEngine, found: ResultFiles) -> JobResult:
    generations: dict[str, list[Generation]] = {request.problem_id: [] for request in job.requests}
    failure: EngineError | None = None
    for custom_id, part in _parts(job, engine.most_choices):
        try:
            generations[part.problem_id] += _read(part, job, engine, found.line(custom_id))
        except EngineError as error:
            # The graver one decides, as for single calls; parts that were answered are then lost with it, and may be charged.
            failure = error if failure is None or isinstance(failure, TryAgainError) else failure
    if failure is not None:
        failure.charged = failure.charged or any(generations.values())
        return JobResult(job=job, error=failure)
    return JobResult(job=job, generations=list(generations.values()))


def _read(part: Request, job: Job, engine: BatchEngine, line: Mapping[str, Any] | None) -> list[Generation]:
    if line is None:
        reason = "the batch has ended and has neither a reply nor an error for it"
        raise TryAgainError(f"problem {part.problem_id}, draw {part.first_index}: {reason}", charged=True, reason=reason)
    return engine.read_line(line, part, job.params, job.seed)


def _parts(job: Job, most: int) -> Iterator[tuple[str, Request]]:
    """Yield the requests of a job as lines may hold them, each with its custom_id: the job's key, with a number if there are several."""
    parts = [part for request in job.requests for part in split(request, most)]
    for number, part in enumerate(parts):
        yield job.key if len(parts) == 1 else f"{job.key}.{number}", part


def _results(paths: tuple[Path, ...]) -> ResultFiles:
    if paths not in _open:
        _close()
        _open[paths] = ResultFiles(paths)
    return _open[paths]


def _close() -> None:
    while _open:
        _open.popitem()[1].close()


def _engine(spec: EngineSpec) -> BatchEngine:
    return cast(BatchEngine, this_worker().engines.get(spec))


def _api(spec: EngineSpec) -> BatchApi:
    return _engine(spec).batch_api()

"""Collect a batch that has ended: read both result files, commit every answer, close every reservation, then delete the files."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocost.amounts import duration
from isocost.dispatch.batches.completeness import contradiction, doubtful, lacking_lines, no_results, ran_nothing, with_closed
from isocost.dispatch.batches.steps import Steps
from isocost.dispatch.batches.submitting import CHUNK, Submitter
from isocost.dispatch.batches.terms import MOST_ATTEMPTS, BatchContext
from isocost.dispatch.batches.waiting import WaitingCalls
from isocost.dispatch.calls import MOST_SUSPECTS, Abandoned, AnsweredCalls, Call
from isocost.dispatch.inflight import reported_cost
from isocost.engines.batches import BatchState
from isocost.errors import EngineError, InputError, IsocostError, NotRunError, RefusedPromptError, TryAgainError, UsageError
from isocost.executors import batchworker
from isocost.executors.batchworker import LineCount
from isocost.executors.jobs import Answers, Outcome

_MISSING = 3  # replies in a row that the endpoint does not have a result file, until that is believed
AHEAD = 3  # parts that the client's process has to read, so that it need not wait for the driver to send the next


@dataclass(slots=True)
class _Tally:
    """The outcomes of the calls of a batch.

    Attributes:
        answered: The number of calls with an answer.
        lost, free: Calls without an answer that may be charged, and those that cost nothing, by reason.
        failed: Calls that have failed for good.
        refused: Calls whose prompts were refused in words that may concern every request.
        unanswered: Calls that the endpoint could not answer.
        not_run: The first error of a call that was not run.
        unread: Calls whose answers may be paid and cannot be read, and the first error of one.
        error: The first error that stops the run.
    """

    answered: int = 0
    lost: dict[str, list[str]] = field(default_factory=dict)
    free: dict[str, list[str]] = field(default_factory=dict)
    failed: AnsweredCalls = field(default_factory=list)
    refused: list[tuple[Call, RefusedPromptError]] = field(default_factory=list)
    unanswered: list[tuple[Call, TryAgainError]] = field(default_factory=list)
    unread: list[tuple[Call, EngineError]] = field(default_factory=list)
    not_run: NotRunError | None = None
    error: BaseException | None = None


class Collector:
    """Collects one batch.

    Args:
        context: What batches share.
        waiting: Receives the calls that are to be asked again.
        submitter: The submitter of the batch.
    """

    def __init__(self, context: BatchContext, waiting: WaitingCalls, submitter: Submitter) -> None:
        self._context, self._waiting, self._submitter = context, waiting, submitter
        self._tally = _Tally()
        self._contradicted = ""
        self._kept: set[str] = set()  # remote files that may hold replies which were not read

    def collect(self, state: BatchState) -> Steps[BatchState | None]:
        """Collect the batch; return its last state if it was not accepted, None if it ran.

        Args:
            state: Its final state.

        Raises:
            EngineError: the endpoint does not answer, or does not give the answers that its batch has; the batch then stays open, and
                nothing of it is bought again. Or a line stops the run: its usage cannot be right, for example. All other lines are
                committed then.
        """
        state, paths, lines = yield from self._gather(state)
        if self._ran_nothing(state, lines):
            yield from self._failed(state)
            return state
        yield from self._commit(paths)
        yield self._decide(state)
        tally = self._tally
        if tally.unread:
            self._keep(state, paths)
        elif lines.strange and self._kept:
            self._context.notify(f"{no_results(lines)}; the files are kept: {_set_aside(paths)}")
        self._context.submissions.record("collected", self._submitter.submission.id)
        yield from self.clean(state)
        if tally.error is not None:
            raise tally.error
        return None

    def clean(self, state: BatchState | None) -> Steps[None]:
        """Delete the files of a batch whose answers are all committed, and close its submission."""
        submission, folder = self._submitter.submission, self._context.folder
        remote = [submission.file, *((state.output_file, state.error_file) if state else ())]
        local = [folder / f"{submission.id}{suffix}.jsonl" for suffix in ("", ".output", ".error")]
        yield from self._submitter.ask(batchworker.delete, [each for each in remote if each and each not in self._kept], local)
        yield from self._submitter.remove_doubles()
        self._context.submissions.record("closed", submission.id, why="")

    def _keep(self, state: BatchState, paths: Sequence[Path]) -> None:
        """Keep the result files where answers in them cannot be read, and may be paid.

        Raises:
            EngineError: the run was not asked to cancel; these requests stay open, and the next start reads the files here again.
        """
        unread, files = self._tally.unread, " and ".join(map(str, paths))
        told = (
            f"model {self._submitter.submission.model}: {len(unread):,} answers of batch {state.id} cannot be read: {unread[0][1].happened}"
        )
        if not self._context.terms.cancel:
            raise EngineError(
                told,
                details=[f"they may be paid, and are not bought again; the files are kept: {files}"],
                advice="the same command reads them again; --cancel-batches charges these requests at their worst case",
            )
        self._context.notify(f"{told}; they are charged, and the files are kept: {_set_aside(paths)}")
        self._kept.update(file for file in (state.output_file, state.error_file) if file)
        for call, error in unread:
            self._charge(call, error)
        self._close()

    def lose(self, reason: str) -> None:
        """Charge all calls that are open at their worst case, and close the submission."""
        self._context.ledger.close_all("lost", [call.key for call in self._submitter.calls], reason)
        self._context.submissions.record("closed", self._submitter.submission.id, why=reason)

    def _gather(self, state: BatchState) -> Steps[tuple[BatchState, list[Path], LineCount]]:
        """Download the result files, again for a while if they lack lines: an endpoint may show the end of a batch before its files.

        It may also show the end before the counts: whatever they are, a request with a line in neither file is waited for. The one batch
        that is not is one whose errors say why it was not accepted, and which was never seen to run.

        Raises:
            EngineError: they lack answers that may be paid.
        """
        timing, start, pause, told = self._context.timing, time.monotonic(), self._context.timing.poll, False
        while True:
            paths, lines = yield from self._fetch(state)
            lacking = lacking_lines(state, lines, self._submitter.submission)
            missing = max(0, lines.asked - lines.lines)
            is_refused = state.errors and self._ran_nothing(state, lines)
            # What is `_kept` is gone, and the user knows it.
            if is_refused or self._kept or not (lacking or missing):
                self._contradicted = contradiction(state, lines, self._submitter.submission)
                if self._contradicted:
                    self._context.notify(self._contradicted)
                return state, paths, lines
            if time.monotonic() - start > timing.results:
                break
            if not told:
                told = True
                without = lacking or f"batch {state.id} is {state.status}, and {missing:,} of its requests are in neither of its files"
                self._context.notify(f"{without}; looking again for up to {duration(timing.results)}")
            yield pause
            pause = min(2 * pause, timing.longest_poll)  # result files may be large
            yield from self._submitter.ask(batchworker.delete, [], paths)  # here alone, to download them again
            state = (yield from self._submitter.ask(batchworker.look, self._submitter.submission.batch)) or state
            self._submitter.note(state)
        if lacking:
            details: list[str] = []
            if not self._context.terms.cancel:
                if lines.strange:
                    details = [f"{no_results(lines)}; the files are kept: {_set_aside(paths)}"]
                yield from self._submitter.ask(batchworker.delete, [], paths)  # here alone: the next start downloads them again
            self._unread([file for file in (state.output_file, state.error_file) if file], lacking, details)
        elif not self._ran_nothing(state, lines):
            of = f"batch {state.id} is {state.status}, and {missing:,} of its requests are in neither of its files"
            self._context.notify(f"{of}; they are charged at their worst case")
        return state, paths, lines

    def _fetch(self, state: BatchState) -> Steps[tuple[list[Path], LineCount]]:
        """Download the result files, and count the lines of the whole batch in them."""
        paths = yield from self._download(state)
        lines = yield from self._count(paths)
        if self._is_resumed() and lines.asked:
            every = yield self._submitter.send(batchworker.count_all, list(paths))
            lines = with_closed(state, lines, every, self._submitter.submission)
        return paths, lines

    def _ran_nothing(self, state: BatchState, lines: LineCount) -> bool:
        return not self._is_resumed() and ran_nothing(state, lines, self._submitter.submission)

    def _is_resumed(self) -> bool:
        """Return True if an earlier start has collected a part of the batch."""
        return len(self._submitter.calls) < self._submitter.submission.requests

    def _count(self, paths: Sequence[Path]) -> Steps[LineCount]:
        calls, found = self._submitter.calls, LineCount()
        for start in range(0, len(calls), CHUNK):
            found += yield self._submitter.send(batchworker.count_lines, list(paths), [call.job for call in calls[start : start + CHUNK]])
        return found

    def _download(self, state: BatchState) -> Steps[list[Path]]:
        paths: list[Path] = []
        for suffix, file in (("output", state.output_file), ("error", state.error_file)):
            if file is None:
                continue
            path = self._context.folder.resolve() / f"{self._submitter.submission.id}.{suffix}.jsonl"
            if (yield from self._download_file(file, path)):
                paths.append(path)
            else:
                self._unread([file], f"the endpoint does not have the {suffix} file {file} of batch {state.id}")
        return paths

    def _download_file(self, file: str, path: Path) -> Steps[bool]:
        """Download a result file; return False if the endpoint says several times in a row that it is not there."""
        for _ in range(_MISSING - 1):
            if (yield from self._submitter.ask(batchworker.download, file, path)):
                return True
            yield self._context.timing.retry
        return (yield from self._submitter.ask(batchworker.download, file, path))  # type: ignore[no-any-return]

    def _unread(self, files: Sequence[str], told: str, details: Sequence[str] = ()) -> None:
        """Leave result files at the endpoint that may hold answers which were paid, and were not read.

        Args:
            files: Their ids.
            told: What the files lack.
            details: What they have instead.

        Raises:
            EngineError: the run was not asked to cancel; nothing is charged yet, and nothing is bought again.
        """
        self._kept.update(files)
        if not self._context.terms.cancel:
            raise EngineError(
                f"model {self._submitter.submission.model}: {told}; its answers may be paid",
                details=details,
                advice="the same command looks again; if they are gone for good, --cancel-batches charges its requests at their worst case",
            )
        self._context.notify(f"{told}; requests without an answer are charged at their worst case")

    def _failed(self, state: BatchState) -> Steps[None]:
        """Close a batch that was not accepted: nothing of it ran."""
        told = "; ".join(state.errors) or "no reason given"
        yield from self._submitter.withdraw(f"the batch was not accepted: {told}", keep=not state.exceeds_queue)
        if not state.exceeds_queue:
            raise EngineError(
                f"model {self._submitter.submission.model}: batch {state.id} was not accepted: {told}",
                advice="change what it objects to, and run the same command again; nothing of it was charged",
            )
        self._waiting.put_back(self._submitter.calls)

    def _commit(self, paths: Sequence[Path]) -> Steps[None]:
        """Commit the answers, some hundred at a time: while the driver notes those of one part, the client's process reads the next."""
        calls = self._submitter.calls
        parts = deque(calls[start : start + CHUNK] for start in range(0, len(calls), CHUNK))
        reading: deque[tuple[list[Call], Future[Any]]] = deque()
        while parts or reading:
            while parts and len(reading) < AHEAD:
                part = parts.popleft()
                reading.append((part, self._read(paths, part)))
            part, read = reading.popleft()
            outcomes: list[Outcome] = yield read
            by_key = {call.key: call for call in part}
            answered: AnsweredCalls = []
            for outcome in outcomes:
                answered += self._take(by_key[outcome.key], outcome)
            self._close()
            yield [*answered, *self._tally.failed]
            self._tally.failed = []

    def _read(self, paths: Sequence[Path], part: Sequence[Call]) -> Future[Any]:
        return self._submitter.send(batchworker.collect, list(paths), [call.job for call in part])

    def _take(self, call: Call, outcome: Outcome) -> list[tuple[Call, Answers]]:
        """Return the answer of a call, or note what is to be done without one."""
        if outcome.answers is not None:
            self._tally.answered += 1
            self._waiting.failures.pop(call.key, None)
            for remark in outcome.answers.remarks:
                self._context.notify(f"model {call.facts.get('model', '')}: {remark}")
            return [(call, outcome.answers)]
        error = outcome.error or RuntimeError(f"request {call.key} came back without an outcome")
        if not isinstance(error, EngineError | InputError):  # nothing could be committed: the next start reads the files again
            raise error
        if isinstance(error, RefusedPromptError) and not (error.certain and (error.charged or self._has_answered())):
            self._tally.refused.append((call, error))  # reserved until `_decide`: after a kill, the next start reads its line again
            return []
        if isinstance(error, EngineError) and error.charged and not isinstance(error, TryAgainError | RefusedPromptError):
            self._tally.unread.append((call, error))  # reserved: its line may be read by another version, or be given otherwise
            return []
        self._charge(call, error)
        if isinstance(error, NotRunError):
            self._tally.not_run = self._tally.not_run or error
            self._waiting.again.append(call)
        elif isinstance(error, TryAgainError):
            self._tally.unanswered.append((call, error))
        elif isinstance(error, RefusedPromptError):
            self._tally.failed.append((call, Abandoned(reason=error.reason)))
        else:
            self._tally.error = self._tally.error or error
        return []

    def _decide(self, state: BatchState) -> AnsweredCalls:
        """Return the calls that have failed for good by their own fault, and put others back; note the error that stops the run."""
        tally = self._tally
        for call, error in tally.refused:
            self._charge(call, error)
        self._close()
        self._waiting.contradicted += bool(self._contradicted)
        if self._contradicted and self._waiting.contradicted >= MOST_ATTEMPTS and not self._context.terms.cancel:
            tally.error = tally.error or doubtful(self._submitter.submission.model, self._waiting.contradicted)
        if self._is_up(state):
            self._waiting.barren = 0
            failed = [call_and_reason for call, error in tally.unanswered for call_and_reason in self._try_again(call, error)]
            return [*failed, *((call, Abandoned(reason=error.reason)) for call, error in tally.refused)]
        if tally.refused:
            tally.error = tally.error or tally.refused[0][1]
        elif (first := self._first_without_answer()) and not self._context.terms.cancel:
            self._waiting.barren += 1
            if self._waiting.barren >= MOST_ATTEMPTS or (tally.unanswered and not self._are_suspects()):
                tally.error = tally.error or self._outage(state, first)
            self._waiting.again += [call for call, _ in tally.unanswered]
        return []

    def _is_up(self, state: BatchState) -> bool:
        """Return True if single calls are at fault for having no answer: others of the batch, or of the model, have one.

        Answers to other batches count only while few problems have none, as online: a request may be wrong since a setting was changed,
        or the endpoint is down. A rate limit is never the fault of a prompt.
        """
        if self._tally.answered or (self._is_resumed() and (state.completed or not state.total)):
            return True
        is_tried = bool(self._tally.unanswered or self._tally.refused)  # of a batch that ran nothing no call is at fault
        return is_tried and all(error.charged for _, error in self._tally.unanswered) and self._are_suspects()

    def _are_suspects(self) -> bool:
        """Return True if few problems have no answer, of a model that has answered before."""
        return len(_problems([*self._tally.refused, *self._tally.unanswered])) <= MOST_SUSPECTS and self._has_answered()

    def _first_without_answer(self) -> EngineError | None:
        return self._tally.unanswered[0][1] if self._tally.unanswered else self._tally.not_run

    def _outage(self, state: BatchState, first: EngineError) -> EngineError:
        """Return the error for a batch without any answer, whose requests the endpoint could not answer or did not run."""
        unanswered = self._tally.unanswered
        charged = sum(error.charged for _, error in unanswered)
        told = f"{charged:,} of them are charged at their worst case" if charged else "nothing of it is charged"
        problems = _problems(unanswered)
        suspect = f"; or leave out problem {problems[0]}, if others are answered" if charged and len(problems) <= MOST_SUSPECTS else ""
        none = f"batch {state.id} has no answer to any of its {len(self._submitter.calls):,} requests"
        return EngineError(
            f"model {self._submitter.submission.model}: {none}: {first.happened}",
            advice=f"{told}; run the same command once the endpoint answers{suspect}",
        )

    def _has_answered(self) -> bool:
        """Return True if the ledger has an answer of the model, of this start or an earlier one."""
        with self._context.ledger.locked() as (accounts, _):
            return any(each.tokens for (_, model), each in accounts.items() if model == self._submitter.submission.model)

    def _charge(self, call: Call, error: IsocostError) -> None:
        if isinstance(error, UsageError):
            self._context.ledger.lose(call.key, error.happened, reported_cost(call, error))
            return
        charged = isinstance(error, EngineError) and error.charged
        reasons = self._tally.lost if charged else self._tally.free
        reason = error.reason if isinstance(error, TryAgainError | RefusedPromptError) else error.happened
        reasons.setdefault(reason if charged else "the batch did not run it, or it was refused", []).append(call.key)

    def _try_again(self, call: Call, error: TryAgainError) -> AnsweredCalls:
        """Put a call back that the endpoint could not answer, or return it as failed for good. A rate limit is not its failure."""
        self._waiting.failures[call.key] += error.charged
        if self._waiting.failures[call.key] >= MOST_ATTEMPTS:
            return [(call, Abandoned(reason=error.reason))]
        self._waiting.again.append(call)
        return []

    def _close(self) -> None:
        for reason, keys in self._tally.lost.items():
            self._context.ledger.close_all("lost", keys, reason)
        for reason, keys in self._tally.free.items():
            self._context.ledger.close_all("retry", keys, reason)
        self._tally.lost, self._tally.free = {}, {}


def _set_aside(paths: Sequence[Path]) -> str:
    """Rename result files, so that neither a later start nor the end of their batch deletes them; return their names."""
    return " and ".join(str(path.replace(path.with_suffix(".unread.jsonl"))) for path in paths)


def _problems(calls: Sequence[tuple[Call, IsocostError]]) -> list[str]:
    """Return the problems of calls, each once."""
    return list(dict.fromkeys(call.job.requests[0].problem_id for call, _ in calls))

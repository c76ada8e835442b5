"""A model of the study as the grader of training solutions, with the interface of `GradingPool` and its calls on the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import Self

from isocost.config import Study
from isocost.errors import IsocostError
from isocost.events import Listener, Note
from isocost.executors.base import Executor
from isocost.graders.judge import Judge, JudgeRequest
from isocost.ids import digest
from isocost.judging.replies import Replies, asked_system, greedy_params
from isocost.ledger import Ledger
from isocost.preparing.prepare import Prepared, judge_of
from isocost.records import Pair, SamplingParams, Verdict
from isocost.store import RunDirectory


class JudgingPool:
    """A context manager that judges solutions in the background, in one thread that sends prompts to the study's engine.

    Leaving the `with` block waits for the submitted solutions. If it is left by an exception, nothing more is sent, and the next start
    settles the calls in flight.

    Args:
        prepared: A study whose grader is a model.
        directory: The run directory, which stores the replies.
        executor: Executor that runs the engine.
        ledger: Ledger that reserves each call. Sampling settles it before it submits anything.
        listener: Called with notes on an endpoint that cannot be reached, or whose usage is odd.
    """

    def __init__(
        self,
        prepared: Prepared,
        directory: RunDirectory,
        executor: Executor,
        ledger: Ledger,
        listener: Listener = lambda event: None,
    ) -> None:
        model = judge_of(prepared.study) or ""
        params, chat = judging_params(prepared.study), prepared.templates[model].chat

        def judge_of_system(system: str | None) -> Judge:
            # Only what a prompt has is digested, so that the versions of other prompts stay the same.
            form = [*(["chat"] if chat else []), *([system] if system is not None else [])]
            return Judge(self._answer, digest(prepared.identities[model], params, *form))

        system = asked_system(prepared, model, directory, lambda system: judge_of_system(system).version)
        self.grader = judge_of_system(system)
        self._replies = Replies(
            prepared,
            model,
            version=self.grader.version,
            params=params,
            system=system,
            directory=directory,
            executor=executor,
            check=self._check,
            notify=lambda what: listener(Note(text=what)),
        )
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1)  # a single thread, because the log of replies has one writer
        self._ended = Event()
        self._failure: IsocostError | None = None  # kept, so that a judge that failed once is not tried again for each later batch
        self._suspect: IsocostError | None = None  # a failure that may be the fault of the first solution alone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._ended.set()  # `_check` then raises in the thread, which ends a wait of minutes for a reply
        # Waited for even after an error: a thread that outlived the run would start the executor's workers again.
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._replies.seal()

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        """Judge solutions; the future returns their verdicts in order. The judge does not see reference answers.

        The future raises LimitReachedError or EngineError if the model cannot be called. So does every later one that needs a call.
        """
        requests = [JudgeRequest(question=pair.question, generation=pair.generation) for pair in pairs]
        future: Future[list[Verdict]] = Future()
        self._thread.submit(self._judge, requests, future)
        return future

    def _judge(self, requests: Sequence[JudgeRequest], future: Future[list[Verdict]], *, again: bool = False) -> None:
        """Judge solutions and resolve their future. If the model has never answered anybody, they are judged again behind the next ones."""
        try:
            future.set_result(self.grader.grade(requests))
        except IsocostError as error:
            if again or not self._replies.is_untested:
                future.set_exception(error)
                return
            try:
                # Answers to others show that the fault is in a request; it is then given up like any other.
                self._thread.submit(self._judge, requests, future, again=True)
            except RuntimeError:  # the pool is closing
                future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - as an executor does: whoever asks for the result gets it
            future.set_exception(error)

    def _answer(self, prompts: Sequence[str]) -> list[str | None]:
        """Return the replies to the grader's prompts, None for a call that failed for good."""
        # Stored replies need no call, so they are returned even after a failure.
        if self._failure and not all(self._replies.stored(prompts)):
            raise self._failure
        try:
            return self._replies.answer(prompts, self._ledger)
        except IsocostError as error:
            # If the model never answered, one more batch is tried, once: its answer shows that the fault is in the first solution.
            if self._replies.is_untested and self._suspect is None:
                self._suspect = error
            else:
                self._failure = error
            raise

    def _check(self) -> None:
        if self._ended.is_set():
            raise CancelledError


def judging_params(study: Study) -> SamplingParams:
    """Return the sampling parameters of the judge of answers: greedy, with the study's `grader.max_tokens`."""
    max_tokens = study.grader.options.get("max_tokens")
    model = str(study.grader.options["model"])
    return greedy_params(None if max_tokens is None else int(str(max_tokens)), study.models[model].sampling)

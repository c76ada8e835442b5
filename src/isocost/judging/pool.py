"""A model of the study as the grader of its training solutions: in the shape of a GradingPool, with its calls on the ledger."""

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
from isocost.grading import Pair
from isocost.ids import digest
from isocost.judging.replies import Replies, greedy
from isocost.ledger import Ledger
from isocost.preparing.prepare import Prepared, judge_of
from isocost.records import SamplingParams, Verdict
from isocost.store import RunDirectory


class JudgingPool:
    """Judges solutions in the background, in one thread that has the study's engine asked; a context manager.

    Leaving the `with` block waits for what was submitted; with an exception on its way nothing more is sent, and what is in flight is
    left to the next start.

    Args:
        prepared: A study whose grader is a model.
        directory: Where replies are stored.
        executor: Where the engine runs.
        ledger: Where each call is reserved. Sampling settles it before it has anything judged.
        listener: Told of an endpoint that cannot be reached, or whose usage is odd.
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
        self.grader = Judge(self._answer, digest(prepared.identities[model], params, *(["chat"] if chat else [])))
        self._replies = Replies(
            prepared,
            model,
            version=self.grader.version,
            params=params,
            directory=directory,
            executor=executor,
            chat=chat,
            check=self._check,
            trouble=lambda what: listener(Note(text=what)),
        )
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1)  # alone touches the log, once there is something to judge
        self._ended = Event()
        self._failure: IsocostError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._ended.set()
        # Waited for in any case: a thread that outlived the run would start its workers anew.
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._replies.seal()

    def submit(self, pairs: Sequence[Pair]) -> Future[list[Verdict]]:
        """Judge solutions; the future holds their verdicts in order. Reference answers are not shown to the judge.

        The future raises LimitReachedError or EngineError where the model cannot be asked; so does every later one that would ask it.
        """
        requests = [JudgeRequest(question=pair.question, generation=pair.generation) for pair in pairs]
        return self._thread.submit(self.grader.grade, requests)

    def _answer(self, prompts: Sequence[str]) -> list[str | None]:
        """The `answer` of the judge."""
        if self._failure and not all(self._replies.stored(prompts)):
            raise self._failure
        try:
            return self._replies.answer(prompts, self._ledger)
        except IsocostError as error:
            self._failure = error
            raise

    def _check(self) -> None:
        if self._ended.is_set():
            raise CancelledError


def judging_params(study: Study) -> SamplingParams:
    """Return how the judge of answers writes."""
    max_tokens = study.grader.options.get("max_tokens")
    return greedy(None if max_tokens is None else int(str(max_tokens)))

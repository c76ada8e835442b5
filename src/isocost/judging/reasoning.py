"""A model of the study as the judge of the reasoning in answer-correct solutions, with its calls on the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from isocost import auditing
from isocost.auditing.judging import VERSION
from isocost.errors import LimitReachedError
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.ids import digest
from isocost.judging.replies import ACCOUNT, FOLDER, Replies, asked_system, greedy_params
from isocost.ledger import Account, Ledger
from isocost.ledger.bill import format_request_failures, price_difference
from isocost.preparing.prepare import Prepared, judge_of
from isocost.records import Problem
from isocost.store import RunDirectory


class Judge:
    """The judge of a study whose audit is `by: judge`.

    Args:
        prepared: The study.
        directory: The run directory, which stores the replies and an example of the prompt.
        executor: Executor that runs the engine.
        again: True to repeat calls that failed for good at an earlier start.

    Attributes:
        model: The model's name in the study.
        version: Version of the verdicts: a digest of the prompt's version, the model, and its sampling parameters.
        example: Path of the prompt's example in the run directory.
    """

    def __init__(self, prepared: Prepared, directory: RunDirectory, executor: Executor, *, again: bool = False) -> None:
        self.model = prepared.study.audit.model or ""
        params = greedy_params(prepared.study.audit.max_tokens, prepared.study.models[self.model].sampling)
        chat = prepared.templates[self.model].chat

        def version(system: str | None) -> str:
            form = [chat] if system is None else [chat, system]
            return f"audit-{VERSION}-{digest(prepared.identities[self.model], params, *form, length=8)}"

        system = asked_system(prepared, self.model, directory, version)
        self.version = version(system)
        self.example = f"{FOLDER}/{self.model}/{self.version}.txt"
        self._directory = directory
        self._watch: StageWatch | None = None
        self._format_failures: Callable[[], str] = lambda: ""
        self._grades = judge_of(prepared.study) == self.model
        self._replies = Replies(
            prepared,
            self.model,
            version=self.version,
            params=params,
            system=system,
            directory=directory,
            executor=executor,
            report=self._advance,
            again=again,
            notify=self._note,
        )

    def judge(self, prompts: Mapping[str, str], ledger: Ledger, listener: Listener) -> dict[str, auditing.Judged]:
        """Judge solutions; equal texts are judged once, and a text judged at an earlier start not again.

        Args:
            prompts: Prompts made by `judge_prompt`, by sample id.
            ledger: Ledger of the calls.
            listener: Called with progress.

        Returns:
            The judgements by sample id.

        Raises:
            LimitReachedError: the next call does not fit under the limit.
            EngineError: the model cannot be called.
        """
        if not prompts:
            return {}
        example = auditing.audit_prompt("<the question>", "<the solution>", "<the reference answer>")
        self._directory.write_text(example, *self.example.split("/"))
        texts = list(dict.fromkeys(prompts.values()))  # two models may write the same solution, which is judged and paid once
        done = sum(self._replies.stored(texts))
        self._format_failures = self._failure_formatter(ledger)
        self._watch = StageWatch(stage="audit", total=len(texts), unit="solutions", listener=listener, done_before=done)
        try:
            replies = dict(zip(texts, self._replies.answer(texts, ledger), strict=True))
        except LimitReachedError as error:
            raise error.telling(f"{self._watch.done:,} of {len(texts):,} solutions are judged") from error
        self._replies.seal()
        self._watch.finish()
        with ledger.locked() as (accounts, _):
            if text := price_difference(self.model, accounts.get((ACCOUNT, self.model), Account())):
                self._note(text)
        return {sample_id: auditing.read_reply(sample_id, replies[prompt]) for sample_id, prompt in prompts.items()}

    def _advance(self, replies: int, tokens: int) -> None:
        if self._watch:
            self._watch.advance(replies, tokens=tokens, detail=self._format_failures())

    def _note(self, what: str) -> None:
        if self._watch:
            self._watch.listener(Note(text=what))

    def _failure_formatter(self, ledger: Ledger) -> Callable[[], str]:
        """Return a function that formats the failures of the judge's requests.

        It counts those of all starts. If the model grades answers too, both share an account, so it counts those since this call.
        """
        key = ACCOUNT, self.model
        with ledger.locked() as (accounts, _):
            before = replace(accounts[key]) if self._grades and key in accounts else None

        def format_failures() -> str:
            with ledger.locked() as (accounts, _):
                return format_request_failures(accounts.get(key, Account()), before)

        return format_failures


def judge_prompt(problem: Problem, generation: str) -> str:
    """Return the judge's prompt on a solution of a problem, with the reference answer if there is one."""
    return auditing.audit_prompt(problem.question, generation, problem.answer or None)

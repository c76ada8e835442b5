"""A model of the study that reads the reasoning of answer-correct solutions, with its calls on the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from isocost import auditing
from isocost.auditing.judging import VERSION
from isocost.config import AuditSpec
from isocost.errors import LimitReachedError
from isocost.events import Listener, Note, StageWatch
from isocost.executors.base import Executor
from isocost.ids import digest
from isocost.judging.replies import ACCOUNT, FOLDER, Replies, greedy
from isocost.ledger import Account, Ledger
from isocost.ledger.bill import format_request_failures, price_difference
from isocost.preparing.prepare import Prepared, judge_of
from isocost.records import Problem, SamplingParams
from isocost.store import RunDirectory


class Judge:
    """The judge of a study whose audit is `by: judge`.

    Args:
        prepared: The study.
        directory: Where replies are stored, with an example of what is asked.
        executor: Where the engine runs.
        again: Whether it is asked once more where its call failed for good at an earlier start.

    Attributes:
        model: Its name in the study.
        version: What makes its verdicts the same.
        example: The file in the run directory that shows what it is asked.
    """

    def __init__(self, prepared: Prepared, directory: RunDirectory, executor: Executor, *, again: bool = False) -> None:
        self.model = prepared.study.audit.model or ""
        params, chat = auditing_params(prepared.study.audit), prepared.templates[self.model].chat
        self.version = f"audit-{VERSION}-{digest(prepared.identities[self.model], params, chat, length=8)}"
        self.example = f"{FOLDER}/{self.model}/{self.version}.txt"
        self._directory = directory
        self._watch: StageWatch | None = None
        self._trouble: Callable[[], str] = lambda: ""
        self._grades = judge_of(prepared.study) == self.model
        self._replies = Replies(
            prepared,
            self.model,
            version=self.version,
            params=params,
            directory=directory,
            executor=executor,
            chat=chat,
            tell=self._tell,
            again=again,
            trouble=self._note,
        )

    def judge(self, prompts: Mapping[str, str], ledger: Ledger, listener: Listener) -> dict[str, auditing.Judged]:
        """Ask it of each solution, by sample id; a solution whose text it was shown before is not shown again.

        Args:
            prompts: As `prompt_of` makes them, by sample id.
            ledger: Where its calls are booked.
            listener: Told of progress.

        Raises:
            LimitReachedError: the limit leaves no room for the next call.
            EngineError: the model cannot be asked.
        """
        if not prompts:
            return {}
        example = auditing.audit_prompt("<the question>", "<the solution>", "<the reference answer>")
        self._directory.write_text(example, *self.example.split("/"))
        texts = list(dict.fromkeys(prompts.values()))
        done = sum(self._replies.stored(texts))
        self._trouble = self._troubles(ledger)
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

    def _tell(self, replies: int, tokens: int) -> None:
        if self._watch:
            self._watch.advance(replies, tokens=tokens, detail=self._trouble())

    def _note(self, what: str) -> None:
        if self._watch:
            self._watch.listener(Note(text=what))

    def _troubles(self, ledger: Ledger) -> Callable[[], str]:
        """What says what went wrong with the judge's requests: over all starts; where it grades answers too, since now."""
        key = ACCOUNT, self.model
        with ledger.locked() as (accounts, _):
            before = replace(accounts[key]) if self._grades and key in accounts else None

        def said() -> str:
            with ledger.locked() as (accounts, _):
                return format_request_failures(accounts.get(key, Account()), before)

        return said


def auditing_params(spec: AuditSpec) -> SamplingParams:
    """Return how the judge of reasoning writes."""
    return greedy(spec.max_tokens)


def prompt_of(problem: Problem, generation: str) -> str:
    """What the judge is asked of a solution of a problem."""
    return auditing.audit_prompt(problem.question, generation, problem.answer or None)

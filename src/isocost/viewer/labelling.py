"""The labelling pages: blind, so that nothing of a model's name, cost or pool goes into what they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isocost.auditing.labels import REASONS, rate_so_far
from isocost.equations import audit_steps
from isocost.errors import InputError
from isocost.records import Audit, Chosen, Estimate, Label, LabelVerdict
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.queue import Queue
from isocost.viewer.rendering import render
from isocost.viewer.rundata import RunData
from isocost.viewer.wording import progress, said

END = "/label/done"
SHOWN = 20_000  # characters of a solution before one asks for the rest
LONGEST_NOTE = 2000
_LOST = "(samples.parquet has no such solution: skip it, and choose again with isocost audit)"
_SAID: tuple[LabelVerdict, ...] = ("sound", "unsound", "unsure", "skip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a labeller is: labelled of total, skipped for now, the rate of unsound solutions so far."""

    labelled: int
    total: int
    skipped: int
    rate: Estimate

    def parts(self) -> tuple[str, ...]:
        """For the pages and the closing line: each part is kept on one line."""
        return progress(labelled=self.labelled, total=self.total, rate=self.rate, skipped=self.skipped)


class Labelling:
    """One labeller's way through the chosen solutions of a run directory."""

    def __init__(self, data: RunData, book: LabelBook) -> None:
        self._data, self._book = data, book

    def queue(self) -> Queue:
        """What there is to label, as it is now."""
        return Queue(self._data.audited().chosen)

    def standing(self) -> Standing:
        """How far the labeller is."""
        queue, own = self.queue(), self._book.own()
        done = {one.sample_id: own[one.sample_id].verdict for one in queue.chosen if one.sample_id in own}
        skipped = {label.sample_id for label in self._book.words() if label.verdict == "skip"}
        waiting = sum(1 for one in queue.chosen if one.sample_id in skipped and one.sample_id not in done)
        return Standing(labelled=len(done), total=len(queue), skipped=waiting, rate=rate_so_far(done, queue.chosen))

    def where_next(self, number: int = 0) -> str:
        """The address of the next page after a number: of a solution, or of the end."""
        queue = self.queue()
        if not len(queue):
            return END
        skipped = {label.sample_id for label in self._book.words() if label.verdict == "skip"}
        following = queue.following(number, labelled=self._book.own(), skipped=skipped)
        return f"/label/{following}" if following else END

    def say(self, form: Mapping[str, str]) -> str:
        """Write down what a form says; the address to go to then. A reason means unsound.

        Raises:
            InputError: The form is not one of ours, or its solution is not chosen.
        """
        queue, reason = self.queue(), form.get("reason") or None
        verdict = next((known for known in _SAID if known == form.get("verdict", "unsound" if reason else "")), None)
        number = queue.number(form.get("sample", ""))
        if number is None:
            raise InputError("this solution is not among the chosen ones (any more)\n  go on with the next")
        if verdict is None or (reason is not None and (reason not in REASONS or verdict != "unsound")):
            raise InputError("not a verdict")
        note = " ".join(form.get("note", "").split())[:LONGEST_NOTE] or None
        self._book.say(form["sample"], verdict, reason=reason, note=None if verdict == "skip" else note)
        return self.where_next(number)

    def undo(self) -> str:
        """Take the last word back; the address of the solution it was on."""
        sample_id = self._book.undo()
        number = self.queue().number(sample_id) if sample_id else None
        return f"/label/{number}" if number else self.where_next()

    def page(self, number: int, *, whole: bool) -> str | None:
        """The page of a solution; None where there is none of that number.

        Args:
            number: From 1, in the order of `place`.
            whole: Show its text to the end, however long.
        """
        queue = self.queue()
        chosen = queue.at(number)
        if chosen is None:
            return None
        text = self._data.text(model=chosen.model, problem_id=chosen.problem_id, sample_index=chosen.sample_index)
        text = _LOST if text is None else text
        own, words = self._book.own().get(chosen.sample_id), self._book.words()
        shown = text if whole else text[:SHOWN]
        standing = self.standing()
        return render(
            "label.html.j2",
            number=number,
            total=len(queue),
            labeller=self._book.labeller,
            labelled=standing.labelled,
            progress=standing.parts(),
            last=self._last(queue, words[-1] if words else None),
            undoable=bool(words),
            places=_places(queue, number),
            problem=self._data.problem(chosen.problem_id) or {"id": chosen.problem_id, "question": "", "answer": ""},
            sample_id=chosen.sample_id,
            text=shown,
            more=len(text) - len(shown),
            own=own,
            # What steps or a judge said must not sway a person: it is not in the page before the verdict.
            audit=self._audit(chosen, text) if own else (),
            reasons=REASONS,
        )

    def end(self, directory: str) -> str:
        """The page when all is labelled, or nothing is chosen."""
        standing = self.standing()
        return render(
            "done.html.j2",
            title="All labelled" if standing.total else "Nothing to label yet",
            labeller=self._book.labeller,
            directory=directory,
            progress=standing.parts() if standing.total else (),
            total=standing.total,
            undoable=bool(self._book.words()),
        )

    def _last(self, queue: Queue, label: Label | None) -> str:
        number = queue.number(label.sample_id) if label else None
        if label is None or number is None:
            return ""
        return f"saved {number}: {'skipped' if label.verdict == 'skip' else said(label)}"

    def _audit(self, chosen: Chosen, text: str) -> list[tuple[str, str]]:
        audits = self._data.audited().audits
        steps = audits["steps"].get(chosen.sample_id)
        if steps is None:
            sound, first_false = audit_steps(text)
            steps = Audit(sample_id=chosen.sample_id, by="steps", sound=sound, first_false=first_false)
        judge = audits["judge"].get(chosen.sample_id)
        return [("equations", equations(steps)), ("judge", verdict_of(judge))]


def equations(audit: Audit) -> str:
    """What the audit by steps found, in words."""
    if audit.sound is None:
        return "none that could be checked"
    return "all that could be read hold" if audit.sound else f"first false one: {audit.first_false}"


def verdict_of(audit: Audit | None) -> str:
    """What the judge found, in words."""
    if audit is None:
        return "was not asked"
    return "no verdict" if audit.sound is None else "sound" if audit.sound else "unsound"


def _places(queue: Queue, number: int) -> dict[str, int | None]:
    return {
        "k": number - 1 if number > 1 else None,
        "j": number + 1 if number < len(queue) else None,
        "p": queue.other_problem(number, -1),
        "n": queue.other_problem(number, 1),
    }

"""The labelling pages. They are blind: no model's name, cost or pool is passed to their templates."""

from __future__ import annotations

from collections.abc import Mapping

from isocost.auditing.labels import REASONS
from isocost.equations import audit_steps
from isocost.errors import InputError
from isocost.paths import shell_word
from isocost.records import Audit, Chosen, Label, LabelVerdict
from isocost.viewer.labelbook import LabelBook, mark
from isocost.viewer.queue import Differing, Queue, address
from isocost.viewer.rendering import Renderer
from isocost.viewer.rundata import RunData
from isocost.viewer.standing import stand
from isocost.viewer.wording import did, equations, label_text, verdict_of

END = "/label/done"
SHOWN = 20_000  # characters of a solution; a link shows the rest
LONGEST_NOTE = 2000
_LOST = "(samples.parquet does not have the chosen solution any more: choose again with isocost audit)"
_SAID: tuple[LabelVerdict, ...] = ("sound", "unsound", "unsure", "skip")


class Labelling:
    """The labelling pages of one labeller, over the chosen solutions of a run directory."""

    def __init__(self, data: RunData, book: LabelBook, render: Renderer) -> None:
        self._data, self._book, self.render = data, book, render

    def queue(self) -> Queue:
        """Return the solutions to label, as of now."""
        return Queue(self._data.audited().chosen)

    def differing(self) -> Differing:
        """Return the solutions on which this labeller and others disagree, as of now."""
        return Differing(self._book.labels(), self._book.labeller, self.queue())

    def where_next(self, number: int = 0) -> str:
        """Return the address of the next page after a number: of a solution, or of the end."""
        queue = self.queue()
        if not len(queue):
            return END
        skipped = {label.sample_id for label in self._book.words() if label.verdict == "skip"}
        following = queue.following(number, labelled=self._book.own(), skipped=skipped)
        return address(following) if following else END

    def say(self, form: Mapping[str, str]) -> str:
        """Write the label of a form and return the address of the next page.

        Raises:
            InputError: The form is invalid, its solution is not chosen, or samples.parquet has another one in its place.
            StaleError: The current label is not the one that the form's page showed.
        """
        number, verdict, reason, note = self.read(form)
        chosen = self.queue().at(number)
        # The page did not show it, or it was shown before the samples were changed: no label may count for a text that nobody read.
        text = self._data.chosen_text(chosen) if verdict != "skip" and chosen is not None else None
        if verdict != "skip" and chosen is not None and text is None:
            raise InputError(
                f"{self._data.path / 'samples.parquet'}: does not have the chosen solution {number} any more, so it cannot be labelled",
                advice=f"choose again: isocost audit {shell_word(self._data.path)}",
            )
        note = None if verdict == "skip" else note
        self._book.say(form["sample"], verdict, reason=reason, note=note, text=text, stood=form.get("stood"))
        return self.differing().following(number) if form.get("among") else self.where_next(number)

    def read(self, form: Mapping[str, str]) -> tuple[int, LabelVerdict, str | None, str | None]:
        """Return the number, verdict, reason and note of a form. A reason without a verdict means unsound.

        Raises:
            InputError: The form is invalid, or its solution is not chosen.
        """
        queue, reason = self.queue(), form.get("reason") or None
        verdict = next((known for known in _SAID if known == form.get("verdict", "unsound" if reason else "")), None)
        number = queue.number(form.get("sample", ""))
        if number is None:
            raise InputError("this solution is not among the chosen ones (any more)\n  go on with the next")
        if verdict is None or (reason is not None and (reason not in REASONS or verdict != "unsound")):
            raise InputError("not a verdict")
        return number, verdict, reason, " ".join(form.get("note", "").split())[:LONGEST_NOTE] or None

    def undo(self, form: Mapping[str, str]) -> str:
        """Undo the last label and return the address of its solution.

        Raises:
            StaleError: The last label is not the one that the form's page showed.
        """
        sample_id = self._book.undo(last=form.get("last"))
        number = self.queue().number(sample_id) if sample_id else None
        return address(number, differing=bool(form.get("among"))) if number else self.where_next()

    def page(self, number: int, *, whole: bool, differing: bool = False) -> str | None:
        """Return the page of a solution, or None if no solution has that number.

        Args:
            number: Number from 1, in the order of `place`.
            whole: Show the whole text, however long.
            differing: Show the page in the walk through disagreements, with the labels of others.
        """
        queue = self.queue()
        chosen = queue.at(number)
        if chosen is None:
            return None
        text = self._data.chosen_text(chosen)
        text = _LOST if text is None else text
        own, words = self._book.own().get(chosen.sample_id), self._book.words()
        shown = text if whole else text[:SHOWN]
        standing, walk = stand(self._data, self._book), self.differing() if differing else None
        places = walk.places(number) if walk else _places(queue, number)
        return self.render(
            "label.html.j2",
            number=number,
            doubt=self._data.doubt(),
            total=standing.total,
            labeller=self._book.labeller,
            labelled=standing.labelled,
            progress=standing.parts(),
            aim=standing.aim(),
            did=self._did(queue, words[-1] if words else None),
            last=mark(words[-1] if words else None),
            places={key: address(n, differing=differing) if n else None for key, n in places.items()},
            differing=differing,
            place=walk.place(number) if walk else "",
            problem=self._data.problem(chosen.problem_id) or {"id": chosen.problem_id, "question": "", "answer": ""},
            sample_id=chosen.sample_id,
            text=shown,
            more=len(text) - len(shown),
            all=address(number, differing=differing) + ("&" if differing else "?") + "all=1",
            own=own,
            stood=mark(own),
            # Verdicts of steps, a judge or other people must not influence a labeller: the page has them only after the own verdict.
            others=[(label.labeller, label_text(label)) for label in walk.others(chosen.sample_id)] if walk else (),
            audit=self._audit(chosen, text) if own else (),
            reasons=REASONS,
        )

    def end(self, directory: str) -> str:
        """Return the page for when all is labelled, or nothing is chosen."""
        standing, words = stand(self._data, self._book), self._book.words()
        return self.render(
            "done.html.j2",
            title="All labelled" if standing.total else "Nothing to label yet",
            labeller=self._book.labeller,
            directory=directory,
            progress=standing.parts() if standing.total else (),
            aim=standing.aim(),
            total=standing.total,
            last=mark(words[-1] if words else None),
        )

    def _did(self, queue: Queue, last: Label | None) -> str:
        undone = self._book.undone()
        number = queue.number((undone or last).sample_id) if undone or last else None  # type: ignore[union-attr]
        return did(number, last, undone) if number else ""

    def _audit(self, chosen: Chosen, text: str) -> list[tuple[str, str]]:
        audits = self._data.audited().audits
        steps = audits["steps"].get(chosen.sample_id)
        if steps is None:
            sound, first_false = audit_steps(text)
            steps = Audit(sample_id=chosen.sample_id, by="steps", sound=sound, first_false=first_false)
        judge = audits["judge"].get(chosen.sample_id)
        return [("equations", equations(steps)), ("judge", verdict_of(judge))]


def _places(queue: Queue, number: int) -> dict[str, int | None]:
    return {
        "k": number - 1 if number > 1 else None,
        "j": number + 1 if number < len(queue) else None,
        "p": queue.other_problem(number, -1),
        "n": queue.other_problem(number, 1),
    }

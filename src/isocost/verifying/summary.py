"""The summary that `isocost verify` prints at the end: the counts, and the first line of each reason for ungraded lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from isocost.nearest import misspelt
from isocost.records import Outcome, Verdict
from isocost.verifying.lines import BAD_LINE, Line

BAD_REFERENCE = "bad_reference"
MOST_LINES = 20  # numbers of lines left out that are printed
MOST_REASONS = 8  # that are printed, the most frequent first
LONGEST_REFERENCE, LONGEST_REASON = 60, 120  # characters that are printed of each
_ADVICE = {
    "bad_reference": "choose another --grader or correct the references",
    "timeout": "allow more seconds with --time-limit",
    BAD_LINE.reason: "correct the lines that are named above",
}


@dataclass(slots=True)
class Summary:
    """The counts of a stream.

    Attributes:
        grader: The grader's name.
        outcomes: Lines by outcome; a bad line is ungraded.
        reasons: Ungraded lines by kind of reason.
        first: The first line of each kind, with its whole reason.
        bad: The number of unusable lines.
        unnamed: The number of these that were not reported one by one.
        left_out: The numbers of the lines whose reference is no answer.
        fields: The fields of the first line that is an object.
        seconds: Wall-clock time.
    """

    grader: str
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    bad: int = 0
    unnamed: int = 0
    left_out: list[int] = field(default_factory=list)
    fields: tuple[str, ...] = ()
    seconds: float = 0.0

    def leave_out(self, line: Line) -> None:
        """Note a line whose reference is no answer."""
        self.left_out.append(line.number)

    def count(self, line: Line, verdict: Verdict) -> None:
        """Add the verdict on a line."""
        self.fields = self.fields or tuple(line.row)
        self.outcomes[verdict.outcome] += 1
        if verdict.outcome is Outcome.UNGRADED:
            # `error: ValueError` without its message: messages differ per line, and would make a kind of each.
            kind = ":".join(verdict.reason.split(":")[:2])
            kind = BAD_LINE.reason if line.complaint else BAD_REFERENCE if line.flaw else kind
            self.reasons[kind] += 1
            if kind not in self.first:
                self.first[kind] = line.number, line.pair.reference if line.pair else line.flaw, verdict.reason

    def notes(self, name: str) -> list[str]:
        """Return a sentence for each kind of ungraded line, except bad lines, which were reported one by one, and for misspelt fields.

        Args:
            name: The file's name.
        """
        notes = []
        for kind, many in self.reasons.most_common(MOST_REASONS):
            number, reference, reason = self.first[kind]
            if kind != BAD_LINE.reason:
                alike = f"; {many:,} lines like it" if many > 1 else ""
                notes.append(f"{name}:{number}: {_why(kind, reference, reason, self.grader)}{alike}")
        if self.left_out:
            more = f" and {len(self.left_out) - MOST_LINES:,} more" if len(self.left_out) > MOST_LINES else ""
            lines = ", ".join(map(str, self.left_out[:MOST_LINES]))
            notes.append(f"{name}: {len(self.left_out):,} lines left out, their reference is no answer: {lines}{more}")
        # Fields that a line needs are named by what is wrong with the line. Tables of samples need the id of the problem besides.
        return notes + [f"{name}: {note}" for note in misspelt(self.fields, () if self.bad else ("problem_id",))]

    def failure(self) -> str | None:
        """Return the advice to print if no line could be graded; None if one could."""
        if not self.reasons or self.reasons.total() < self.outcomes.total():
            return None
        kind = self.reasons.most_common(1)[0][0]
        return f"no line could be graded; {_ADVICE.get(kind, 'choose another --grader')}"

    def __str__(self) -> str:
        total = self.outcomes.total()
        counts = "  ".join(f"{outcome} {self.outcomes[outcome]:,}" for outcome in Outcome)
        reasons = ", ".join(f"{reason} {many:,}" for reason, many in self.reasons.most_common(MOST_REASONS))
        speed = total / self.seconds if self.seconds > 0 else 0.0
        return f"{total:,} lines  {counts}{f' ({reasons})' if reasons else ''}  {speed:,.0f} lines/s"


def _why(kind: str, reference: str, reason: str, grader: str) -> str:
    if kind == "bad_reference":
        return f'reference "{_cut(reference, LONGEST_REFERENCE)}" is refused by the grader {grader} (bad_reference)'
    causes = {"timeout": "takes longer than --time-limit", "memory": "takes too much memory", "crash": "ends the grader's process"}
    return f"{causes[kind]} ({kind})" if kind in causes else f"is ungraded ({_cut(reason, LONGEST_REASON)})"


def _cut(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[:longest] + "..."


def notes_on(summary: Summary, name: str, unusable: Sequence[str]) -> Iterator[str]:
    """Yield the notes of a summary for a caller who sees no line on standard error, and one on the rows that could not be used.

    Args:
        summary: The summary.
        name: What the caller calls the rows.
        unusable: What is wrong with the first of these rows.
    """
    if unusable:
        yield f"{name}: {summary.bad:,} {'row' if summary.bad == 1 else 'rows'} could not be used: {unusable[0]}"
    yield from summary.notes(name)

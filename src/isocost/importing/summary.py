"""The summary of `isocost import`: the records that were read, and those that were not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from isocost.amounts import quantity
from isocost.tables.formats.verdicts import NO_SCORE
from isocost.tables.imports import Account, Row
from isocost.tables.notes import doubts
from isocost.tables.scores import rule_for

_MOST = 12  # files, reasons or fields that are listed, the most frequent first
_SHOWN = 80  # characters of a name in a line


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """Verdicts of a table's samples.

    Attributes:
        counts: Samples by `correct`, `incorrect` and `ungraded`.
        problems: The problems.
        models: Samples by model.
        unreferenced: Samples that could not be graded, because there is no reference answer for them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    problems: set[str] = field(default_factory=set)
    models: Counter[str] = field(default_factory=Counter)
    unreferenced: int = 0

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield rows, and count them."""
        for row in rows:
            self.counts["ungraded" if row["correct"] is None else "correct" if row["correct"] else "incorrect"] += 1
            self.problems.add(row["problem_id"])
            self.models[row["model"]] += 1
            yield row


def summary_lines(account: Account, outcomes: Outcomes, left_out: Iterable[str], *, graded: bool) -> list[str]:
    """Return the lines of the summary: totals, each file, and what was not read, with the reason and the first place."""
    total = outcomes.counts.total()
    counts = ", ".join(f"{outcomes.counts[name]:,} {name}" for name in ("correct", "incorrect", "ungraded"))
    models = ", ".join(f"{name[:_SHOWN]} {many:,}" for name, many in outcomes.models.most_common(_MOST))
    lines = [
        f"{quantity(total, 'sample')} of {quantity(len(outcomes.problems), 'problem')}: {counts}",
        f"models: {models}",
        *_files(account),
        *_skipped(account),
        *left_out,
    ]
    if account.unknown:
        named = ", ".join(f'"{name[:_SHOWN]}" {many:,}' for name, many in account.unknown.most_common(_MOST))
        more = f", and {len(account.unknown) - _MOST} more" if len(account.unknown) > _MOST else ""
        lines.append(f"fields that were not read, with their records: {named}{more}")
    if outcomes.unreferenced:
        many = quantity(outcomes.unreferenced, "sample")
        lines.append(f"note: {many} not graded, without a reference answer: --problems NAME, or --map expected_answer=FIELD, gives it")
    return [*lines, *_notes(account, graded=graded)]


def _files(account: Account) -> Iterator[str]:
    for file, (title, records, samples) in list(account.files.items())[:_MOST]:
        yield f"{file}: {title}, {quantity(records, 'record')}, {quantity(samples, 'sample')}"
    if len(account.files) > _MOST:
        rest = list(account.files.values())[_MOST:]
        records, samples = sum(each[1] for each in rest), sum(each[2] for each in rest)
        yield f"and {quantity(len(rest), 'file')} more: {quantity(records, 'record')}, {quantity(samples, 'sample')}"


def _skipped(account: Account) -> Iterator[str]:
    for reason, (many, first) in sorted(account.skipped.items(), key=lambda item: -item[1][0])[:_MOST]:
        yield f"skipped {many:,}: {reason} (first: {first})"
    if len(account.skipped) > _MOST:
        rest = sorted(many for many, _ in account.skipped.values())[: len(account.skipped) - _MOST]
        yield f"skipped {sum(rest):,} more for {len(rest)} other reasons"


def _notes(account: Account, *, graded: bool) -> Iterator[str]:
    if account.scores:
        by = ", ".join(f"{name[:_SHOWN]} {many:,}" for name, many in account.scores.most_common(_MOST))
        yield f"verdicts read, by score: {by}"
    for name, values in account.values.items():
        if values.other:
            rule = rule_for(name, values.distinct)
            what = f"{name[:_SHOWN]} has values other than 0 and 1"
            yield f"note: {quantity(values.samples, 'sample')} without a verdict, because {what}: {rule} says what counts as correct"
    if account.ungraded[NO_SCORE] and not graded:
        yield f"note: {quantity(account.ungraded[NO_SCORE], 'sample')} without a verdict: --grade GRADER grades them"
    yield from (f"note: {doubt}" for doubt in doubts(account))
    yield from _named(list(account.named))


def _named(names: list[str]) -> Iterator[str]:
    """Yield a note on models that are named after paths."""
    shown = ", ".join(f'"{name[:_SHOWN]}"' for name in names[:_MOST])
    if len(names) == 1:
        yield f"note: the model is called {shown} after its folder: --model NAME gives another name"
    elif names:
        more = f", and {len(names) - _MOST} more" if len(names) > _MOST else ""
        yield f"note: {len(names)} models are called after their folders: {shown}{more}; --model NAME makes one model of them"

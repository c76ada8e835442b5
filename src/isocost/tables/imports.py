"""Read files of other tools as rows of a table of samples, with an account of every record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from isocost.errors import Option, TableError
from isocost.nearest import did_you_mean
from isocost.tables.columns import COLUMNS, KNOWN
from isocost.tables.formats import FORMATS, PLAIN, format_class, format_name
from isocost.tables.formats.base import Choice, Format, Sample
from isocost.tables.formats.lmeval import HarnessSamples
from isocost.tables.formats.rules import Rule, dig
from isocost.tables.formats.values import ValueFlawError, column_value
from isocost.tables.formats.verdicts import Judged, verdict_of
from isocost.tables.modelnames import folder_names
from isocost.tables.reading import Record, Unread, records_of
from isocost.tables.scores import Passed, UnsettledScoreError, Values, pass_over, refuse_unsettled

_SHOWN = 8  # fields that a message lists
_ASKED = ("problem_id", "generation", "model", "correct")  # columns that a user has to name where a file is of no known kind
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Wishes of the user about the files.

    Attributes:
        choice: Filter, scorer and model.
        format: Name of the format to read all files as; None recognises each by its content.
        columns: Fields of the file by the column that they become; parts of nested fields are joined by dots. An empty field leaves the
            column out.
        rule: What counts as correct; None takes scores of 0 and 1.
    """

    choice: Choice = field(default_factory=Choice)
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    rule: Rule | None = None

    def __post_init__(self) -> None:
        """Raise TableError for a format that there is not."""
        if self.format is not None and self.format not in FORMATS:
            advice = did_you_mean(self.format, FORMATS) or f"known: {', '.join(FORMATS)}"
            raise TableError(f'no format "{self.format[:80]}"', advice=advice, option=Option(name="format"))


@dataclass(slots=True, kw_only=True)
class Account:
    """An account of the records: read, skipped, ungraded.

    Attributes:
        files: Title of the format, records and samples of each file, in order.
        skipped: Records that gave no sample, by reason: how many, and the place of the first.
        unknown: Fields that are not read, by name: how many records have them.
        scores: Samples by the score that decided on them; "" if none did.
        ungraded: Samples without a verdict, by reason.
        values: Values of the scores that decide, by name; empty with a rule.
        passed: Scores beside the one that decided by default, by the names of both.
        further: Files whose samples were numbered after those of earlier files, by model.
        doubts: What is wrong with files that are read all the same, a sentence each.
        mended: Columns in which half characters (lone surrogates) became U+FFFD: how many samples, and the place of the first.
        named: Models that are named after a folder or a part of its path, because the file has none.
    """

    files: dict[str, list[Any]] = field(default_factory=dict)
    skipped: dict[str, tuple[int, str]] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    scores: Counter[str] = field(default_factory=Counter)
    ungraded: Counter[str] = field(default_factory=Counter)
    values: dict[str, Values] = field(default_factory=dict)
    passed: dict[tuple[str, str], Passed] = field(default_factory=dict)
    further: dict[str, dict[str, None]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    mended: dict[str, tuple[int, str]] = field(default_factory=dict)
    named: dict[str, None] = field(default_factory=dict)

    def skip(self, unread: Unread) -> None:
        """Count a record that gives no sample."""
        many, first = self.skipped.get(unread.reason, (0, unread.at))
        self.skipped[unread.reason] = (many + 1, first)

    def mend(self, column: str, at: str) -> None:
        """Count a sample whose text had half characters in this column."""
        many, first = self.mended.get(column, (0, at))
        self.mended[column] = (many + 1, first)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return sum(samples for _, _, samples in self.files.values())


class Importer:
    """Reads files one after the other.

    Args:
        wishes: What the user says about them.
        strict: Refuse a record that gives no sample, rather than count it.
        unsettled: Scores that grade nothing, because they are known to have other values than 0 and 1.
    """

    def __init__(self, wishes: Wishes, *, strict: bool = False, unsettled: Container[str] = ()) -> None:
        self.wishes, self._strict, self._unsettled = wishes, strict, unsettled
        self.account = Account()
        self._folders: Mapping[Path, str] = {}
        self._found: set[str] = set()
        self._names: Mapping[str, Any] = {}
        self._indices: dict[tuple[str, str, str], tuple[Path, set[int]]] = {}

    def rows(self, files: Sequence[Path]) -> Iterator[Row]:
        """Yield the rows of a table of samples, in the order of the files. Each has a sample_index.

        Raises:
            TableError: A file cannot be read, is of an unknown kind or of two kinds, gives no sample, or holds a sample twice.
            UnsettledScoreError: A score that is not among the unsettled ones has another value than 0 and 1. Not with `strict`.
        """
        self._folders = folder_names(files)
        for file in files:
            yield from self._file(file)
        self._refuse_absent_fields()
        if self.wishes.choice.filter is not None and HarnessSamples.title not in (title for title, *_ in self.account.files.values()):
            what = f"--filter {self.wishes.choice.filter[:80]}: no file is of {HarnessSamples.title}"
            raise TableError(what, advice="leave it out, or choose a score with --scorer")

    @property
    def columns(self) -> list[str]:
        """Columns of a table that the last sample's record has under their own names."""
        return [name for name in self._names if name in KNOWN]

    def _refuse_absent_fields(self) -> None:
        """Refuse names of the user that no sample has.

        A misspelt field would leave its column empty without a word. Readers of a table report such a column themselves.
        """
        for column, name in self.wishes.columns.items():
            if name and not self._strict and name not in self._found:
                self._refuse_absent(f"--map {column}={name}", name)
        if (rule := self.wishes.rule) and not self.account.scores:
            self._refuse_absent(f"--correct '{rule.name}{rule.sign}{rule.number:g}'", rule.name)

    def _refuse_absent(self, option: str, name: str) -> None:
        names = list(self._names)
        shown = ", ".join(each[:40] for each in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        raise TableError(f'{option[:120]}: no sample has "{name[:80]}"', advice=did_you_mean(name, names) or f"they have {shown}")

    def _file(self, file: Path) -> Iterator[Row]:
        reader: Format | None = None
        kind, first = "", ""
        seen = self.account.files[str(file)] = ["", 0, 0]
        for record in records_of(file):
            seen[1] += 1
            if isinstance(record, Unread):
                self._skip(record)
                continue
            if reader is None:
                kind, first = self._kind(record), record.at
                reader = format_class(kind)(file, self.wishes.choice)
                seen[0] = reader.title
            elif flaw := self._other_kind(record, kind, first):
                self._skip(flaw)
                continue
            self.account.unknown.update(name for name in reader.unknown(record) if not self._is_mapped(name))
            for row in self._rows_of(reader, record, file):
                seen[2] += 1
                yield row
        if reader:
            self._close(reader, file)
        if not seen[2]:
            self._refuse_empty(file)

    def _rows_of(self, reader: Format, record: Record, file: Path) -> Iterator[Row]:
        for sample in reader.samples(record):
            if isinstance(sample, Unread):
                self._skip(sample)
            elif sample.is_repeat:
                reader.judged(sample, self._repeat_verdict(sample, record.at))
            elif isinstance(found := self._row(sample, record.at, file), Unread):
                self._skip(found)
            else:
                reader.judged(sample, found["correct"])
                yield found

    def _close(self, reader: Format, file: Path) -> None:
        if why := reader.flaw():
            raise TableError(f"{file}: {why}")
        if doubt := reader.doubt():
            self.account.doubts.append(f"{file}: {doubt}")

    def _refuse_empty(self, file: Path) -> None:
        """Refuse a file that gives no sample. A wrong option is named before the consequence that it has for each record."""
        if self._names:
            self._refuse_absent_fields()
        refuse_unsettled(self.account.values)
        reason = next(iter(self.account.skipped), "it has no records")
        raise TableError(f"{file}: gives no sample: {reason}")

    def _kind(self, record: Record) -> str:
        if self.wishes.format is not None:
            return self._wished_kind(record, self.wishes.format)
        kind = format_name(record.fields)
        if kind is not None:
            return kind
        # The user's names for the columns make a row out of anything.
        if self.wishes.columns:
            return PLAIN
        names = list(record.fields)
        missing = [name for name in ("problem_id", "generation") if name not in names]
        near = next(filter(None, (did_you_mean(name, names) for name in missing)), "")
        shown = ", ".join(name[:40] for name in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        mapped = " ".join(f"--map {name}=FIELD" for name in _ASKED if name not in names)
        raise TableError(
            f"{record.at}: is of no kind that isocost knows; its fields are {shown or 'none'}",
            advice=f"{near + ' ' if near else ''}say which is which: isocost import FILE {mapped}",
        )

    def _wished_kind(self, record: Record, wished: str) -> str:
        """Return the format that the user has named.

        Raises:
            TableError: The record is not of it.
        """
        if not format_class(wished).recognises(record.fields) and not (wished == PLAIN and self.wishes.columns):
            other = format_name(record.fields)
            like = f"; it reads as {other}" if other else ""
            raise TableError(
                f"{record.at}: is not a record of {format_class(wished).title}{like}",
                advice=("name another ", Option(name="format"), ", or leave it out"),
            )
        return wished

    def _other_kind(self, record: Record, kind: str, first: str) -> Unread | None:
        """Return the reason to leave out a record that is not of the file's kind; None if it is.

        Raises:
            TableError: It is of another kind: such a file was put together by mistake.
        """
        if format_class(kind).recognises(record.fields) or (kind == PLAIN and self.wishes.columns):
            return None
        if self.wishes.format is not None:
            return Unread(at=record.at, reason=f"not a record of {format_class(kind).title}")
        other = format_name(record.fields)
        if other is None:
            return Unread(at=record.at, reason=f"not a record of {format_class(kind).title}")
        raise TableError(
            f"{record.at}: is a record of {format_class(other).title}, and {first} one of {format_class(kind).title}",
            advice="a file holds records of one kind; split it",
        )

    def _is_mapped(self, name: str) -> bool:
        rule = self.wishes.rule
        used = [*self.wishes.columns.values(), *([rule.name] if rule else [])]
        return any(name == field or field.startswith(f"{name}.") for field in used)

    def _row(self, sample: Sample, at: str, file: Path) -> Row | Unread:
        values = dict(sample.values)
        mapped = {column: field for column, field in self.wishes.columns.items() if column != "correct"}
        values |= {column: dig(sample.source, field) if field else None for column, field in mapped.items()}
        self._found.update(field for column, field in mapped.items() if values[column] is not None or field in sample.source)
        self._names = {**sample.scores, **sample.source}
        row: Row = dict.fromkeys((*COLUMNS, *mapped))
        try:
            row |= {name: column_value(name, value) for name, value in values.items() if value is not None}
        except ValueFlawError as error:
            return Unread(at=at, reason=str(error))
        if row["problem_id"] is None:
            return Unread(at=at, reason="no problem_id")
        row["model"] = row["model"] or self._model(file)
        judged = self._verdict(sample, at)
        self._observe(judged, at)
        if judged.correct is None and row["generation"] is None:
            return Unread(at=at, reason=f"neither a verdict nor a text: {judged.reason}")
        self._count(sample, judged)
        for name, value in values.items():
            if isinstance(value, str) and isinstance(row[name], str) and row[name] is not value:
                self.account.mend(name, at)
        row["pool"] = row["pool"] or row["model"]
        return {**row, "sample_index": self._index(row, at, file), "correct": judged.correct}

    def _observe(self, judged: Judged, at: str) -> None:
        if judged.value is None or self.wishes.rule:
            return
        values = self.account.values.setdefault(judged.score, Values())
        values.add(judged.value, at)
        if values.other and not self._strict and judged.score not in self._unsettled:
            raise UnsettledScoreError(judged.score)

    def _count(self, sample: Sample, judged: Judged) -> None:
        wishes, account = self.wishes, self.account
        if judged.correct is None:
            account.ungraded[judged.reason] += 1
            return
        account.scores[judged.score] += 1
        if not (wishes.rule or wishes.choice.scorer or wishes.columns.get("correct")):
            pass_over(account.passed, sample.scores, judged.score, judged.correct)

    def _verdict(self, sample: Sample, at: str) -> Judged:
        mapped = self.wishes.columns.get("correct")
        if mapped and not self.wishes.rule:
            sample = Sample(values={}, scores={mapped: dig(sample.source, mapped)}, settles=True)
            self._found.update([mapped] if sample.scores[mapped] is not None or mapped in sample.source else [])
            return verdict_of(sample, Choice(), None, at, self._unsettled)
        return verdict_of(sample, self.wishes.choice, self.wishes.rule, at, self._unsettled)

    def _repeat_verdict(self, sample: Sample, at: str) -> bool | None:
        """Return the verdict of another filter on a response; None without the score that decides."""
        with suppress(TableError):
            return self._verdict(sample, at).correct
        return None

    def _model(self, file: Path) -> str:
        if self.wishes.choice.model:
            return self.wishes.choice.model
        self.account.named[self._folders[file]] = None
        return self._folders[file]

    def _index(self, row: Row, at: str, file: Path) -> int:
        """Return the sample's index: as given, else the next of its model, pool and problem.

        Raises:
            TableError: Its index is taken.
        """
        first, taken = self._indices.setdefault((row["model"], row["pool"], row["problem_id"]), (file, set()))
        index = row["sample_index"]
        if index is None:
            if first is not file:
                self.account.further.setdefault(row["model"], {})[str(file)] = None
            index = next(number for number in count(len(taken)) if number not in taken)
        elif index in taken:
            raise TableError(
                f'{at}: sample {index} of model "{row["model"][:60]}", problem "{row["problem_id"][:60]}" is there already',
                advice="leave one out, or number the samples in order of rows: isocost import --map sample_index=",
            )
        taken.add(index)
        return int(index)

    def _skip(self, unread: Unread) -> None:
        if self._strict and not unread.is_repeat:
            raise TableError(f"{unread.at}: {unread.reason}", advice="isocost import FILE -o TABLE leaves such records out and counts them")
        self.account.skip(unread)

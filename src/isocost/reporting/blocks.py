"""The parts of a report before it is HTML, Markdown or CSV: sections of tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from isocost import amounts
from isocost.records import Estimate
from isocost.reporting import numbers
from isocost.reporting.axes import Axis
from isocost.reporting.glossary import Term
from isocost.reporting.marks import NEUTRAL, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        title: Header, with the unit that people read.
        key: Name in the CSV, with the unit of the raw number.
        kind: Kind of its entries.
        share: True where people read percent or points and the CSV holds shares of 1 or their differences. The CSV name ends in `_share`.
    """

    title: str
    key: str
    kind: Literal["text", "number", "estimate"] = "number"
    share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a table: the text for people, the value for the CSV, and a remark such as why it is missing."""

    text: str
    value: str | float | Estimate | None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; the first entry is its header. Rows of one group follow each other under the group's name.

    The CSV holds raw numbers. Where `group` names a scaled unit, `raw_group` is the CSV's name for it, with the raw unit.
    """

    entries: tuple[Entry, ...]
    group: str = ""
    raw_group: str = ""
    mark: Mark = NEUTRAL
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        key: Name among the CSV files.
        title: Content, in a few words.
        caption: Help for the reader: method, clusters, omissions.
        columns: One for each entry of a row.
        rows: In order.
        group_title: Header of the column of groups.
        drawn: Index of the estimate column that is drawn as dot and bar, if one is.
        axis: The axis of that drawing.
    """

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    group_title: str = ""
    drawn: int | None = None
    axis: Axis | None = None

    def groups(self) -> list[tuple[str, list[Row]]]:
        """Return the consecutive rows of each group, with its name."""
        return [(name, list(rows)) for name, rows in groupby(self.rows, key=lambda row: row.group)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure.

    Attributes:
        key: Name among the files.
        title: Content, in a few words.
        caption: Help for the reader, in two lines.
        alternative: Its text alternative: the caption and the numbers.
        height: Of the drawing, in inches.
        draw: Draws it onto axes.
        table: Its numbers.
    """

    key: str
    title: str
    caption: str
    alternative: str
    height: float
    draw: Callable[[Axes], None]
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the report: its finding is shown, everything else is folded.

    Attributes:
        key: Name, and the end of its link.
        title: Its title.
        finding: What it found, in a sentence or two.
        paragraphs: More sentences.
        figures: Its figures.
        tables: Its tables.
        notes: Remarks at its end.
    """

    key: str
    title: str
    finding: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def inside(self) -> str:
        """Return what is folded, in words: `2 figures, 3 tables`."""
        counts = (len(self.figures), "figure"), (len(self.tables), "table")
        return ", ".join(amounts.quantity(count, name) for count, name in counts if count) or "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report.

    Attributes:
        study: The study's name.
        verdict: The answer in two sentences, and warnings.
        overview: The table of the first screen.
        lead: The figure of the first screen; no section has it.
        false_positives: The rate in use of each model, as lines of a name and a text.
        money: What was paid, as lines of a name and an amount.
        sections: In order of use.
        glossary: The terms, explained.
    """

    study: str
    verdict: tuple[str, ...]
    overview: Table | None
    lead: Figure | None
    false_positives: tuple[tuple[str, str], ...]
    money: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    glossary: tuple[Term, ...]

    def figures(self) -> list[Figure]:
        """Return all figures, in order."""
        return [*([self.lead] if self.lead else []), *(figure for section in self.sections for figure in section.figures)]

    def tables(self) -> list[Table]:
        """Return all tables, those of figures included."""
        shown = [*([self.overview] if self.overview else []), *(table for section in self.sections for table in section.tables)]
        return shown + [figure.table for figure in self.figures()]


def words(text: str, remark: str = "", raw: str = "") -> Entry:
    """Make an entry of text; `raw` is the text in the CSV, where `text` names a scaled unit."""
    return Entry(text=text, value=raw or text, remark=remark)


def number(value: float | None, text: Callable[[float], str], missing: str = "not known") -> Entry:
    """Make an entry of a number; `missing` is the remark if it is None."""
    return Entry(text=amounts.MISSING, value=None, remark=missing) if value is None else Entry(text=text(value), value=value)


def integer(value: int) -> Entry:
    """Make an entry of a count."""
    return Entry(text=numbers.count(value), value=value)


def estimated(estimate: Estimate | None, text: Callable[[Estimate], str], missing: str) -> Entry:
    """Make an entry of an estimate. The remark says why it is missing: not measured, or `missing` where it is undefined."""
    if estimate is None:
        return Entry(text=amounts.MISSING, value=None, remark="not measured")
    return Entry(text=text(estimate), value=estimate, remark=missing if estimate.value is None else "")


def sized(estimate: Estimate | None, of: str = "problems", left_out: str = "not graded") -> Entry:
    """Make an entry of an estimate's n, with a remark on few or ungraded items."""
    if estimate is None:
        return Entry(text=amounts.MISSING, value=None)
    return Entry(text=numbers.count(estimate.n), value=estimate.n, remark=numbers.reservations(estimate, of, left_out))


def drawable(rows: Sequence[Row], column: int) -> list[Estimate]:
    """Return the estimates of one column that have a value, and so a position on an axis."""
    values = [row.entries[column].value for row in rows]
    return [value for value in values if isinstance(value, Estimate) and value.value is not None]

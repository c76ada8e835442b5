"""What a report is made of before it is HTML, Markdown or CSV: sections of tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from isocost.records import Estimate
from isocost.reporting import numbers
from isocost.reporting.axes import Axis
from isocost.reporting.marks import NEUTRAL, Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        title: Its header, with the unit people read.
        key: Its name in the CSV, with the unit of the raw number.
        kind: What stands in it.
        share: Whether the CSV holds shares of 1, or differences of such, where people read percent or points; its name there says so.
    """

    title: str
    key: str
    kind: Literal["text", "number", "estimate"] = "number"
    share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a table: what people read, what the CSV holds, and a remark such as why it is missing."""

    text: str
    value: str | float | Estimate | None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; the first entry is its header. Rows of one group stand together under the group's name.

    The CSV holds numbers as they are, so where the group names a scaled unit, `raw_group` is its name there, with the raw one.
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
        key: Its name among the CSV files.
        title: What it shows, in a few words.
        caption: How to read it: method, clusters, what is left out.
        columns: One for each entry of a row.
        rows: In order.
        group_title: What the groups of rows are.
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
        """Consecutive rows of one group."""
        return [(name, list(rows)) for name, rows in groupby(self.rows, key=lambda row: row.group)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: SVG without its style sheet, the same in words, and its numbers."""

    key: str
    title: str
    caption: str
    alternative: str
    svg: str
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report: its first table, its figures, then the other tables; or its figures first, where they are the answer."""

    key: str
    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    figures_first: bool = False

    @property
    def before(self) -> tuple[Table, ...]:
        """Tables that stand before the figures."""
        return () if self.figures_first else self.tables[:1]

    @property
    def after(self) -> tuple[Table, ...]:
        """Tables that stand after them."""
        return self.tables[len(self.before) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report: the answer, what stands beside it, and the sections."""

    study: str
    headline: str
    support: tuple[str, ...]
    sections: tuple[Section, ...]

    def figures(self) -> list[Figure]:
        """All figures, in order."""
        return [figure for section in self.sections for figure in section.figures]

    def tables(self) -> list[Table]:
        """All tables, those behind figures included."""
        return [table for section in self.sections for table in section.tables] + [figure.table for figure in self.figures()]


def words(text: str, remark: str = "", raw: str = "") -> Entry:
    """An entry of text; `raw` is what the CSV holds, where the text names a scaled unit."""
    return Entry(text=text, value=raw or text, remark=remark)


def number(value: float | None, text: Callable[[float], str], missing: str = "not known") -> Entry:
    """An entry of a plain number; one that is not known says so."""
    return Entry(text=numbers.MISSING, value=None, remark=missing) if value is None else Entry(text=text(value), value=value)


def integer(value: int) -> Entry:
    """An entry of a count."""
    return Entry(text=numbers.count(value), value=value)


def estimated(estimate: Estimate | None, text: Callable[[Estimate], str], missing: str) -> Entry:
    """An entry of an estimate; one that was not made or is undefined says why."""
    if estimate is None:
        return Entry(text=numbers.MISSING, value=None, remark="not measured")
    return Entry(text=text(estimate), value=estimate, remark=missing if estimate.value is None else "")


def sized(estimate: Estimate | None, of: str = "problems") -> Entry:
    """The n of an estimate, with what must be said about it."""
    if estimate is None:
        return Entry(text=numbers.MISSING, value=None)
    return Entry(text=numbers.count(estimate.n), value=estimate.n, remark=numbers.reservations(estimate, of))


def drawable(rows: Sequence[Row], column: int) -> list[Estimate]:
    """The estimates of one column that have a place on an axis."""
    values = [row.entries[column].value for row in rows]
    return [value for value in values if isinstance(value, Estimate) and value.value is not None]

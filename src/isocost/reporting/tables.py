"""Build tables from items: one row per item, with columns that compute their entry from the item."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from isocost import amounts
from isocost.records import Cost, Estimate
from isocost.reporting import numbers
from isocost.reporting.axes import Axis
from isocost.reporting.blocks import Column, Entry, Row, Table, drawable, estimated, integer, number, sized, words
from isocost.reporting.marks import NEUTRAL, Mark

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Generic[Item]):
    """A column, and the function that makes its entry for an item."""

    column: Column
    entry: Callable[[Item], Entry]


def text(title: str, key: str, of: Callable[[Item], str], raw: Callable[[Item], str] = lambda item: "") -> Shown[Item]:
    """Make a column of text; `raw` gives the text in the CSV, where `of` names a scaled unit."""
    return Shown(column=Column(title=title, key=key, kind="text"), entry=lambda item: words(of(item), raw=raw(item)))


def count(title: str, key: str, of: Callable[[Item], int]) -> Shown[Item]:
    """Make a column of counts."""
    return Shown(column=Column(title=title, key=key), entry=lambda item: integer(of(item)))


def size(title: str, key: str, of: Callable[[Item], Estimate | None], *, what: str = "problems") -> Shown[Item]:
    """Make a column of the n of estimates, with remarks on few or ungraded items; `what` names what n counts."""
    return Shown(column=Column(title=title, key=key), entry=lambda item: sized(of(item), what))


def problems(of: Callable[[Item], Estimate | None]) -> Shown[Item]:
    """Make the column of the number of problems that an estimate rests on."""
    return size("n problems", "n", of)


def interval(title: str, key: str, entry: Callable[[Item], Entry], *, share: bool = False) -> Shown[Item]:
    """Make a column of estimates from a function of entries; `share` says that all are shares or differences of shares."""
    return Shown(column=Column(title=f"{title} [95% interval]", key=key, kind="estimate", share=share), entry=entry)


def estimate(
    title: str, key: str, of: Callable[[Item], Estimate | None], format_estimate: Callable[[Estimate], str], missing: str
) -> Shown[Item]:
    """Make a column of estimates; `missing` is the remark if one has no value."""
    share = format_estimate in (numbers.percent, numbers.points)
    return interval(title, key, lambda item: estimated(of(item), format_estimate, missing), share=share)


def costs(what: str, key: str, items: Sequence[Item], of: Callable[[Item], Cost]) -> tuple[Shown[Item], ...]:
    """Make a column for every unit in which at least one cost is known."""
    found = [of(item) for item in items]
    scale = amounts.flops_scale(cost.flops for cost in found)
    columns: list[Shown[Item]] = []
    if any(cost.flops is not None for cost in found):
        column = Column(title=f"{what} ({scale.unit})", key=f"{key}_flops")
        columns.append(Shown(column=column, entry=lambda item: number(of(item).flops, scale.text)))
    if any(cost.usd is not None for cost in found):
        column = Column(title=f"{what} (USD)", key=f"{key}_usd")
        columns.append(Shown(column=column, entry=lambda item: number(of(item).usd, amounts.usd)))
    if any(cost.seconds is not None for cost in found):
        column = Column(title=f"{what} engine time (h:mm:ss)", key=f"{key}_seconds")
        clock = numbers.clock(cost.seconds for cost in found)
        columns.append(Shown(column=column, entry=lambda item: number(of(item).seconds, clock)))
    return tuple(columns)


def without_remark(shown: Shown[Item]) -> Shown[Item]:
    """Leave out why an entry of a column is missing: the sections say it, and a dash keeps the first table short."""
    return replace(shown, entry=lambda item: replace(shown.entry(item), remark=""))


def table(
    shown: Sequence[Shown[Item]],
    items: Iterable[Item],
    *,
    key: str,
    title: str,
    caption: str,
    group_title: str = "",
    group: Callable[[Item], str] = lambda item: "",
    raw_group: Callable[[Item], str] = lambda item: "",
    mark: Callable[[Item], Mark] = lambda item: NEUTRAL,
    drawn: str | None = None,
    axis: Callable[[Sequence[Estimate]], Axis] | None = None,
) -> Table:
    """Build a table with one row per item, in their order.

    Args:
        shown: The columns; the first is the rows' header.
        items: One per row; those of one group follow each other.
        key: Name of the table among the CSV files.
        title: Content of the table, in a few words.
        caption: Help for the reader.
        group_title: Header of the column of groups.
        group: The group of an item's row.
        raw_group: The group's name in the CSV, where `group` names a scaled unit.
        mark: The mark of an item's row.
        drawn: Key of the estimate column that is drawn as dot and bar, if one is.
        axis: Makes the axis of that drawing from the column's estimates.

    Raises:
        ValueError: If no column has the key `drawn`.
    """
    rows = tuple(
        Row(
            group=group(item),
            raw_group=raw_group(item),
            mark=mark(item),
            entries=tuple(each.entry(item) for each in shown),
        )
        for item in items
    )
    place = None if drawn is None else [each.column.key for each in shown].index(drawn)
    return Table(
        key=key,
        title=title,
        caption=caption,
        columns=tuple(each.column for each in shown),
        rows=rows,
        group_title=group_title,
        drawn=place,
        axis=axis(drawable(rows, place)) if axis is not None and place is not None else None,
    )


def filled(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Return the tables that have rows."""
    return tuple(table for table in tables if table.rows)

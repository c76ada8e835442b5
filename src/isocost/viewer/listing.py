"""The list of problems: filters, orders and pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlencode

import polars as pl

PAGE = 100
Show = Literal["all", "never", "always", "disagree", "suspected", "unlabelled"]
Sort = Literal["place", "level", "-level", "solved", "-solved"]
NAMES: Mapping[Show, str] = {
    "all": "all",
    "never": "never solved",
    "always": "always solved",
    "disagree": "models disagree",
    "suspected": "suspected among the audited",
    "unlabelled": "unlabelled",
}
_SOLVED = pl.when(pl.col("n") > 0).then(pl.col("correct") / pl.col("n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The filter, order and page of a list, as in its URL.

    Attributes:
        show: The filter.
        sort: The column, with a minus for descending order. `place` is the study's order.
        page: Number of the page, from 1.
    """

    show: Show = "all"
    sort: Sort = "place"
    page: int = 1

    @staticmethod
    def read(query: Mapping[str, str]) -> View:
        """Read the parameters of a URL; missing or invalid ones get their defaults."""
        show, sort, page = query.get("show", "all"), query.get("sort", "place"), query.get("page", "1")
        return View(
            show=show if show in get_args(Show) else "all",  # type: ignore[arg-type]
            sort=sort if sort in get_args(Sort) else "place",  # type: ignore[arg-type]
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 10 else 1,
        )

    def query(self, **more: str) -> str:
        """Format the query of the URL that shows this view, without defaults."""
        usual = {"show": "all", "sort": "place", "page": 1}
        given = {key: str(getattr(self, key)) for key, value in usual.items() if getattr(self, key) != value}
        return "?" + urlencode({**more, **given}) if given or more else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Ids of problems with a property that the counts do not have."""

    suspected: Collection[str]
    unlabelled: Collection[str]


def filtered(problems: pl.DataFrame, flags: Flags, show: Show) -> pl.DataFrame:
    """Return the problems that pass a filter."""
    return problems if show == "all" else problems.filter(_condition(show, flags))


def counted(problems: pl.DataFrame, flags: Flags) -> dict[Show, int]:
    """Count the problems that pass each filter."""
    shows: tuple[Show, ...] = get_args(Show)
    sums = problems.select(_condition(show, flags).sum().alias(show) for show in shows)
    return {show: int(sums[show][0] or 0) for show in shows}


def ordered(problems: pl.DataFrame, sort: Sort) -> pl.DataFrame:
    """Sort the problems; equal ones stay in the study's order."""
    column = {"level": pl.col("level"), "solved": _SOLVED}.get(sort.lstrip("-"), pl.col("place"))
    return problems.sort(column, descending=sort.startswith("-"), maintain_order=True, nulls_last=True)


def pages(n: int) -> int:
    """Return the number of pages for n problems, at least one."""
    return max(1, -(-n // PAGE))


def _condition(show: Show, flags: Flags) -> pl.Expr:
    asked = pl.col("n") > 0
    conditions = {
        "never": asked & (pl.col("correct") == 0),
        "always": asked & (pl.col("correct") == pl.col("n")),
        "disagree": pl.col("disagree"),
        "suspected": pl.col("id").is_in(list(flags.suspected)),
        "unlabelled": pl.col("id").is_in(list(flags.unlabelled)),
    }
    return conditions.get(show, pl.col("place").is_not_null())

"""The list of problems: which of them, in which order, and one page of it."""

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
    "suspected": "suspected false positive",
    "unlabelled": "unlabelled",
}
_SOLVED = pl.when(pl.col("n") > 0).then(pl.col("kept") / pl.col("n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a list is asked to show, as its URL says it.

    Attributes:
        show: The filter.
        sort: The column; a minus before it for the largest first. `place` is the study's order.
        page: From 1.
    """

    show: Show = "all"
    sort: Sort = "place"
    page: int = 1

    @staticmethod
    def read(query: Mapping[str, str]) -> View:
        """From the parameters of a URL; what they do not say, or say wrong, is as usual."""
        show, sort, page = query.get("show", "all"), query.get("sort", "place"), query.get("page", "1")
        return View(
            show=show if show in get_args(Show) else "all",  # type: ignore[arg-type]
            sort=sort if sort in get_args(Sort) else "place",  # type: ignore[arg-type]
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 10 else 1,
        )

    def query(self, **more: str) -> str:
        """The parameters of the URL that shows this, the usual ones left out."""
        usual = {"show": "all", "sort": "place", "page": 1}
        said = {key: str(getattr(self, key)) for key, value in usual.items() if getattr(self, key) != value}
        return "?" + urlencode({**more, **said}) if said or more else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Problems with something about them that counts do not say."""

    suspected: Collection[str]
    unlabelled: Collection[str]


def filtered(problems: pl.DataFrame, flags: Flags, show: Show) -> pl.DataFrame:
    """The problems that a filter leaves."""
    return problems if show == "all" else problems.filter(_condition(show, flags))


def counted(problems: pl.DataFrame, flags: Flags) -> dict[Show, int]:
    """How many problems each filter leaves."""
    shows: tuple[Show, ...] = get_args(Show)
    sums = problems.select(_condition(show, flags).sum().alias(show) for show in shows)
    return {show: int(sums[show][0] or 0) for show in shows}


def ordered(problems: pl.DataFrame, sort: Sort) -> pl.DataFrame:
    """The problems in the order asked for; those alike stay in the study's order."""
    column = {"level": pl.col("level"), "solved": _SOLVED}.get(sort.lstrip("-"), pl.col("place"))
    return problems.sort(column, descending=sort.startswith("-"), maintain_order=True, nulls_last=True)


def pages(n: int) -> int:
    """How many pages so many problems fill; at least one."""
    return max(1, -(-n // PAGE))


def _condition(show: Show, flags: Flags) -> pl.Expr:
    asked = pl.col("n") > 0
    conditions = {
        "never": asked & (pl.col("kept") == 0),
        "always": asked & (pl.col("kept") == pl.col("n")),
        "disagree": pl.col("disagree"),
        "suspected": pl.col("id").is_in(list(flags.suspected)),
        "unlabelled": pl.col("id").is_in(list(flags.unlabelled)),
    }
    return conditions.get(show, pl.col("place").is_not_null())

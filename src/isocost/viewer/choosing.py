"""The page that lists several runs, each with its own pages below a path of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isocost.errors import IsocostError
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rendering import Renderer
from isocost.viewer.rundata import RunData
from isocost.viewer.standing import stand


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run whose pages are served.

    Attributes:
        name: Its name among the runs.
        data: The run directory.
        book: Its labels, and the labeller who writes them.
    """

    name: str
    data: RunData
    book: LabelBook


def path_of(number: int) -> str:
    """Return the path below which a run's pages are: a number from 1, because a name could tell labellers the models."""
    return f"/{number}"


def runs_page(runs: Sequence[OpenRun], render: Renderer) -> str:
    """Return the page that lists the runs."""
    return render("runs.html.j2", runs=[_row(number, run) for number, run in enumerate(runs, start=1)])


def _row(number: int, run: OpenRun) -> dict[str, object]:
    row: dict[str, object] = {"name": run.name, "url": f"{path_of(number)}/", "study": run.data.name, "error": ""}
    try:
        counts, standing = run.data.counts(), stand(run.data, run.book)
    except IsocostError as error:  # one damaged run must not hide the others
        return row | {"error": str(error).partition("\n")[0]}
    return row | {
        "problems": counts.problems.height,
        "samples": int(counts.problems["n"].sum()),
        "models": ", ".join(counts.models),
        "labelled": f"{standing.labelled:,}/{standing.total:,}" if standing.total else "",
    }

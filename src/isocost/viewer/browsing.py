"""The list of problems and the page of one. They show models, so blind labelling pages never link to them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import polars as pl
from markupsafe import Markup

from isocost.paths import shell_word
from isocost.viewer import listing, strips
from isocost.viewer.folding import columns
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.listing import Flags, View
from isocost.viewer.rendering import Renderer
from isocost.viewer.rundata import KINDS, Counts, RunData
from isocost.viewer.standing import stand
from isocost.viewer.visible import first_line
from isocost.viewer.wording import label_text, verdict_of

_QUESTION = 240  # characters; the style sheet cuts it at the width of the row


class Browsing:
    """The pages that show the samples of a run."""

    def __init__(self, data: RunData, book: LabelBook, render: Renderer) -> None:
        self._data, self._book, self._render = data, book, render

    def problems(self, view: View) -> str:
        """Return a page of the list of problems."""
        counts, flags, standing = self._data.counts(), self._flags(), stand(self._data, self._book)
        found = listing.ordered(listing.filtered(counts.problems, flags, view.show), view.sort)
        page = min(view.page, listing.pages(found.height))
        view = View(show=view.show, sort=view.sort, page=page)
        rows = found.slice((page - 1) * listing.PAGE, listing.PAGE)
        per_model, models = _per_model(counts, rows["id"].to_list()), _models_of(counts, found)
        per_mark = strips.scale(max((sum(kinds.values()) for kinds in per_model.values()), default=0), len(models))
        listed = self._rows(rows, per_model, models, per_mark, view)
        return self._render(
            "list.html.j2",
            study=self._data.name,
            directory=shell_word(self._data.path),
            doubt=self._data.doubt(),
            total=counts.problems.height,
            samples=int(counts.problems["n"].sum()),
            models=counts.models,
            columns=models,
            chosen=bool(self._data.audited().chosen),
            progress=standing.parts(),
            aim=standing.aim(),
            chips=_chips(listing.counted(counts.problems, flags), view),
            shown=listing.NAMES[view.show],
            count=found.height,
            sorts=_sorts(view),
            rows=listed,
            with_question=any(row["question"] for row in listed),
            with_level=bool((counts.problems["level"] != "").any()),
            legend=strips.legend(),
            scale=per_mark,
            width=strips.width(len(models)),
            page=page,
            pages=listing.pages(found.height),
            before=_page(view, page - 1) if page > 1 else None,
            after=_page(view, page + 1) if page < listing.pages(found.height) else None,
        )

    def problem(self, problem_id: str, view: View, *, whole: bool) -> str | None:
        """Return the page of a problem, or None if the id is unknown.

        Args:
            problem_id: Id of the problem.
            view: The list that it was opened from. The links back, next and previous follow its filter and order.
            whole: Show every distinct text, not only the first ones.
        """
        problem = self._data.problem(problem_id)
        if problem is None:
            return None
        found = listing.ordered(listing.filtered(self._data.counts().problems, self._flags(), view.show), view.sort)["id"].to_list()
        at = found.index(problem_id) if problem_id in found else None
        back = View(show=view.show, sort=view.sort, page=1 if at is None else at // listing.PAGE + 1)
        neighbours = (None, None) if at is None else (at - 1 if at else None, at + 1 if at + 1 < len(found) else None)
        before, after = (None if i is None else f"/problem{view.query(id=found[i])}" for i in neighbours)
        return self._render(
            "problem.html.j2",
            study=self._data.name,
            problem=problem,
            doubt=self._data.doubt(),
            shown=listing.NAMES[view.show],
            back="/" + back.query(),
            before=before,
            after=after,
            models=columns(self._data.samples(problem_id), self._data.counts().models, self._notes(problem_id), view.query, whole=whole),
        )

    def solution(self, query: Mapping[str, str]) -> str | None:
        """Return the page of one solution with its whole text, or None if there is no such solution."""
        model, problem_id, index = query.get("model", ""), query.get("id", ""), query.get("index", "")
        if not (index.isascii() and index.isdigit() and len(index) < 10):
            return None
        text = self._data.text(model=model, problem_id=problem_id, sample_index=int(index))
        back = "/problem?" + urlencode({"id": problem_id})
        return (
            None
            if text is None
            else self._render("solution.html.j2", model=model, problem_id=problem_id, index=index, text=text, back=back)
        )

    def _rows(
        self, rows: pl.DataFrame, per_model: Mapping[tuple[str, str], Mapping[str, int]], models: tuple[str, ...], per_mark: int, view: View
    ) -> list[dict[str, object]]:
        ids = rows["id"].to_list()
        questions, distinct = self._data.questions(ids, 4 * _QUESTION), self._data.distinct(ids)
        none = dict.fromkeys(KINDS, 0)
        return [
            {
                "id": first_line(row["id"], 80),
                "url": f"/problem{view.query(id=row['id'])}",
                "question": first_line(questions.get(row["id"], ""), _QUESTION),
                "level": row["level"],
                "strips": [strips.strip(per_model.get((row["id"], model), none), per_mark) for model in models],
                "correct": row["correct"],
                "n": row["n"],
                "distinct": distinct.get(row["id"], 0),
            }
            for row in rows.iter_rows(named=True)
        ]

    def _flags(self) -> Flags:
        audited, own = self._data.audited(), self._book.own()
        unsound = audited.unsound() | {sample_id for sample_id, label in own.items() if label.verdict == "unsound"}
        return Flags(
            suspected={one.problem_id for one in audited.chosen if one.sample_id in unsound},
            unlabelled={one.problem_id for one in audited.chosen if one.sample_id not in own},
        )

    def _notes(self, problem_id: str) -> dict[tuple[str, int], list[str]]:
        """Return the verdicts of the judge and this labeller on a problem's chosen solutions, never those of other labellers."""
        audited, own = self._data.audited(), self._book.own()
        found: dict[tuple[str, int], list[str]] = {}
        for one in audited.chosen:
            if one.problem_id == problem_id:
                judge, label = audited.audits["judge"].get(one.sample_id), own.get(one.sample_id)
                notes = [f"judge: {verdict_of(judge)}"] if judge else []
                found[one.model, one.sample_index] = [
                    *notes,
                    f"{self._book.labeller}: {label_text(label)}" if label else "selected for labelling",
                ]
        return found


def _models_of(counts: Counts, problems: pl.DataFrame) -> tuple[str, ...]:
    """Return the models with samples of these problems: the columns of the others would be empty."""
    own = set(counts.by_model.join(problems.select("id"), left_on="problem_id", right_on="id", how="semi")["model"])
    return tuple(model for model in counts.models if model in own)


def _per_model(counts: Counts, ids: list[str]) -> dict[tuple[str, str], dict[str, int]]:
    rows = counts.by_model.filter(pl.col("problem_id").is_in(ids)).iter_rows(named=True)
    return {(row["problem_id"], row["model"]): {kind: row[kind] for kind in KINDS} for row in rows}


def _chips(counted: Mapping[listing.Show, int], view: View) -> list[dict[str, object]]:
    return [
        {"name": listing.NAMES[show], "count": count, "on": show == view.show, "url": "/" + View(show=show, sort=view.sort).query()}
        for show, count in counted.items()
    ]


def _sorts(view: View) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for name, first, second in (("place", "place", "place"), ("level", "level", "-level"), ("solved", "solved", "-solved")):
        sort = View.read({"sort": second if view.sort == first else first}).sort
        on = {first: "ascending", second: "descending"}.get(view.sort) if name != "place" else None
        found[name] = {
            "url": "/" + View(show=view.show, sort=sort).query(),
            "aria": Markup(f' aria-sort="{on}"') if on else "",
            "arrow": {"ascending": " ↑", "descending": " ↓"}.get(on or "", ""),
        }
    return found


def _page(view: View, page: int) -> str:
    return "/" + View(show=view.show, sort=view.sort, page=page).query()

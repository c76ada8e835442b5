"""Tables of measures at k draws per problem: of cells, and of each model's whole pool."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from isocost.records import CellResult, Estimate, Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Table, estimated, integer
from isocost.reporting.tables import Shown, interval, problems, table, text

_AT_K = {"diversity": "diversity@k, by text", "diversity_normalised": "by words", "diversity_equations": "by equations"}
_MAIN = ("covered", "kept_per_problem", "pass@1", "fpr")  # columns of the table cells_worth


def by_name(cells: Sequence[CellResult], group: Callable[[CellResult], str], raw_group: Callable[[CellResult], str]) -> Table:
    """Return the measures of cells that no other table has, such as coverage@3. Groups are as in `reporting.tables.table`."""
    names = [
        name
        for name in dict.fromkeys(name for cell in cells for name in cell.measures)
        if name not in _MAIN and not name.startswith("fpr/")
    ]
    own: Shown[CellResult] = text("Cell", "cell", lambda cell: cell.plan.cell.name)
    return table(
        (own, *(_measured(name) for name in names)),
        [cell for cell in cells if any(name in cell.measures for name in names)],
        key="cells_at_k",
        title="Cells at k draws per problem",
        caption="Coverage@k and diversity@k need k draws of every problem: adaptive and fractional cells have none.",
        group_title="Matching",
        group=group,
        raw_group=raw_group,
    )


def _measured(name: str) -> Shown[CellResult]:
    return interval(f"{name}{_unit(name)}", name, lambda cell: _measure(name, cell.measures), share=bool(_unit(name)))


class _Drawn(NamedTuple):
    """A model's pool at k draws per problem."""

    model: str
    k: int
    measures: Mapping[str, Estimate]


def by_model(results: Results) -> Table:
    """Return one row per model and k; the measures with a k are the columns."""
    parsed = {name: at for measures in results.pools.values() for name in measures if (at := _at(name))}
    stems = [stem for stem in dict.fromkeys(stem for stem, _ in parsed.values()) if stem != "pass"]  # pass@k is coverage@k
    drawn = [
        _Drawn(model, k, measures)
        for model, measures in results.pools.items()
        for k in sorted({parsed[name][1] for name in measures if name in parsed and parsed[name][0] in stems})
    ]

    def first(item: _Drawn) -> Estimate | None:
        return next((item.measures[name] for stem in stems if (name := f"{stem}@{item.k}") in item.measures), None)

    shown: tuple[Shown[_Drawn], ...] = (
        Shown(column=Column(title="k", key="k", kind="text"), entry=lambda item: integer(item.k)),
        *(_at_k(stem) for stem in stems),
        problems(first),
    )
    return table(
        shown,
        drawn,
        key="models_at_k",
        title="Each model at k draws per problem",
        caption="Of each model's whole pool, by unbiased formulas over all draws.",
        group_title="Model",
        group=lambda item: item.model,
    )


def _at_k(stem: str) -> Shown[_Drawn]:
    title = f"{_AT_K.get(stem, f'{stem}@k')}{_unit(stem)}"
    return interval(title, stem, lambda item: _measure(f"{stem}@{item.k}", item.measures), share=bool(_unit(stem)))


def _measure(name: str, measures: Mapping[str, Estimate]) -> Entry:
    at = _at(name)
    why = f"fewer than {at[1]} draws" if at else "not defined"
    return estimated(measures.get(name), numbers.percent if _unit(name) else numbers.mean, why)


def _unit(name: str) -> str:
    return " (%)" if name.startswith(("coverage", "covered", "pass", "maj", "fpr")) else ""


def _at(name: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"(.+)@(\d+)", name)
    return (found[1], int(found[2])) if found else None

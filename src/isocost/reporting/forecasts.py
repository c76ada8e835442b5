"""The section on forecasts: what the pilot predicted of each cell, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isocost import amounts
from isocost.records import Estimate, ForecastOutcome, Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Section, Table
from isocost.reporting.dotfigures import forecast_by_cell
from isocost.reporting.tables import Shown, problems, table, text

_TITLES = {"covered": "Covered (%)", "kept_per_problem": "Kept per problem (solutions)", "cost": "Cost per problem"}

_CAPTION = "Stored before anything else of the cell was bought. Intervals of covered and kept are 90%, those of costs 95%."
_CORRECT = "Covered and kept count correct solutions, sound or not, also where a policy discounts by false positive rates."


def forecasts(results: Results) -> Section | None:
    """Return the section; None if nothing was predicted."""
    found = sorted(results.forecasts, key=lambda each: list(_TITLES).index(each.measure))
    if not found:
        return None
    figure = forecast_by_cell(found)
    inside = sum(each.inside for each in found)
    outside = [f"{each.cell}, {_TITLES[each.measure].partition(' (')[0].lower()}" for each in found if not each.inside]
    return Section(
        key="forecasts",
        title="Forecast against outcome",
        finding=f"{inside} of {len(found)} outcomes lie in the interval that the pilot predicted"
        + (f"; outside: {'; '.join(outside)}." if outside else "."),
        figures=(figure,) if figure else (),
        tables=(_table(found),),
    )


def _table(found: Sequence[ForecastOutcome]) -> Table:
    scale = amounts.flops_scale(each.predicted.value for each in found if each.unit == "flops")

    def words(estimate: Estimate, item: ForecastOutcome) -> str:
        match item.measure:
            case "covered":
                return numbers.percent(estimate)
            case "kept_per_problem":
                return numbers.mean(estimate)
            case _:
                return _cost(estimate, scale.text if item.unit == "flops" else amounts.usd)

    def column(title: str, key: str, of: str) -> Shown[ForecastOutcome]:
        return Shown(
            column=Column(title=title, key=key, kind="estimate"),
            entry=lambda item: Entry(text=words(getattr(item, of), item), value=getattr(item, of)),
        )

    def group(item: ForecastOutcome) -> str:
        unit = {"flops": f" ({scale.unit})", "usd": " (USD)"}.get(item.unit or "", "")
        return _TITLES[item.measure] + unit

    shown: tuple[Shown[ForecastOutcome], ...] = (
        text("Cell", "cell", lambda item: item.cell),
        column("Forecast [interval]", "forecast", "predicted"),
        column("Outcome [95% interval]", "outcome", "outcome"),
        text("Inside", "inside", lambda item: "yes" if item.inside else "no"),
        problems(lambda item: item.predicted),
    )
    return table(
        shown,
        found,
        key="forecasts",
        title="Forecast and outcome",
        caption=_CAPTION + (f" {_CORRECT}" if any(each.discounted for each in found) else ""),
        group_title="Measure",
        group=group,
        raw_group=lambda item: item.measure + (f" ({item.unit})" if item.unit else ""),
    )


def _cost(estimate: Estimate, text_of: Callable[[float], str]) -> str:
    value, low, high = (None if end is None else text_of(end) for end in (estimate.value, estimate.low, estimate.high))
    return f"{value}" if low is None or high is None else f"{value} [{low}, {high}]"

"""The last section: the funnel of each cell, excluded problems, the models, notes on the method, and versions."""

from __future__ import annotations

from collections import Counter

from isocost import amounts
from isocost.records import Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, integer, number, words
from isocost.reporting.curves import without_curve
from isocost.reporting.numbers import FEW_PROBLEMS
from isocost.reporting.tables import filled


def background(results: Results) -> Section:
    """Return the last section."""
    few = (f"Few problems: {numbers.count(results.n_problems)}, under {FEW_PROBLEMS}. Read the intervals, not the values.",)
    return Section(
        key="background",
        title="Method and versions",
        finding=f"{numbers.count(results.n_problems)} training problems; {numbers.count(len(results.excluded))} excluded.",
        paragraphs=(*(few if results.n_problems < FEW_PROBLEMS else ()), *(() if _has_curves(results) else without_curve(results))),
        tables=filled([_funnel(results), _excluded(results), _models(results), _environment(results)]),
    )


def _has_curves(results: Results) -> bool:
    """Return whether the section on curves says which models have none."""
    return bool(results.model_pairs) or any(len(curve.ks) > 1 for curve in results.curves)


def _funnel(results: Results) -> Table:
    """Return the solutions left after each step: one row per cell, one column per step."""
    steps = list(dict.fromkeys(step for cell in results.cells for step, _ in cell.funnel))
    rows = []
    for cell in results.cells:
        left = dict(cell.funnel)
        entries = [integer(left[step]) if step in left else Entry(text=amounts.MISSING, value=None) for step in steps]
        if left:
            rows.append(Row(entries=(words(cell.plan.cell.name), *entries)))
    columns = Column(title="Cell", key="cell", kind="text"), *(Column(title=step.replace("_", " "), key=step) for step in steps)
    caption = "Solutions drawn, left out by reason, and kept. A solution counts for the first reason that applies."
    return Table(key="funnel", title="From drawn to kept", caption=caption, columns=columns, rows=tuple(rows))


def _excluded(results: Results) -> Table:
    reasons = Counter(reason for _, reason in results.excluded)
    rows = tuple(Row(entries=(words(problem), words(reason))) for problem, reason in results.excluded)
    columns = Column(title="Problem", key="problem_id", kind="text"), Column(title="Reason", key="reason", kind="text")
    caption = "; ".join(f"{reason}: {numbers.count(many)}" for reason, many in reasons.most_common(8)) + "."
    return Table(key="excluded", title="Excluded problems", caption=caption, columns=columns, rows=rows)


def _models(results: Results) -> Table:
    scale = amounts.flops_scale(card.flops_per_token for card in results.models)
    priced = any(card.usd_per_million for card in results.models)
    sized = any(card.parameters or card.flops_per_token for card in results.models)
    rows = []
    for card in results.models:
        prices = ", ".join(f"{what} {amounts.usd(price)}" for what, price in (card.usd_per_million or {}).items())
        size = (number(card.parameters, lambda value: numbers.count(int(value))), words(card.parameters_are))
        flops = number(card.flops_per_token, scale.text)
        price = words(prices or amounts.MISSING, "" if prices else "not known")
        known = [*([*size, flops] if sized else []), *([price] if priced else [])]
        rows.append(Row(entries=(words(card.name), words(card.engine), words(card.source), *known)))
    columns = [
        Column(title="Model", key="model", kind="text"),
        Column(title="Engine", key="engine", kind="text"),
        Column(title="Source", key="source", kind="text"),
    ]
    if sized:
        columns += [
            Column(title="Parameters", key="parameters"),
            Column(title="Counted as", key="parameters_are", kind="text"),
            Column(title=f"A token ({scale.unit})", key="flops_per_token"),
        ]
    if priced:
        columns.append(Column(title="Price (USD per million tokens)", key="usd_per_million", kind="text"))
    caption = "What a token costs, and the size that comes from."
    return Table(key="models", title="Models", caption=caption, columns=tuple(columns), rows=tuple(rows))


def _environment(results: Results) -> Table:
    rows = tuple(Row(entries=(words(name), words(version))) for name, version in results.environment.items())
    columns = Column(title="Item", key="name", kind="text"), Column(title="Version", key="version", kind="text")
    return Table(key="environment", title="Versions and hardware", caption="Recorded by the run.", columns=columns, rows=rows)

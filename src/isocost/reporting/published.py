"""The paper's relative results beside ours. Its absolute accuracies are not available and are never printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from isocost import amounts
from isocost.records import CellResult, Estimate, ModelCard, Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, words
from isocost.reporting.buying import turned
from isocost.reporting.rates import difference

CITATION = (
    "Bansal, Hosseini, Agarwal, Tran, Kazemi: Smaller, Weaker, Yet Better: Training LLM Reasoners via Compute-Optimal Sampling. "
    "arXiv 2408.16737, ICLR 2025."
)
# The paper's numbers, weak (Gemma2 9B) relative to strong (27B): MATH at low and high budget, GSM8K at low and high budget.
_PAPER = {
    "coverage": ("Coverage, points", "+11", "+6", "+8", "+1"),
    "diversity": ("Correct solutions per solved problem, relative", "+86%", "+125%", "+134%", "+158%"),
    "fpr": ("False positives, points", "+7", "–", "+2", "–"),
    "student": ("pass@1 of a third model, relative", "+6%", "+5.8%", "+4.2%", "+1.3%"),
    "weak": ("pass@1 of the weak model, relative", "+3.8%", "+2%", "+1.5%", "about 0"),
    "strong": ("pass@1 of the strong model, relative", "+5.8%", "+4.3%", "+1.2%", "+1.5%"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A weak and a strong cell of one budget, each with one model."""

    weak: CellResult
    strong: CellResult

    @property
    def models(self) -> tuple[str, str]:
        return self.weak.plan.models[0], self.strong.plan.models[0]


def published(results: Results) -> Section:
    """Return the paper's table with a column for each pair of a weak and a strong cell of ours."""
    pairs = list(_pairs(results))
    rows = tuple(
        Row(entries=(words(label, raw=_raw_label(label)), *map(_paper, papers), *(_ours(results, key, pair) for pair in pairs)))
        for key, (label, *papers) in _PAPER.items()
    )
    columns = (
        Column(title="Weak relative to strong", key="measure", kind="text"),
        *(Column(title=f"Paper, {name}", key=f"paper_{name.replace(' ', '_').lower()}", share=True) for name in _SETTINGS),
        *(Column(title=f"Ours, {_title(pair)} [range]", key=f"ours_{_title(pair)}", kind="estimate", share=True) for pair in pairs),
    )
    caption = (
        "Columns headed Paper are published results for Gemma2 9B and 27B, as secondary notes that agree quote them, not measurements "
        "of this run. Ours: weak less strong, or relative to strong data. Coverage: the paired difference of problems with a correct "
        "solution. Solutions per solved problem are those kept; their range runs from end to end of the intervals, wider than a paired "
        "one. False positives: the models' rates to believe, compared as under False positives. The range of pass@1 is the paired interval "
        "divided by the strong side's pass@1."
    )
    none = () if pairs else ("This study has no two cells of one model each under one budget, so nothing of ours stands beside these.",)
    table = Table(key="published", title="The paper's results beside ours", caption=caption, columns=columns, rows=rows)
    price = (
        "Price-matched in the paper, Gemini 1.5 Flash at 35 samples a problem against Pro at 1: students +31.6%, +14.4% and +10.9% "
        "relative; Flash at 5, for 0.15 of the price: +19.1%, +9.8% and +5.7%."
    )
    return Section(key="published", title="Published results", paragraphs=none, tables=(table,), notes=(price, CITATION))


_SETTINGS = ("MATH low", "MATH high", "GSM8K low", "GSM8K high")


def _raw_label(label: str) -> str:
    return label.replace(", points", ", difference")


def _paper(said: str) -> Entry:
    """Make an entry of a published number: its text as published, its value as a share if it is one."""
    found = re.fullmatch(r"\+([\d.]+)%?", said)  # without % it is in points; both are hundredths of a share
    return Entry(text=said, value=round(float(found[1]) / 100, 6) if found else None if said == amounts.MISSING else said)


def _pairs(results: Results) -> Iterator[_Pair]:
    """Return the first two one-model cells of each budget, the cheaper model as weak. Cells of equal or unknown price are left out."""
    cards = {card.name: card for card in results.models}
    for budget in dict.fromkeys(cell.plan.cell.budget for cell in results.cells if cell.plan.cell.budget):
        cells = [cell for cell in results.cells if cell.plan.cell.budget == budget and len(cell.plan.models) == 1]
        if len(cells) < 2 or cells[0].plan.models == cells[1].plan.models:
            continue
        prices = [_price(cards.get(cell.plan.models[0]), cell.plan.unit) for cell in cells[:2]]
        if None not in prices and prices[0] != prices[1]:
            weak, strong = (cells[0], cells[1]) if (prices[0] or 0) < (prices[1] or 0) else (cells[1], cells[0])
            yield _Pair(weak=weak, strong=strong)


def _price(card: ModelCard | None, unit: str | None) -> float | None:
    if card is None:
        return None
    return card.flops_per_token if unit == "flops" else (card.usd_per_million or {}).get("output")


def _title(pair: _Pair) -> str:
    return f"{pair.weak.plan.cell.arm} and {pair.strong.plan.cell.arm} at {pair.weak.plan.cell.budget}"


def _ours(results: Results, key: str, pair: _Pair) -> Entry:
    if key == "coverage":
        return _entry(_covered(results, pair), numbers.points, "not measured")
    if key == "diversity":
        return _entry(_ratio(*(_kept_per_solved(cell) for cell in (pair.weak, pair.strong))), _percent, "not measured")
    if key == "fpr":
        return _false_positives(results, pair)
    return _entry(_gain(results, key, pair), _percent, "not trained")


def _false_positives(results: Results, pair: _Pair) -> Entry:
    """Return the difference of the models' final rates, else of the cells' rates by steps; the two kinds are never mixed."""
    weak, strong = (results.pools.get(model, {}) for model in pair.models)
    if found := difference(weak, strong):
        return replace(_entry(found[0], numbers.points, ""), remark=found[1])
    if found := difference(pair.weak.measures, pair.strong.measures):
        return replace(_entry(found[0], numbers.points, ""), remark="by steps, in the cells")
    return _entry(None, numbers.points, "not audited")


def _entry(estimate: Estimate | None, text: Callable[[Estimate], str], missing: str) -> Entry:
    if estimate is None:
        return Entry(text=amounts.MISSING, value=None, remark=missing)
    return Entry(text=text(estimate), value=estimate)


def _percent(estimate: Estimate) -> str:
    return numbers.interval(estimate, factor=100, decimals=1, unit="%", sign=True)


def _gain(results: Results, key: str, pair: _Pair) -> Estimate | None:
    """Divide the paired difference on the test split by the strong side's pass@1, for the first student of this kind."""
    names = pair.weak.plan.cell.name, pair.strong.plan.cell.name
    for item in results.comparisons:
        kind = {pair.models[0]: "weak", pair.models[1]: "strong"}.get(item.student, "student")
        if (item.split, item.metric, kind) != ("test", "pass@1", key) or {item.left, item.right} != set(names):
            continue
        solved = [
            one.estimate.value
            for one in results.evaluations
            if (one.student, one.split, one.metric, one.cell) == (item.student, "test", "pass@1", names[1])
        ]
        if not solved or not solved[0] or item.difference.value is None:
            return None
        share = solved[0] if item.left == names[0] else -solved[0]
        ends = [None if end is None else end / share for end in (item.difference.low, item.difference.high)]
        low, high = ends if share > 0 else ends[::-1]
        return replace(item.difference, value=item.difference.value / share, low=low, high=high)
    return None


def _covered(results: Results, pair: _Pair) -> Estimate | None:
    """Return the paired difference of the share of problems with a correct solution, weak less strong."""
    weak, strong = pair.weak.plan.cell.name, pair.strong.plan.cell.name
    for item in results.cell_comparisons:
        if item.measure == "covered" and {item.left, item.right} == {weak, strong}:
            return item.difference if item.left == weak else turned(item.difference)
    return None


def _kept_per_solved(cell: CellResult) -> Estimate | None:
    """Return the solutions kept per problem that has a correct one, as the paper counts them; a range from end to end."""
    kept, covered = cell.measures.get("kept_per_problem"), cell.measures.get("covered")
    if kept is None or covered is None or kept.value is None or not covered.value:
        return None
    low = None if kept.low is None or not covered.high else kept.low / covered.high
    high = None if kept.high is None or not covered.low else kept.high / covered.low
    return Estimate(value=kept.value / covered.value, low=low, high=high, n=kept.n)


def _ratio(weak: Estimate | None, strong: Estimate | None) -> Estimate | None:
    if weak is None or strong is None or weak.value is None or not strong.value:
        return None
    # From end to end of both intervals: wider than a paired interval, but safe where problems are not paired.
    low = None if weak.low is None or not strong.high else weak.low / strong.high - 1
    high = None if weak.high is None or not strong.low else weak.high / strong.low - 1
    return Estimate(value=weak.value / strong.value - 1, low=low, high=high, n=min(weak.n, strong.n))

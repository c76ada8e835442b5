"""The paper's relative results beside ours. Its absolute accuracies are not available and are never printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from isocost import amounts
from isocost.records import ALL_STUDENTS, CellResult, Estimate, ModelCard, Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, sized, words
from isocost.reporting.buying import paired_coverage
from isocost.reporting.overview import solved_estimate
from isocost.reporting.rates import difference

CITATION = (
    "Bansal, Hosseini, Agarwal, Tran, Kazemi: Smaller, Weaker, Yet Better: Training LLM Reasoners via Compute-Optimal Sampling. "
    "arXiv 2408.16737, ICLR 2025."
)
# The paper's numbers, weak (Gemma2 9B) against strong (27B): MATH at low and high budget, GSM8K at low and high budget.
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


def published(results: Results) -> Section | None:
    """Return the paper's table with a column for each pair of a weak and a strong cell of ours; None without such a pair."""
    pairs = list(_pairs(results))
    if not pairs:
        return None
    rows = tuple(
        Row(
            entries=(
                words(label, raw=_raw_label(label)),
                *map(_paper, papers),
                *(entry for pair in pairs for entry in _sized(results, key, pair)),
            )
        )
        for key, (label, *papers) in _PAPER.items()
    )
    columns = (
        Column(title="Weak against strong", key="measure", kind="text"),
        *(Column(title=f"Paper, {name}", key=f"paper_{name.replace(' ', '_').lower()}", share=True) for name in _SETTINGS),
        *(column for pair in pairs for column in _columns(pair)),
    )
    caption = "Paper: Gemma2 9B and 27B, values from summaries by others. Unpaired ranges run from end to end of both intervals."
    table = Table(key="published", title="Weak against strong, the paper's and ours", caption=caption, columns=columns, rows=rows)
    price = (
        "Price-matched in the paper, Gemini 1.5 Flash at 35 samples per problem against Pro at 1: students +31.6%, +14.4% and +10.9% "
        "relative; Flash at 5, for 0.15 of the price: +19.1%, +9.8% and +5.7%."
    )
    origin = "The paper's values are taken from summaries by others that agree with each other, not from the paper itself."
    gain = _ours(results, "coverage", pairs[0])
    finding = (
        f"At {pairs[0].weak.plan.cell.budget}, coverage of {pairs[0].weak.plan.cell.arm} against {pairs[0].strong.plan.cell.arm} is "
        f"{gain.text} points; in the paper it is +1 to +11."
    )
    return Section(key="published", title="The paper's results", finding=finding, tables=(table,), notes=(origin, price, CITATION))


_SETTINGS = ("MATH low", "MATH high", "GSM8K low", "GSM8K high")


def _raw_label(label: str) -> str:
    return label.replace(", points", ", difference")


def _paper(text: str) -> Entry:
    """Make an entry of a published number: its text as published, its value as a share if it is one."""
    found = re.fullmatch(r"\+([\d.]+)%?", text)  # without % it is in points; both are hundredths of a share
    return Entry(text=text, value=round(float(found[1]) / 100, 6) if found else None if text == amounts.MISSING else text)


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


def _columns(pair: _Pair) -> tuple[Column, Column]:
    """Return the columns of a pair of ours: the estimate and its n."""
    title = _title(pair)
    ours = Column(title=f"Ours, {title} [range]", key=f"ours_{title}", kind="estimate", share=True)
    return ours, Column(title="n problems", key=f"n_{title}")


def _sized(results: Results, key: str, pair: _Pair) -> tuple[Entry, Entry]:
    """Return the entries of a pair of ours: the estimate and its n."""
    ours = _ours(results, key, pair)
    return ours, sized(ours.value if isinstance(ours.value, Estimate) else None)


def _ours(results: Results, key: str, pair: _Pair) -> Entry:
    if key == "coverage":
        return _entry(_coverage_gain(results, pair), numbers.points, "not measured")
    if key == "diversity":
        return _entry(_ratio(*(_per_solved(cell) for cell in (pair.weak, pair.strong))), _percent, "not measured")
    if key == "fpr":
        return _false_positives(results, pair)
    return _entry(_gain(results, key, pair), _percent, "not trained")


def _coverage_gain(results: Results, pair: _Pair) -> Estimate | None:
    """Return the paired difference in covered problems; without pairs, from end to end of both intervals."""
    paired = paired_coverage(results, (pair.weak, pair.strong))
    weak, strong = (cell.measures.get("covered") for cell in (pair.weak, pair.strong))
    if paired is not None or weak is None or strong is None or weak.value is None or strong.value is None:
        return paired
    low = None if weak.low is None or strong.high is None else weak.low - strong.high
    high = None if weak.high is None or strong.low is None else weak.high - strong.low
    return Estimate(value=weak.value - strong.value, low=low, high=high, n=min(weak.n, strong.n))


def _per_solved(cell: CellResult) -> Estimate | None:
    return solved_estimate(cell.measures.get("covered"), cell.measures.get("kept_per_problem"))


def _false_positives(results: Results, pair: _Pair) -> Entry:
    """Return the difference of the models' rates if both are of one method, else of the cells' rates by steps."""
    weak, strong = (results.pools.get(model, {}) for model in pair.models)
    if (found := difference(weak, strong)) and found[0].value is not None:
        return _entry(found[0], numbers.points, "")
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
        if item.student == ALL_STUDENTS:
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


def _ratio(weak: Estimate | None, strong: Estimate | None) -> Estimate | None:
    if weak is None or strong is None or weak.value is None or not strong.value:
        return None
    # From end to end of both intervals: wider than a paired interval, but safe where problems are not paired.
    low = None if weak.low is None or not strong.high else weak.low / strong.high - 1
    high = None if weak.high is None or not strong.low else weak.high / strong.low - 1
    return Estimate(value=weak.value / strong.value - 1, low=low, high=high, n=min(weak.n, strong.n))

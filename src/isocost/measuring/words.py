"""Numbers and names as they are printed. Names come from tables, and a table can contain any text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isocost.amounts import dollars, flops, flops_scale
from isocost.records import UNITS, Estimate

NAMES = {
    "diversity": "distinct correct solutions (diversity)",
    "coverage": "coverage",
    "diversity_normalised": "distinct correct solutions (by words)",
    "diversity_equations": "distinct correct solutions (by equations)",
}
_LONGEST = 48  # longest name that is printed, in characters
_MARKUP = {ord(char): f"\\{char}" for char in "\\`*_|~[]#<>!"} | {ord("&"): "&amp;"}


def name_cell(text: str) -> str:
    """Return a name that cannot break a table, a line or a terminal: shortened, control characters blanked, markup escaped."""
    # Cut before translating, because a name can be megabytes long.
    visible = "".join(char if char.isprintable() else " " for char in text[: 20 * _LONGEST])
    # Marks the cut above.
    if len(text) > 20 * _LONGEST:
        visible += "..."
    if len(visible) > _LONGEST:
        visible = f"{visible[: _LONGEST - 17]}...{visible[-14:]}"
    return " ".join(visible.translate(_MARKUP).split()) or "(no name)"


def percent(estimate: Estimate, of: int | None = None) -> str:
    """Return a share: 44.7% [42.1, 47.3], n 1,319. n is left out if it equals `of`, which is printed elsewhere."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not defined"
    return f"{100 * estimate.value:.1f}% [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]{_n(estimate, of)}"


def count(estimate: Estimate, of: int | None = None) -> str:
    """Return a mean count: 2.31 [2.02, 2.75], n 1,319; n as in `percent`."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not defined"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]{_n(estimate, of)}"


def _n(estimate: Estimate, of: int | None) -> str:
    return "" if estimate.n == of else f", n {estimate.n:,}"


def amount(value: float) -> str:
    """Return a cost: whole from 100 on, else three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spent(value: float, unit: str) -> str:
    """Return a cost in its unit, short: 49.2 GFLOPs, $0.0021; of other units the number alone, as `amount`."""
    return flops(value) if unit == "flops" else dollars(value) if unit == "usd" else amount(value)


def with_name_cell(note: str, models: Iterable[str]) -> str:
    """Return a note that begins with a model's name and a colon with that name escaped for a table: names can contain any text."""
    model = next((m for m in sorted(models, key=len, reverse=True) if note.startswith(f"{m}: ")), None)
    return note if model is None else f"{name_cell(model)}{note[len(model) :]}"


def named_unit(unit: str) -> str:
    """Return the unit of costs for a heading."""
    return {"flops": "FLOPs", "usd": "US dollars"}.get(unit, unit)


def with_unit(value: float, unit: str) -> str:
    """Return a cost in its unit, for running text."""
    return spent(value, unit) if unit in UNITS else f"{amount(value)} {unit}"


def money(estimate: Estimate, of: int | None = None, *, unit: str = "") -> str:
    """Return a cost with its interval, in a readable unit for FLOPs and dollars. An unknown end is marked; n as in `percent`."""
    scale = flops_scale([estimate.value, estimate.low, estimate.high])
    text, after = (scale.text, f" {scale.unit}") if unit == "flops" else (dollars, "") if unit == "usd" else (amount, "")
    if estimate.value is None:
        return "not defined" if estimate.low is None else f"at least {text(estimate.low)}{after}{_n(estimate, of)}"
    low = "?" if estimate.low is None else text(estimate.low)
    high = "no upper end" if estimate.high is None else text(estimate.high)
    return f"{text(estimate.value)} [{low}, {high}]{after}{_n(estimate, of)}"


def counted_of(number: int, what: str, *, first: bool = False) -> str:
    """Return a count with the name of what it counts: `1 problem`, `12 problems`; `first` leaves a 1 out, to follow "the first"."""
    if number == 1:
        return what if first else f"1 {what}"
    return f"{number:,} {what}s"


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table. The first row is its head; numbers are right-aligned. Cells must be escaped already."""
    head, *body = rows
    rule = ["---", *("---:" for _ in head[1:])]
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *body)]

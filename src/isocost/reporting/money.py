"""The section on money: a ledger of what the run paid, the bill, the data cost of cells, and the time by stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import NamedTuple

from isocost import amounts
from isocost.amounts import price as say_price
from isocost.records import BillLine, Cost, ModelCard, Results
from isocost.reporting import numbers
from isocost.reporting.blocks import Column, Entry, Row, Section, Table, integer, number, words
from isocost.reporting.tables import costs, filled

_KINDS = ("kept", "rejected", "failed", "lost")
_SAMPLED = ("data", "judge")  # the accounts that an endpoint may be paid from
_ANSWERED = ("kept", "rejected", "failed", "verdicts")  # bill lines of answers that came
_OVERLAPS = (
    "Engine time is that of engines on this machine. Requests to an endpoint are under way at once, so theirs sums to no time and stands "
    f"as {amounts.MISSING}; the time by stage holds for all."
)
_NOTHING = Cost(flops=0.0, usd=0.0, seconds=0.0)


def money(results: Results) -> Section | None:
    """Return the section on money; None if nothing was billed."""
    if not results.bill:
        return None
    paid = [line for line in results.bill if line.account == "data"]
    return Section(
        key="money",
        title="The money",
        finding=_shared(results, paid),
        tables=filled([_ledger(paid), _bill(results.bill), _time(results)]),
        notes=(
            *_reasoning(results),
            *_counted(results.models),
            *([_OVERLAPS] if any(line.cost.seconds is None for line in results.bill if line.what in _ANSWERED) else []),
        ),
    )


def without_overlaps(results: Results, remote: Collection[str]) -> Results:
    """Remove the engine time of models behind endpoints. Their requests overlap, so the sum of their times is not a duration.

    Args:
        results: The results of the run.
        remote: Names of the models behind endpoints.
    """
    if not remote:
        return results
    bill = (replace(line, cost=_untimed(line.cost)) if line.model in remote and line.account in _SAMPLED else line for line in results.bill)
    cells = (replace(cell, cost=_untimed(cell.cost)) if not set(remote).isdisjoint(cell.plan.models) else cell for cell in results.cells)
    return replace(results, bill=tuple(bill), cells=tuple(cells))


def _untimed(cost: Cost) -> Cost:
    return replace(cost, seconds=None)


def _reasoning(results: Results) -> list[str]:
    """Return the part of the tokens that is reasoning, by model."""
    parts = [
        f"{numbers.count(reasoning)} of {model}'s {numbers.count(tokens)} ({account})"
        for (account, model), (reasoning, tokens) in results.reasoning.items()
    ]
    return [f"Tokens of reasoning are generated tokens, paid once: {'; '.join(parts)}."] if parts else []


def _counted(models: Sequence[ModelCard]) -> list[str]:
    """Explain the cost of a draw: the parts of its FLOPs, and the origin of prices."""
    sentences = []
    if sized := [card for card in models if card.parameters]:
        reading = {"none": "", "shared": ", and 2P a prompt token once a request", "each": ", and 2P a prompt token of every draw"}
        left = [] if sized[0].counts_attention else ["attention over the context"]
        left += ["reading prompts"] if sized[0].prompt_reading == "none" else []
        attention = ", with attention over the context" if sized[0].counts_attention else ""
        counted = f"2P a generated token{reading[sized[0].prompt_reading]}{attention}" + (f"; left out: {', '.join(left)}" if left else "")
        sizes = "; ".join(f"{card.name} {numbers.count(card.parameters or 0)} ({card.parameters_are})" for card in sized)
        sentences.append(f"A draw's FLOPs are {counted}. P: {sizes}.")
    if priced := [card for card in models if card.usd_per_million]:
        sentences.append(f"Prices, in USD per million tokens: {'; '.join(_price(card) for card in priced)}.")
    return sentences


def _price(card: ModelCard) -> str:
    prices = _listed(card.usd_per_million or {})
    if card.usd_per_request:
        prices += f", a request {say_price(card.usd_per_request)}"
    prices += "".join(f", above {numbers.count(tier.above)} prompt tokens {_listed(tier.usd_per_million)}" for tier in card.price_tiers)
    origin = ", ".join(filter(None, [card.price_is, f"read on {card.priced_on}" if card.priced_on else ""]))
    return f"{card.name} {prices}" + (f" ({origin})" if origin else "")


def _listed(prices: Mapping[str, float]) -> str:
    return ", ".join(f"{what} {say_price(price)}" for what, price in prices.items())


def _shared(results: Results, paid: Sequence[BillLine]) -> str:
    charged, billed = _sum(cell.cost for cell in results.cells), _sum(line.cost for line in paid)
    everything = _sum(line.cost for line in results.bill)
    if all(each.flops is None and each.usd is None for each in (charged, billed, everything)):
        return "No price and no size of a model is known, so there is no bill in dollars or FLOPs."
    has = {line.account for line in results.bill}
    accounts = {"judge": "the judge", "training": "training", "evaluation": "evaluation"}
    others = amounts.listed([name for account, name in accounts.items() if account in has])
    more = f"; with {others} it is {numbers.cost(everything)}" if others else ""
    return (
        f"The bill for data is {numbers.cost(billed)}{more}. "
        f"The cells' data costs, shared draws counted in each, add up to {numbers.cost(charged)}."
    )


class _Accounted(NamedTuple):
    """A unit of the ledger: its name for people and in the CSV, the amount of a bill line, and the format of amounts."""

    title: str
    raw_title: str
    amount: Callable[[BillLine], float | None]
    text: Callable[[float], str]


def _ledger(paid: Sequence[BillLine]) -> Table:
    """Return the ledger of data by model, in samples, tokens and every known unit: spent = kept + rejected + failed + lost."""
    scale = amounts.flops_scale(_sum(line.cost for line in paid if line.model == model).flops for model in {line.model for line in paid})
    clock = numbers.clock(line.cost.seconds for line in paid)
    units = [
        _Accounted("Samples", "Samples", lambda line: line.count, lambda amount: numbers.count(int(amount))),
        _Accounted("Tokens", "Tokens", lambda line: line.tokens, lambda amount: numbers.count(int(amount))),
        _Accounted(f"Cost, {scale.unit}", "Cost, FLOPs", lambda line: line.cost.flops, scale.text),
        _Accounted("Cost, USD", "Cost, USD", lambda line: line.cost.usd, amounts.usd),
        _Accounted("Engine time, h:mm:ss", "Engine time, seconds", lambda line: line.cost.seconds, clock),
    ]
    others = tuple(kind for kind in dict.fromkeys(line.what for line in paid) if kind not in _KINDS)
    known = [unit for unit in units if any(unit.amount(line) for line in paid)]
    rows = [row for unit in known for row in _spent(paid, unit, _KINDS + others)]
    return Table(
        key="ledger",
        title="The ledger of data",
        caption="Spent = kept + rejected + failed + lost. Rejected: wrong, cut off, repeated, unsound, not gradable; failed: by engine.",
        columns=(
            Column(title="Model", key="model", kind="text"),
            *(Column(title=kind.capitalize(), key=kind) for kind in _KINDS + others),
            Column(title="Spent", key="spent"),
        ),
        rows=tuple(rows),
        group_title="Unit",
    )


def _spent(paid: Sequence[BillLine], unit: _Accounted, kinds: Sequence[str]) -> list[Row]:
    """Return the rows of one unit: one per model, and a total if there are several models."""

    def row(name: str, lines: Sequence[BillLine], *, total: bool) -> Row:
        parts = [_total(unit.amount(line) for line in lines if line.what == kind) for kind in kinds]
        entries: list[Entry] = [number(part, unit.text) for part in (*parts, _total(parts))]
        return Row(group=unit.title, raw_group=unit.raw_title, total=total, entries=(words(name), *entries))

    models = dict.fromkeys(line.model for line in paid)
    rows = [row(model, [line for line in paid if line.model == model], total=False) for model in models]
    return [*rows, row("all models", paid, total=True)] if len(rows) > 1 else rows


def _bill(bill: Sequence[BillLine]) -> Table:
    """Return the bill by account and model, with totals per account and for the run."""
    parts = [
        _sum(line.cost for line in bill if (line.account, line.model) == part) for part in {(line.account, line.model) for line in bill}
    ]
    spent = costs("Spent", "spent", parts, lambda cost: cost)

    def row(group: str, name: str, lines: Sequence[BillLine], *, total: bool = False) -> Row:
        counted = integer(sum(line.count for line in lines)) if group else Entry(text="", value=None)
        paid = _sum(line.cost for line in lines)
        tokens = integer(sum(line.tokens for line in lines))
        return Row(group=group, total=total, entries=(words(name), counted, tokens, *(each.entry(paid) for each in spent)))

    rows = []
    for account in dict.fromkeys(line.account for line in bill):
        lines = [line for line in bill if line.account == account]
        models = dict.fromkeys(line.model for line in lines)
        rows += [row(account.capitalize(), model, [line for line in lines if line.model == model]) for model in models]
        if len(models) > 1:
            rows.append(row(account.capitalize(), f"all {account}", lines, total=True))
    if rows:
        rows.append(row("", "The whole run", bill, total=True))
    return Table(
        key="bill",
        title="The bill",
        caption="Count: samples in data, verdicts of a judge, steps in training, answers in evaluation. Tokens: written, in training read.",
        columns=(
            Column(title="Model", key="model", kind="text"),
            Column(title="Count", key="count"),
            Column(title="Tokens", key="tokens"),
            *(each.column for each in spent),
        ),
        rows=tuple(rows),
        group_title="Account",
    )


def _time(results: Results) -> Table:
    clock = numbers.clock(results.seconds.values())
    rows = [Row(entries=(words(stage), number(seconds, clock))) for stage, seconds in results.seconds.items()]
    if rows:
        rows.append(Row(total=True, entries=(words("all stages"), number(sum(results.seconds.values()), clock))))
    columns = Column(title="Stage", key="stage", kind="text"), Column(title="Wall clock (h:mm:ss)", key="seconds")
    return Table(key="seconds", title="Time by stage", caption="Over every start of the run.", columns=columns, rows=tuple(rows))


def _sum(costs: Iterable[Cost]) -> Cost:
    """Add costs. A unit that is unknown in one cost is unknown in the sum; the sum of no costs is zero."""
    return reduce(add, costs, _NOTHING)


def _total(amounts: Iterable[float | None]) -> float | None:
    """Add amounts; None if one of them is None, because a partial sum would look like the whole."""
    total: float = 0
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total

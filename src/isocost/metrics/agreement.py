"""Agreement of two labellers on the same items."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from isocost.arrays import Floats
from isocost.metrics.intervals import proportion
from isocost.metrics.intervals.score import Z
from isocost.records import Estimate

_ADDED = 4.0  # pairs spread over all cells before kappa's interval; in simulation 2 hold 91% and 0 hold 49% where labellers hardly differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement of two labellers.

    Attributes:
        raw: Share of items with equal labels.
        kappa: Cohen's kappa, agreement beyond chance, in [-1, 1]; undefined if both give one and the same label to every item.
    """

    raw: Estimate
    kappa: Estimate


def agreement(left: Sequence[Hashable], right: Sequence[Hashable]) -> Agreement:
    """Return raw agreement and Cohen's kappa of two labellers, each with a 95% interval over items.

        kappa = (p_o - p_e) / (1 - p_e)          p_o share alike, p_e = sum over labels of the product of the two labellers' shares

    Cohen (1960, "A coefficient of agreement for nominal scales"). The interval of raw agreement is that of `proportion`. The interval of
    kappa is the large-sample one of Fleiss, Cohen and Everitt (1969, "Large sample standard errors of kappa and weighted kappa"), on the
    table with four pairs added evenly over its cells, and it includes kappa itself. Without the added pairs it has no width if labellers
    agree on all items. In simulations with two labels and 20 to 200 items it holds 94% of the time or more, the plain one down to 49%.
    Items should belong to different problems.

    Args:
        left: One label per item.
        right: The other labeller's labels of the same items in the same order. Leave out items that only one has labelled.

    Raises:
        ValueError: The lengths differ.
    """
    if len(left) != len(right):
        raise ValueError(f"labels must pair up: {len(left)} and {len(right)}")
    raw = proportion(sum(a == b for a, b in zip(left, right, strict=True)), len(left))
    names = {name: i for i, name in enumerate(dict.fromkeys([*left, *right]))}
    if len(names) < 2:  # chance agreement is 1, and kappa 0 / 0
        return Agreement(raw=raw, kappa=Estimate(value=None, low=None, high=None, n=len(left)))
    table = np.zeros((len(names), len(names)))
    for a, b in zip(left, right, strict=True):
        table[names[a], names[b]] += 1
    value, _ = _kappa(table)
    centre, error = _kappa(table + _ADDED / table.size)
    # The interval is centred on the smoothed table, so it is extended to include the plain value.
    low, high = max(-1.0, min(value, centre - Z * error)), min(1.0, max(value, centre + Z * error))
    return Agreement(raw=raw, kappa=Estimate(value=value, low=low, high=high, n=len(left)))


def _kappa(table: Floats) -> tuple[float, float]:
    """Return kappa and its large-sample standard error for counts [labels, labels]."""
    n = float(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    alike, chance = float(np.trace(p)), float(rows @ columns)
    kappa = (alike - chance) / (1 - chance)
    pull = (1 - kappa) * (columns[:, None] + rows[None, :])  # [i, j]: shares of label i by the right labeller and j by the left
    on = np.diag_indices(len(p))
    # Off-diagonal cells weigh pull^2, diagonal cells (1 - pull)^2: the paper's variance, written as one sum and a correction.
    square = float((p * pull**2).sum() - (p[on] * pull[on] ** 2).sum() + (p[on] * (1 - pull[on]) ** 2).sum())
    variance = (square - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    return kappa, sqrt(max(0.0, variance))

"""How far two labellers agree on the same items."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from isocost.metrics.coverage import Floats
from isocost.metrics.intervals import proportion
from isocost.metrics.intervals.score import Z
from isocost.records import Estimate

_ADDED = 4.0  # pairs spread over all cells before kappa's interval; in simulation 2 hold 91% and 0 hold 49% where labellers hardly differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two labellers compared.

    Attributes:
        raw: Share of items that both label alike.
        kappa: Cohen's kappa, agreement beyond chance, in [-1, 1]; undefined where both give one and the same label to everything.
    """

    raw: Estimate
    kappa: Estimate


def agreement(left: Sequence[Hashable], right: Sequence[Hashable]) -> Agreement:
    """Raw agreement and Cohen's kappa of two labellers, each with a 95% interval over items.

        kappa = (p_o - p_e) / (1 - p_e)          p_o share alike, p_e = sum over labels of the product of the two labellers' shares

    Cohen (1960, "A coefficient of agreement for nominal scales"). Raw agreement has `proportion`'s interval. Kappa's is the large-sample
    one of Fleiss, Cohen and Everitt (1969, "Large sample standard errors of kappa and weighted kappa") on the table with four pairs more,
    spread evenly over its cells, and reaches to kappa itself: without them it has no width where labellers agree on all. Simulated with two
    labels and 20 to 200 items: held 94% of the time or more, where the plain one falls to 49%. Items should be of different problems.

    Args:
        left: One label an item.
        right: The other labeller's, of the same items in the same order. Leave out items that only one has labelled.

    Raises:
        ValueError: The lengths differ.
    """
    if len(left) != len(right):
        raise ValueError(f"labels must pair up: {len(left)} and {len(right)}")
    raw = proportion(sum(a == b for a, b in zip(left, right, strict=True)), len(left))
    names = {name: i for i, name in enumerate(dict.fromkeys([*left, *right]))}
    if len(names) < 2:
        return Agreement(raw=raw, kappa=Estimate(value=None, low=None, high=None, n=len(left)))
    table = np.zeros((len(names), len(names)))
    for a, b in zip(left, right, strict=True):
        table[names[a], names[b]] += 1
    value, _ = _kappa(table)
    centre, error = _kappa(table + _ADDED / table.size)
    low, high = max(-1.0, min(value, centre - Z * error)), min(1.0, max(value, centre + Z * error))
    return Agreement(raw=raw, kappa=Estimate(value=value, low=low, high=high, n=len(left)))


def _kappa(table: Floats) -> tuple[float, float]:
    """Kappa and its large-sample standard error, of counts [labels, labels]."""
    n = float(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    alike, chance = float(np.trace(p)), float(rows @ columns)
    kappa = (alike - chance) / (1 - chance)
    pull = (1 - kappa) * (columns[:, None] + rows[None, :])  # [i, j]: shares of label i by the right labeller and j by the left
    on = np.diag_indices(len(p))
    square = float((p * pull**2).sum() - (p[on] * pull[on] ** 2).sum() + (p[on] * (1 - pull[on]) ** 2).sum())
    variance = (square - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    return kappa, sqrt(max(0.0, variance))

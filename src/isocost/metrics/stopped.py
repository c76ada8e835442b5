"""A test for draws that were stopped by their outcomes. For such draws c / M, coverage@k and similar estimates are biased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Bools, Floats, Ints

_CHANCE = 1e-3  # false alarms per table; 0.05 would flag one honest table in twenty
_TILTS = np.linspace(0.0, 25.0, 1001)  # grid of t for Chernoff's bound; any t gives a valid bound, a fine grid a tight one


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The evidence that draws were stopped by their outcomes.

    Attributes:
        problems: Number of problems with fewer draws than the maximum.
        rule: The evidence: the last draws, or the places of correct draws.
        seen: Number of these problems that end on a correct draw, or the mean place of a correct draw.
        expected: The same under random order.
        chance: Upper bound on the probability of a deviation this large.
    """

    problems: int
    rule: Literal["last", "places"]
    seen: float
    expected: float
    chance: float


def looks_stopped(drawn: ArrayLike, correct: ArrayLike, last_correct: ArrayLike, places: ArrayLike | None = None) -> Stopped | None:
    """Test if the number of draws of a problem seems to depend on their outcomes.

    If it does not, the draws of a problem are in random order for every M. The last of M draws with c correct is then correct with chance
    c / M, and the places 1 .. M of the correct ones sum to c (M + 1) / 2 on average, with variance c (M - c) (M + 1) / 12. Stopping at the
    m-th correct draw makes the last one correct always; stopping at a failure, never. Rounds that continue until one holds a success leave
    the correct draws late.

    Two tests use the problems with fewer draws than the maximum (those with the maximum met a cap). The number of correct last draws is
    compared with the sum of c / M by Chernoff's bound. The sum of the places is compared by Bernstein's. Both bounds hold for any number
    of problems. The draws look stopped if either test, on either side, has a chance under 1 in 4,000, so all four together are wrong in
    less than 1 of 1,000 tables. Problems with none or all correct carry no weight. Rows sorted by outcome look the same as stopped draws.
    Rules that leave no trace in the order are not detected, such as more draws for hard problems after a pilot, or a single round that
    stops at its first success.

    Args:
        drawn: M, int[problems].
        correct: c, int[problems].
        last_correct: True if the last draw is correct, bool[problems]; ignored where M is 0.
        places: Sum of the places of the correct draws, the first being 1, int[problems]; None omits that test.

    Returns:
        The evidence of the test with the smaller chance; None if there is none, and always if every problem has equally many draws.

    Raises:
        ValueError: The shapes differ.
    """
    m, c = np.asarray(drawn, dtype=np.int64), np.asarray(correct, dtype=np.int64)
    last = np.asarray(last_correct, dtype=np.bool_)
    at = None if places is None else np.asarray(places, dtype=np.int64)
    if not m.shape == c.shape == last.shape or (at is not None and at.shape != m.shape):
        raise ValueError(f"drawn has shape {m.shape}, correct {c.shape}, last_correct {last.shape}")
    short = (m > 0) & (m < m.max(initial=0))
    if not short.any():
        return None
    found = [_by_last(m[short], c[short], last[short])]
    if at is not None:
        found.append(_by_places(m[short], c[short], at[short]))
    strongest = min(found, key=lambda one: one.chance)
    return strongest if strongest.chance < _CHANCE else None


def _by_last(m: Ints, c: Ints, last: Bools) -> Stopped:
    share, seen = c / m, int(last.sum())
    chance = min(_bound(share, seen), _bound(1 - share, m.size - seen))
    return Stopped(problems=m.size, rule="last", seen=float(seen), expected=float(share.sum()), chance=min(1.0, 4 * chance))


def _by_places(m: Ints, c: Ints, places: Ints) -> Stopped:
    expected = float((c * (m + 1) / 2).sum())
    off = abs(float(places.sum()) - expected)
    variance = float((c * (m - c) * (m + 1) / 12).sum())
    widest = float((c * (m - c) / 2).max())  # the largest deviation of one problem, as Bernstein's bound needs it
    chance = float(np.exp(-(off**2) / (2 * (variance + widest * off / 3)))) if off > 0 else 1.0
    n = max(1, int(c.sum()))
    return Stopped(problems=m.size, rule="places", seen=float(places.sum()) / n, expected=expected / n, chance=min(1.0, 4 * chance))


def _bound(shares: Floats, seen: int) -> float:
    """Return Chernoff's bound: P(S >= seen) <= min over t >= 0 of exp(-t seen) prod (1 - p + p exp(t)); 1 if seen is below the mean."""
    if seen <= shares.sum():
        return 1.0
    p, count = np.unique(shares, return_counts=True)
    growth = np.expm1(_TILTS)[:, None]
    logs = (np.log1p(p * growth) * count).sum(axis=1) - _TILTS * seen
    return float(np.exp(min(0.0, logs.min())))

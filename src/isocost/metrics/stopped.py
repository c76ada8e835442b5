"""Is this a table of draws that were stopped by their outcomes? Then c / M, coverage@k and the like are biased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isocost.metrics.coverage import Bools, Floats, Ints

_CHANCE = 1e-3
_TILTS = np.linspace(0.0, 25.0, 1001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why draws look stopped.

    Attributes:
        problems: Problems with fewer draws than the most.
        rule: What gives it away: their last draws, or the places of their correct draws.
        seen: How many of the problems end on a correct draw; or the mean place of a correct draw.
        expected: The same, were the order of draws left to chance.
        chance: Bound on the probability of being as far from that.
    """

    problems: int
    rule: Literal["last", "places"]
    seen: float
    expected: float
    chance: float


def looks_stopped(drawn: ArrayLike, correct: ArrayLike, last_correct: ArrayLike, places: ArrayLike | None = None) -> Stopped | None:
    """Whether the number of draws of a problem seems to depend on what was drawn.

    Where it does not, the draws of a problem come in no particular order, whatever M is: the last of M with c correct is correct with
    chance c / M, and the places 1 .. M of the correct ones add up to c (M + 1) / 2 on average, with variance c (M - c) (M + 1) / 12.
    Stopping at the m-th correct draw makes the last one correct always, stopping at a failure never; rounds that go on until one holds a
    success leave the correct draws late. So, among the problems with fewer draws than the most (those with the most met a cap): the
    correct last draws are counted and compared with the sum of c / M by Chernoff's bound, and the places are added up and compared by
    Bernstein's; both bounds hold for any number of problems. The draws look stopped if either, on either side, has a chance under 1 in
    4,000, so that all four together are wrong in less than 1 of 1,000 tables. Problems with none or all correct tell nothing and weigh
    nothing. Rows that are sorted by outcome look the same; rules that leave no trace in the order, such as more draws for hard problems
    after a pilot, or one round that stops with its first success, are not seen.

    Args:
        drawn: M, int[problems].
        correct: c, int[problems].
        last_correct: Whether the last draw is correct, bool[problems]; of no meaning where M is 0.
        places: Sum of the places of the correct draws, the first being 1, int[problems]; None leaves that test out.

    Returns:
        What was found, the less likely of the two; None where nothing speaks for stopping, and always where every problem has as many
        draws.

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
    likeliest = min(found, key=lambda one: one.chance)
    return likeliest if likeliest.chance < _CHANCE else None


def _by_last(m: Ints, c: Ints, last: Bools) -> Stopped:
    share, seen = c / m, int(last.sum())
    chance = min(_bound(share, seen), _bound(1 - share, m.size - seen))
    return Stopped(problems=m.size, rule="last", seen=float(seen), expected=float(share.sum()), chance=min(1.0, 4 * chance))


def _by_places(m: Ints, c: Ints, places: Ints) -> Stopped:
    expected = float((c * (m + 1) / 2).sum())
    off = abs(float(places.sum()) - expected)
    variance = float((c * (m - c) * (m + 1) / 12).sum())
    widest = float((c * (m - c) / 2).max())  # as far as one problem can be off
    chance = float(np.exp(-(off**2) / (2 * (variance + widest * off / 3)))) if off > 0 else 1.0
    n = max(1, int(c.sum()))
    return Stopped(problems=m.size, rule="places", seen=float(places.sum()) / n, expected=expected / n, chance=min(1.0, 4 * chance))


def _bound(shares: Floats, seen: int) -> float:
    """Chernoff's: P(S >= seen) <= min over t >= 0 of exp(-t seen) prod (1 - p + p exp(t)); 1 where no more are seen than expected."""
    if seen <= shares.sum():
        return 1.0
    p, count = np.unique(shares, return_counts=True)
    growth = np.expm1(_TILTS)[:, None]
    logs = (np.log1p(p * growth) * count).sum(axis=1) - _TILTS * seen
    return float(np.exp(min(0.0, logs.min())))

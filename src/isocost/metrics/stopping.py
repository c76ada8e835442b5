"""Pass rates from draws that stop at a number of successes or at a cap. The share of correct draws is biased there."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats


def stopped_rates(drawn: ArrayLike, correct: ArrayLike, successes: int, cap: ArrayLike) -> Floats:
    """Return the unbiased estimate of each problem's pass rate p if drawing stopped at the m-th success or at a cap of draws.

        m >= 2:  (m - 1) / (M - 1)  if the m-th success came, at draw M          m = 1:  1 if it came at the first draw, else 0
                 c / M              if the cap came first, M = cap

    Haldane (1945, "On a method of estimating frequencies"), without the cap. With the cap the mean is p P(fewer than m - 1, or the
    (m - 1)-th, success among cap - 1 draws) = p. c / M is too high, because drawing stops on a success. So is the average over only the
    problems that reached m: 0.160 for p = 0.10 at m = 4, cap 30. This rule alone must have decided each draw. If a policy's priorities,
    batches or budget decide M, no such estimate is unbiased.

    Args:
        drawn: M, int[problems].
        correct: c, int[problems].
        successes: m, at least 1.
        cap: Largest number of draws of a problem, at least 1: one number, or int[problems].

    Returns:
        float[problems] in [0, 1]; nan where nothing was drawn.

    Raises:
        ValueError: Shapes differ, m or a cap is below 1, or a problem's counts contradict the rule: more than m correct, more draws than
            the cap, or fewer draws with less than m correct.
    """
    m, c = np.asarray(drawn, dtype=np.int64), np.asarray(correct, dtype=np.int64)
    if m.shape != c.shape:
        raise ValueError(f"drawn has shape {m.shape}, correct {c.shape}")
    most = np.broadcast_to(np.asarray(cap, dtype=np.int64), m.shape)
    if successes < 1 or np.any(most < 1):
        raise ValueError(f"successes and cap must be at least 1, got {successes} and {most.min(initial=1)}")
    came = c == successes
    possible = (c >= 0) & (c <= np.minimum(m, successes)) & (m <= most) & (came | (m == most) | (m == 0))
    if not possible.all():
        at = int(np.flatnonzero(~possible.ravel())[0])
        counts = f"{c.ravel()[at]} correct of {m.ravel()[at]} drawn"
        raise ValueError(f"problem {at} did not stop at {successes} correct or {most.ravel()[at]} drawn: {counts}")
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 if nothing was drawn, or if m = M = 1
        reached = (m == 1).astype(np.float64) if successes == 1 else (successes - 1) / (m - 1)
        rates = np.where(came, reached, c / m)
    return np.where(m == 0, np.nan, rates)

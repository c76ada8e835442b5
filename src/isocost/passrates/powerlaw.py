"""The power law of coverage, as a second opinion: log(-log coverage@k) falls in a line over log k."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isocost.arrays import Floats


def power_law(coverage: ArrayLike, ks: ArrayLike) -> Floats | None:
    """Extrapolate coverage@1 .. coverage@K by the line through log(-log coverage@k) on log k, fitted by least squares.

    coverage@k = exp(-a k^-b), the exponentiated power law of Brown et al. 2024 (arXiv 2407.21787).

    Args:
        coverage: coverage@k for k = 1 .. K, each float in [0, 1].
        ks: Where to extrapolate, int[ks].

    Returns:
        float[ks]; None if the line is undefined: fewer than two points, or one at 0 or 1.
    """
    known = np.asarray(coverage, np.float64)
    if len(known) < 2 or known[0] <= 0.0 or known.max() >= 1.0:
        return None
    slope, intercept = np.polyfit(np.log(np.arange(1, len(known) + 1)), np.log(-np.log(known)), 1)
    return np.asarray(np.exp(-np.exp(intercept + slope * np.log(np.asarray(ks, np.float64)))), np.float64)

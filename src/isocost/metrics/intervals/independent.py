"""The difference between two independent rates or means, from their intervals."""

from __future__ import annotations

from math import hypot

from isocost.records import Estimate


def independent_difference(a: Estimate, b: Estimate) -> Estimate:
    """Return a - b for estimates that share no problem, such as audits of two models, with an interval from theirs.

        low = d - sqrt((a - low_a)^2 + (high_b - b)^2)          high = d + sqrt((high_a - a)^2 + (b - low_b)^2)          d = a - b

    Newcombe (1998, "Interval estimation for the difference between independent proportions", method 10) for score intervals; Zou and Donner
    (2008, "Construction of confidence limits about effect measures") for any. The two differ significantly if 0 lies outside. On the same
    problems use `paired_difference`. n is the smaller of the two. The result is undefined if either is.
    """
    n, ungraded = min(a.n, b.n), a.n_ungraded + b.n_ungraded
    if a.value is None or b.value is None or a.low is None or a.high is None or b.low is None or b.high is None:
        return Estimate(value=None, low=None, high=None, n=n, n_ungraded=ungraded)
    d = a.value - b.value
    low, high = d - hypot(a.value - a.low, b.high - b.value), d + hypot(a.high - a.value, b.value - b.low)
    return Estimate(value=d, low=low, high=high, n=n, n_ungraded=ungraded)

"""The number of problems that tell a difference from 0."""

from __future__ import annotations

import math

_MOST = 1e5  # problems: more are no advice, and differences that small decide nothing


def problems_to_settle(problems: int, difference: float, detectable: float) -> int | None:
    """Return the number of problems that detect a difference of this size, if it is the true one; None if that is over 100,000.

    A detectable difference is a fixed number of standard errors (`detectable_difference`), and these fall with the root of the number of
    problems: m problems detect detectable * sqrt(problems / m).

    Args:
        problems: Problems that the difference was measured on.
        difference: The difference; its sign does not matter.
        detectable: The smallest difference that these problems detect.
    """
    if difference == 0.0:
        return None
    needed = problems * (detectable / difference) ** 2
    return math.ceil(needed) if needed <= _MOST else None

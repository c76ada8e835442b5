"""pass@1 of a model whose draws stopped at a known number of correct ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocost.arrays import Bools, Ints
from isocost.errors import InputError
from isocost.measuring.columns import Columns
from isocost.measuring.models import Model
from isocost.metrics.stopping import stopped_rates


def stopped_pass(model: Model, successes: int, problems: Sequence[str]) -> Columns:
    """Return pass@1 by `metrics.stopping.stopped_rates`. The cap is the largest number of draws of any problem, graded or not.

    Args:
        model: The model.
        successes: Correct draws at which a problem's draws stopped.
        problems: The table's problem ids.

    Raises:
        InputError: A problem's counts contradict that rule.
    """
    cap = _cap(model)
    if (odd := np.flatnonzero(~_follows(model, successes, cap))).size:
        at = odd[0]
        raise InputError(
            f"--stopped-at {successes}: model {model.name}, problem {problems[model.problem[at]]}: {model.correct[at]} correct of "
            f"{model.drawn[at]} graded draws, and the most that any problem has is {cap.max()}\n"
            "  give the number of correct draws at which it stopped; if another rule decided, leave --stopped-at out and use covered"
        )
    return Columns(names=["pass@1"], values=stopped_rates(model.drawn, model.correct, successes, cap)[:, None])


def _cap(model: Model) -> Ints:
    """Return the graded draws at which a problem's draws end in any case, int[problems]: fewer if ungraded draws took places."""
    most = int(model.rows.max(initial=1))
    return np.where(model.rows == most, np.maximum(model.drawn, 1), most)


def _follows(model: Model, successes: int, cap: Ints) -> Bools:
    m, c = model.drawn, model.correct
    # Stopped at a success, or at the cap, or nothing of it was graded.
    follows: Bools = (c == successes) | ((c < successes) & ((m == cap) | (m == 0)))
    return follows

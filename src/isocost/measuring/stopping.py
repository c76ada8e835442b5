"""pass@1 of a model whose draws stopped at a known number of correct ones."""

from __future__ import annotations

import numpy as np

from isocost.arrays import Bools, Ints
from isocost.errors import InputError
from isocost.measuring.columns import Columns
from isocost.measuring.draws import Draws
from isocost.measuring.models import Model
from isocost.metrics.stopping import stopped_rates


def stopped_pass(model: Model, successes: int, draws: Draws) -> Columns:
    """Return pass@1 by `metrics.stopping.stopped_rates`. The cap is the largest number of draws of any problem, graded or not.

    Args:
        model: The model.
        successes: Correct draws at which a problem's draws stopped.
        draws: The table that the model is part of.

    Raises:
        InputError: A problem's counts contradict that rule, or its last graded draw is not the correct one at which it stopped.
    """
    cap, ends_correct = _cap(model), draws.last_correct[draws.model == draws.models.index(model.name)]
    if (odd := np.flatnonzero(~_follows(model, successes, cap, ends_correct))).size:
        problem = draws.problems[model.problem[odd[0]]]
        raise InputError(
            f"--stopped-at {successes}: model {model.name}, problem {problem}: {_found(model, int(odd[0]), successes, cap)}\n"
            "  give the number of correct draws at which it stopped; if another rule decided, leave --stopped-at out and use covered"
        )
    return Columns(names=["pass@1"], values=stopped_rates(model.drawn, model.correct, successes, cap)[:, None])


def _found(model: Model, at: int, successes: int, cap: Ints) -> str:
    """Describe the draws of a problem that contradict the rule."""
    counts = f"{model.correct[at]} correct of {model.drawn[at]} graded draws"
    if model.correct[at] == successes:  # so only the order of the draws contradicts it
        return f"{counts}, but the last of them is wrong; the order is that of sample_index, without it that of the rows"
    return f"{counts}, and the most that any problem has is {cap.max()}"


def _cap(model: Model) -> Ints:
    """Return the graded draws at which a problem's draws end in any case, int[problems]: fewer if ungraded draws took places."""
    most = int(model.rows.max(initial=1))
    return np.where(model.rows == most, np.maximum(model.drawn, 1), most)


def _follows(model: Model, successes: int, cap: Ints, ends_correct: Bools) -> Bools:
    m, c = model.drawn, model.correct
    # Stopped at a success, or at the cap, or nothing of it was graded.
    follows: Bools = ((c == successes) & ends_correct) | ((c < successes) & ((m == cap) | (m == 0)))
    return follows

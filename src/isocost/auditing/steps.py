"""Audits by steps: the arithmetic that solutions write out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import polars as pl

from isocost.auditing.lots import lot
from isocost.equations import audit_steps
from isocost.records import Outcome


def to_audit(draws: pl.DataFrame, *, per_model: int | None, seed: int) -> pl.DataFrame:
    """Choose answer-correct solutions of each model, at most one of a problem and model, whose arithmetic is checked.

    A problem that a model has solved is drawn with equal chance, and so is a solution among its correct ones; the choice depends on the
    seed and on what there is to choose from, not on the order of the draws.

    What the check cannot see: it reads the equations that a solution writes out and nothing else. A wrong step in words, a right equation
    about the wrong quantity, a skipped step, a lucky guess or algebra with letters passes as sound or, without any equation, as not
    checked. A false equation that the final answer does not rest on still counts as unsound. So its rate is closer to a lower bound of the
    false positive rate; people or a judge find the rest.

    Args:
        draws: As `one_a_problem`.
        per_model: Solutions to check of each model; None for one of every solved problem.
        seed: Of the choice.

    Returns:
        The rows of the solutions, by model and then in the order drawn.
    """
    drawn = one_a_problem(draws).with_row_index("at")
    keys = [(str(model), str(problem), at) for model, problem, at in drawn.select("model", "problem_id", "at").iter_rows()]
    # A second lot for the problem: the least of many sample lots would favour problems with many correct solutions.
    keys.sort(key=lambda key: (key[0], lot(seed, *key[:2])))
    chosen = [at for _, own in groupby(keys, key=lambda key: key[0]) for _, _, at in list(own)[:per_model]]
    return drawn.drop("at")[chosen]


def audited(texts: Iterable[str]) -> pl.DataFrame:
    """Check solutions: `sound`, null where no equation could be read, and `first_false`, the first false equation."""
    found = [audit_steps(text) for text in texts]
    columns = {"sound": [sound for sound, _ in found], "first_false": [false for _, false in found]}
    return pl.DataFrame(columns, schema={"sound": pl.Boolean, "first_false": pl.String})


def one_a_problem(draws: pl.DataFrame) -> pl.DataFrame:
    """Of every model and problem that it solved, one of the correct solutions, each with equal chance.

    Args:
        draws: In any order: `model`, `problem_id`, `outcome`, and `lot`, a number that no two draws share, such as their `ranks`.

    Returns:
        The rows of the solutions.
    """
    correct = draws.filter(pl.col("outcome") == Outcome.CORRECT)
    return correct.filter(pl.col("lot") == pl.col("lot").min().over("model", "problem_id"))

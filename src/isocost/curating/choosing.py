"""Choose the solutions of a training set: correct and complete ones, without duplicates, up to a number per problem."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.metrics.diversity import Level
from isocost.records import FUNNEL, Outcome
from isocost.tables.coding import hash_numbers, hash_ranks

_ALWAYS = ("error", "ungraded", "no_answer", "incorrect", "cut_off", "duplicate", "over_cap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules by which solutions go into a training set; solutions that are cut off never do.

    Attributes:
        per_problem: The largest number kept per problem; None for all.
        correct_only: False to keep solutions whatever their answer, as in an unfiltered control.
        sound_only: True to leave out solutions whose reasoning an audit found unsound; those that it could not check stay.
        labelled: True to leave out solutions that people labelled unsound; those that they labelled sound stay, whatever an audit found.
        problems: Only solutions of these problems; None for all problems.
        contaminated: Problems whose solutions are left out, since they nearly repeat problems of another set.
    """

    per_problem: int | None = None
    correct_only: bool = True
    sound_only: bool = False
    labelled: bool = False
    problems: Collection[str] | None = None
    contaminated: Collection[str] = ()

    @property
    def reasons(self) -> list[str]:
        """The reasons for leaving a draw out that can apply, in the order in which they are tried."""
        by_rule = {
            "contaminated": bool(self.contaminated),
            "other_problem": self.problems is not None,
            "labelled_unsound": self.labelled,
            "unsound": self.sound_only,
        }
        return [step for step in FUNNEL if step in _ALWAYS or by_rule.get(step)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curated:
    """A training set, and the count of draws by reason for leaving them out.

    Attributes:
        kept: The place of each solution in the table of draws, ordered by problem, model and index.
        by_problem: Solutions kept of each problem that has any.
        by_model: Solutions kept of each model that has any.
        funnel: Pairs of name and count: `drawn`, then each reason for leaving a draw out, then `kept`. A draw counts for the first reason
            that applies, so drawn minus all reasons is kept.
    """

    kept: NDArray[np.uint32]
    by_problem: Mapping[str, int]
    by_model: Mapping[str, int]
    funnel: tuple[tuple[str, int], ...]


def candidates(draws: pl.DataFrame, *, correct_only: bool = True) -> NDArray[np.bool_]:
    """Return a mask of the draws that may enter a training set, bool[draws]: correct, and not cut off.

    Args:
        draws: Columns `finish_reason` and `outcome`.
        correct_only: As in `Rules`.
    """
    return (draws.select(reason=_refused(correct_only=correct_only))["reason"].is_null()).to_numpy()


def seeded_ranks(seed: int, ids: Iterable[str]) -> NDArray[np.int64]:
    """Return the rank of each draw by the hash of (seed, id), int[ids]: a seeded random order.

    A hash gives each draw a place that does not depend on the other draws, so more draws do not reorder those that exist.
    """
    return hash_ranks(hashlib.sha256(f"{seed}/{each}".encode()).digest() for each in ids)


def solutions(problems: Iterable[str], texts: Iterable[str], distinct: Level, key: Callable[[str, Level], str]) -> NDArray[np.uint64]:
    """Return a hash of 128 bits per solution, equal for equal solutions of a problem, uint64[texts, 2].

    Hashes stand for the texts, which would not fit into memory. Two different solutions share a hash with probability 2^-128.

    Args:
        problems: The problem of each text.
        texts: The texts of candidates.
        distinct: The level at which two solutions count as the same.
        key: Returns what two solutions must share to count as the same: `isocost.metrics.diversity.distinct_key`.
    """
    pairs = (f"{problem}\0{key(text, distinct)}" for problem, text in zip(problems, texts, strict=True))
    # Texts of models may hold lone surrogates, which plain UTF-8 refuses.
    return hash_numbers(hashlib.sha256(pair.encode("utf-8", "surrogatepass")).digest() for pair in pairs)


def ways(problems: Iterable[str], texts: Iterable[str], key: Callable[[str, Level], str]) -> NDArray[np.uint64]:
    """Return a hash of 64 bits per solution, equal for solutions of a problem with the same equations, uint64[texts].

    Arguments are as in `solutions`. It only orders solutions, so a rare collision costs some diversity and nothing else.
    """
    return solutions(problems, texts, "equations", key)[:, 0]


def curate(draws: pl.DataFrame, found: pl.DataFrame, rules: Rules) -> Curated:
    """Choose a cell's training set from its draws. The result does not depend on the order of the draws.

    Of equal solutions, those of the lowest rank stay. Ranks are a seeded random order, so no model is favoured by its name or by when it
    was sampled. Of a problem with more than `per_problem` solutions, first one of each way (see `ways`) stays, then a second one of each,
    by rank. The set for a smaller `per_problem` is part of that for a larger one.

    Args:
        draws: The draws of the cell: columns `finish_reason` and `outcome`.
        found: The `candidates` among them, by these rules: columns `place` in the table of draws, `model`, `problem_id`, `sample_index` and
            `rank` (see `seeded_ranks`). If equal solutions count once, also `a` and `b`, the two halves of the hash of `solutions`. With
            `per_problem`, also `way`; with `sound_only`, also `sound`, null where the audit could not tell;
            with `labelled`, also `labelled`, null where people gave no verdict.
        rules: The rules.
    """
    lost = Counter(dict(draws.select(reason=_refused(correct_only=rules.correct_only)).group_by("reason").len().drop_nulls().iter_rows()))
    fit = found

    def keep(reason: str, left: pl.DataFrame) -> pl.DataFrame:
        lost[reason] += fit.height - left.height
        return left

    problem = pl.col("problem_id").cast(pl.String)
    if rules.contaminated:
        fit = keep("contaminated", fit.filter(~problem.is_in(list(rules.contaminated))))
    if rules.problems is not None:
        fit = keep("other_problem", fit.filter(problem.is_in(list(rules.problems))))
    if rules.labelled:
        fit = keep("labelled_unsound", fit.filter(pl.col("labelled").fill_null(value=True)))
    if rules.sound_only:
        sound = pl.coalesce("labelled", "sound") if rules.labelled else pl.col("sound")
        fit = keep("unsound", fit.filter(sound.fill_null(value=True)))
    # Without hashes, duplicates stay in.
    if "a" in fit.columns:
        fit = keep("duplicate", fit.filter(_is_first(*(fit[name].to_numpy() for name in ("a", "b", "rank")))))
    if rules.per_problem is not None:
        fit = keep("over_cap", fit.filter(_turn().rank("ordinal").over("problem_id") <= rules.per_problem))
    by_problem, by_model = (dict(fit.group_by(pl.col(name).cast(pl.String)).len().iter_rows()) for name in ("problem_id", "model"))
    # Sort as text: the categories of the columns are in the order of the study.
    kept = fit.select("place", pl.col("problem_id", "model").cast(pl.String), "sample_index").sort("problem_id", "model", "sample_index")
    funnel = (("drawn", draws.height), *((reason, lost[reason]) for reason in rules.reasons), ("kept", kept.height))
    return Curated(kept=kept["place"].to_numpy(), by_problem=by_problem, by_model=by_model, funnel=funnel)


def _turn() -> pl.Expr:
    """Return an expression that orders the solutions of a problem: the first ones of all ways by rank, then the second ones, and so on."""
    turn = pl.col("rank").rank("ordinal").over("problem_id", "way").cast(pl.UInt64)
    return turn * (1 << 32) + pl.col("rank").cast(pl.UInt64)  # ranks are below 2^32: a table of draws has no more rows


def _is_first(a: NDArray[np.uint64], b: NDArray[np.uint64], rank: NDArray[np.uint64]) -> pl.Series:
    """Return a mask of the solutions that have the lowest rank of those equal to them, bool[solutions]."""
    order = np.lexsort((rank, b, a))  # the last key sorts first
    a, b = a[order], b[order]
    first = np.zeros(order.size, dtype=np.bool_)
    # A slice, since there may be no solution at all.
    first[order[:1]] = True
    first[order[1:]] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return pl.Series(first)


def _refused(*, correct_only: bool) -> pl.Expr:
    """Return an expression for the reason to leave a draw out, null for a candidate; earlier reasons win."""
    finish, outcome = pl.col("finish_reason").cast(pl.String), pl.col("outcome").cast(pl.String)
    wrong = outcome.fill_null(str(Outcome.UNGRADED)) != Outcome.CORRECT
    return (
        pl.when(finish == "error")
        .then(pl.lit("error"))
        .when(wrong & correct_only)
        .then(outcome.fill_null(str(Outcome.UNGRADED)))
        # The answer may come before the end: such a text would teach the student to stop in the middle of a sentence.
        .when(finish == "length")
        .then(pl.lit("cut_off"))
    )

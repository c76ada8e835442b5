"""Build a cell's training set from its samples: the correct ones, without duplicates, up to a number per problem.

Solutions that reach the right answer by wrong steps stay in, as in the paper (arXiv 2408.16737); the stage `audit` counts them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isocost.errors import InputError
from isocost.metrics.diversity import Level
from isocost.records import Cell, Outcome, SamplingParams
from isocost.tables.coding import hash_numbers, hash_ranks

_REASONS = ("error", "ungraded", "no_answer", "incorrect", "cut_off", "duplicate", "over_cap")
_MEANING = {
    "drawn": "solutions drawn",
    "error": "the engine failed",
    "ungraded": "could not be graded",
    "no_answer": "states no answer",
    "incorrect": "wrong answer",
    "cut_off": "right answer, but the text ran into max_tokens",
    "duplicate": "the same solution of the same problem is already in",
    "over_cap": "the problem has its share",
    "kept": "in this data set",
}


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


def candidates(draws: pl.DataFrame) -> NDArray[np.bool_]:
    """Return a mask of the draws that may enter a training set, bool[draws]: correct, and not cut off.

    Args:
        draws: Columns `finish_reason` and `outcome`.
    """
    return (draws.select(reason=_refused())["reason"].is_null()).to_numpy()


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


def curate(draws: pl.DataFrame, found: pl.DataFrame, *, per_problem: int | None) -> Curated:
    """Choose a cell's training set from its draws. The result does not depend on the order of the draws.

    Of equal solutions, and of a problem with more than `per_problem` solutions, those of the lowest rank stay. Ranks are a seeded random
    order, so no model is favoured by its name or by when it was sampled. The set for a smaller `per_problem` is part of that for a larger
    one.

    Args:
        draws: The draws of the cell: columns `finish_reason` and `outcome`.
        found: The `candidates` among them: columns `place` in the table of draws, `model`, `problem_id`, `sample_index` and `rank` (see
            `seeded_ranks`). If equal solutions count once, also `a` and `b`, the two halves of the hash of `solutions`.
        per_problem: The largest number kept per problem; None for all.
    """
    lost = Counter(dict(draws.select(reason=_refused()).group_by("reason").len().drop_nulls().iter_rows()))
    fit = found
    # Without hashes, duplicates stay in.
    if "a" in found.columns:
        fit = fit.filter(_is_first(*(fit[name].to_numpy() for name in ("a", "b", "rank"))))
        lost["duplicate"] = found.height - fit.height
    if per_problem is not None:
        left = fit.filter(pl.col("rank").rank("ordinal").over("problem_id") <= per_problem)
        lost["over_cap"], fit = fit.height - left.height, left
    by_problem, by_model = (dict(fit.group_by(pl.col(name).cast(pl.String)).len().iter_rows()) for name in ("problem_id", "model"))
    # Sort as text: the categories of the columns are in the order of the study.
    kept = fit.select("place", pl.col("problem_id", "model").cast(pl.String), "sample_index").sort("problem_id", "model", "sample_index")
    funnel = (("drawn", draws.height), *((reason, lost[reason]) for reason in _REASONS), ("kept", kept.height))
    return Curated(kept=kept["place"].to_numpy(), by_problem=by_problem, by_model=by_model, funnel=funnel)


def _is_first(a: NDArray[np.uint64], b: NDArray[np.uint64], rank: NDArray[np.uint64]) -> pl.Series:
    """Return a mask of the solutions that have the lowest rank of those equal to them, bool[solutions]."""
    order = np.lexsort((rank, b, a))  # the last key sorts first
    a, b = a[order], b[order]
    first = np.zeros(order.size, dtype=np.bool_)
    # A slice, since there may be no solution at all.
    first[order[:1]] = True
    first[order[1:]] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return pl.Series(first)


def to_rows(
    kept: pl.DataFrame,
    texts: pl.Series,
    questions: Mapping[str, str],
    prompt: Callable[[str], str],
    *,
    reasoning: pl.Series | None = None,
    form: str | None = None,
) -> pl.DataFrame:
    """Return a part of a training set as TRL's prompt-completion rows: problem_id, prompt, completion, model, sample_id.

    If the draws have reasoning beside their texts, the rows have it too, as `reasoning`.

    Args:
        kept: Columns `problem_id`, `model` and `sample_id` of the draws.
        texts: The texts of these draws.
        questions: Questions by problem id.
        prompt: Puts a question the way the student will be asked; a line break at its end keeps prompt and completion apart as tokens.
        reasoning: Reasoning beside the texts, null where there is none; None where no draw of the run has any.
        form: Text with `{reasoning}` in it, put before the solutions that have reasoning; None leaves reasoning out of completions.

    Raises:
        InputError: `questions` lacks the problem of a kept solution.
    """
    problems = kept["problem_id"].cast(pl.String)
    unknown = sorted(set(problems.unique()) - questions.keys())
    if unknown:
        raise InputError(f"{len(unknown)} problems of the training set have no question, the first is {unknown[0]!r}")
    prompts = {problem: prompt(questions[problem]) for problem in problems.unique()}
    if reasoning is not None and form is not None:
        before, _, after = form.partition("{reasoning}")
        # Not `or`: an empty text is no reasoning either, and gets no empty form.
        texts = pl.Series([f"{before}{r}{after}{t}" if r else t for r, t in zip(reasoning, texts, strict=True)], dtype=pl.String)
    return pl.DataFrame(
        {
            "problem_id": problems,
            "prompt": pl.Series([prompts[problem] for problem in problems], dtype=pl.String),
            "completion": texts,
            "model": kept["model"].cast(pl.String),
            "sample_id": kept["sample_id"],
            **({} if reasoning is None else {"reasoning": reasoning}),
        }
    )


def card(
    curated: Curated,
    cell: Cell,
    *,
    study: str,
    problems: str,
    sampling: Mapping[str, SamplingParams],
    distinct: Level | None,
    per_problem: int | None,
    seed: int,
) -> str:
    """Return a data card in Markdown: the content and origin of the set, the sampling settings, what was left out, and the terms of use.

    Args:
        curated: The training set.
        cell: The cell whose data it is.
        study: The study's name.
        problems: The source of the questions, in words.
        sampling: The sampling settings of the cell's models, by model.
        distinct: As given to `curate`.
        per_problem: As given to `curate`.
        seed: As given to `seeded_ranks`.
    """
    n_kept, n_problems = curated.kept.size, len(curated.by_problem)
    duplicates = "duplicates stay in" if distinct is None else f"duplicates by `{distinct}` removed"
    cap = "no limit a problem" if per_problem is None else f"at most {per_problem} a problem"
    settings = [(model, curated.by_model.get(model, 0), *asdict(params).values()) for model, params in sampling.items()]
    parts = [
        f"# {study}: {cell.name}",
        f"{n_kept:,} sampled solutions of {n_problems:,} problems ({problems}), the training set of the cell `{cell.name}` of the study "
        f"`{study}`, made with isocost. Each reaches the reference answer; its reasoning was not checked, so some of it may be wrong.",
        "## Rows",
        "`problem_id`, `prompt`, `completion`, `model`, `sample_id`: prompt-completion rows as TRL reads them. "
        f"Chosen with seed {seed}: {duplicates}, {cap}.",
        "## Models",
        _table(("model", "solutions", *(field.replace("_", " ") for field in SamplingParams.__dataclass_fields__)), settings),
        "## From drawn to kept",
        _table(("", "solutions", "meaning"), [(what.replace("_", " "), count, _MEANING[what]) for what, count in curated.funnel]),
        "## Terms",
        "The questions are under the terms of their source. The solutions were written by the models above: the terms of those models "
        "decide what may be trained on them.",
    ]
    return "\n\n".join(parts) + "\n"


def _refused() -> pl.Expr:
    """Return an expression for the reason to leave a draw out, null for a candidate; earlier reasons win."""
    finish, outcome = pl.col("finish_reason").cast(pl.String), pl.col("outcome").cast(pl.String)
    return (
        pl.when(finish == "error")
        .then(pl.lit("error"))
        .when(outcome.is_null())
        .then(pl.lit(str(Outcome.UNGRADED)))
        .when(outcome != Outcome.CORRECT)
        .then(outcome)
        # The answer may come before the end: such a text would teach the student to stop in the middle of a sentence.
        .when(finish == "length")
        .then(pl.lit("cut_off"))
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    if value is None:  # a sampling setting that was left to the endpoint
        return "not sent"
    if isinstance(value, tuple):
        return ", ".join(f"`{item!r}`" for item in value) or "none"
    # A bar would end the cell of the Markdown table.
    return str(value).replace("|", "\\|")

"""Makes a cell's training set from its samples: the correct ones, without duplicates, at most so many a problem.

Solutions that reach the right answer by wrong steps stay in, as in the paper (arXiv 2408.16737); audits count them elsewhere.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from isocost.errors import InputError
from isocost.metrics.diversity import Level
from isocost.records import Cell, Outcome, Sample, SamplingParams, Verdict

_LOST = ("error", "ungraded", "no_answer", "incorrect", "cut_off", "duplicate", "over_cap")
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
    """A training set and what became of every draw.

    Attributes:
        samples: Kept, ordered by problem, model, pool and index.
        funnel: (what, how many): `drawn`, then each reason for leaving a sample out, then `kept`. A sample counts for the first reason
            that applies, so drawn less all reasons is kept.
    """

    samples: tuple[Sample, ...]
    funnel: tuple[tuple[str, int], ...]


def curate(
    samples: Iterable[Sample],
    verdicts: Mapping[str, Verdict],
    *,
    distinct: Level | None,
    per_problem: int | None,
    seed: int,
    key: Callable[[str, Level], str],
) -> Curated:
    """Choose what goes into a training set. The result does not depend on the order of `samples`.

    Where several solutions are the same, or a problem has more than its share, those stay whose hash of (seed, sample id) is least: a
    seeded random choice, so that no model is favoured by its name or by when it was asked, and a smaller share is part of a larger one.

    Args:
        samples: The cell's draws; a sample that stands twice (same id) is one draw.
        verdicts: By sample id; a sample without one is ungraded.
        distinct: What makes two solutions of a problem the same; None keeps duplicates.
        per_problem: The largest number kept of one problem; None for all.
        seed: Of the choice.
        key: What two solutions must share to count as one: `isocost.metrics.diversity.distinct_key`.
    """
    draws = {sample.id: sample for sample in samples}
    kept: list[Sample] = []
    lost: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    share: Counter[str] = Counter()
    for sample in sorted(draws.values(), key=lambda s: _lot(seed, s.id)):
        reason = _refused(sample, verdicts.get(sample.id))
        if reason is None and distinct is not None:
            solution = (sample.problem_id, key(sample.generation, distinct))
            reason = "duplicate" if solution in seen else None
            seen.add(solution)
        if reason is None and share[sample.problem_id] == per_problem:
            reason = "over_cap"
        if reason is None:
            share[sample.problem_id] += 1
            kept.append(sample)
        else:
            lost[reason] += 1
    kept.sort(key=lambda s: (s.problem_id, s.model, s.pool, s.sample_index, s.id))
    funnel = (("drawn", len(draws)), *((reason, lost[reason]) for reason in _LOST), ("kept", len(kept)))
    return Curated(samples=tuple(kept), funnel=funnel)


def to_rows(curated: Curated, questions: Mapping[str, str], prompt: Callable[[str], str]) -> list[dict[str, str]]:
    """The training set as TRL's prompt-completion rows: problem_id, prompt, completion, model, sample_id.

    Args:
        curated: The training set.
        questions: By problem id.
        prompt: Puts a question the way the student will be asked; a line break at its end keeps prompt and completion apart as tokens.

    Raises:
        InputError: a kept solution is of a problem that `questions` lacks.
    """
    unknown = sorted({s.problem_id for s in curated.samples} - questions.keys())
    if unknown:
        raise InputError(f"{len(unknown)} problems of the training set have no question, the first is {unknown[0]!r}")
    return [
        {
            "problem_id": s.problem_id,
            "prompt": prompt(questions[s.problem_id]),
            "completion": s.generation,
            "model": s.model,
            "sample_id": s.id,
        }
        for s in curated.samples
    ]


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
    """A data card in Markdown: what the set is, who wrote it and how, what was left out, whose terms hold.

    Args:
        curated: The training set.
        cell: The cell whose data it is.
        study: The study's name.
        problems: Where the questions come from, in words.
        sampling: How each of the cell's models was sampled, by model.
        distinct: As given to `curate`.
        per_problem: As given to `curate`.
        seed: As given to `curate`.
    """
    n_kept = len(curated.samples)
    n_problems = len({s.problem_id for s in curated.samples})
    by_model = Counter(s.model for s in curated.samples)
    duplicates = "duplicates stay in" if distinct is None else f"duplicates by `{distinct}` removed"
    cap = "no limit a problem" if per_problem is None else f"at most {per_problem} a problem"
    settings = [(model, by_model[model], *asdict(params).values()) for model, params in sampling.items()]
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


def _lot(seed: int, sample_id: str) -> bytes:
    return hashlib.sha256(f"{seed}/{sample_id}".encode()).digest()


def _refused(sample: Sample, verdict: Verdict | None) -> str | None:
    if sample.finish_reason == "error":
        return "error"
    if verdict is None:
        return "ungraded"
    if verdict.outcome is not Outcome.CORRECT:
        return str(verdict.outcome)
    # The answer may come before the end: such a text would teach the student to stop in the middle of a sentence.
    return "cut_off" if sample.finish_reason == "length" else None


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"`{item!r}`" for item in value) or "none"
    return str(value).replace("|", "\\|")

"""Turn what a study says of training sets into the rules of each cell: near-duplicates, subsets of problems, verdicts of a judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isocost import curating
from isocost.curating import NearDuplicate, Rules
from isocost.events import Listener
from isocost.executors.base import Executor
from isocost.judging.reasoning import Judge, judge_prompt
from isocost.preparing.prepare import Prepared
from isocost.results.drawtable import PART, DrawTable
from isocost.results.trainsets import Asked
from isocost.sampling.data import SamplingOutcome
from isocost.store import RunDirectory


def near_duplicates(prepared: Prepared) -> tuple[NearDuplicate, ...]:
    """Return the training problems that nearly repeat a problem of the sets of `curate.decontaminate`."""
    rules = prepared.study.curate
    questions = {problem.id: problem.question for problem in prepared.problems["train"]}
    return curating.near_duplicates(questions, prepared.held_out, n=rules.ngram, threshold=rules.overlap)


def rules_of(prepared: Prepared, arm: str, near: Sequence[NearDuplicate]) -> Rules:
    """Return the rules of an arm's training sets."""
    own = prepared.study.curate_of(arm)
    problems = prepared.problems["train"]
    return Rules(
        per_problem=own.per_problem,
        correct_only=own.filter == "correct",
        sound_only=own.audit is not None,
        # As many as there are or more is no subset.
        problems=None if own.problems is None or own.problems >= len(problems) else frozenset(p.id for p in problems[: own.problems]),
        contaminated=frozenset(each.problem_id for each in near),
    )


def asked_of(prepared: Prepared) -> Asked:
    """Return what the rules of all arms need to know of the texts."""
    study = prepared.study
    each = [study.curate_of(arm) for arm in study.arms]
    return Asked(
        distinct=study.curate.distinct,
        correct_only=all(own.filter == "correct" for own in each),
        ways=any(own.per_problem is not None for own in each),
        steps=any(own.audit == "steps" for own in each),
        reasoning=study.compared_reasoning,
    )


def judged(
    prepared: Prepared, directory: RunDirectory, executor: Executor, bought: SamplingOutcome, table: DrawTable, listener: Listener
) -> dict[str, bool | None] | None:
    """Return the judge's verdicts on the correct solutions of arms whose `curate.audit` is `judge`; None if there is no such arm.

    Verdicts that the audit or an earlier start paid for are not paid again.

    Raises:
        LimitReachedError: The limit leaves no room for the judge; its replies so far are stored.
        EngineError: The judge cannot be called.
    """
    masks = [drawn for cell, drawn in table.cells.items() if prepared.study.curate_of(cell.arm).audit == "judge"]
    if not masks:
        return None
    wanted = np.logical_or.reduce(masks) & curating.candidates(table.draws.select("finish_reason", "outcome"))
    problems = {problem.id: problem for problem in bought.problems}
    prompts: dict[str, str] = {}
    for places in np.split(np.flatnonzero(wanted), range(PART, int(wanted.sum()), PART)):
        names = table.draws["problem_id"].gather(places).cast(str)
        for key, name, text in zip(table.sample_ids(places), names, table.texts_of(places), strict=True):
            prompts[key] = judge_prompt(problems[name], text)
    verdicts = Judge(prepared, directory, executor).judge(prompts, bought.ledger, listener)
    return {key: verdict.sound for key, verdict in verdicts.items()}

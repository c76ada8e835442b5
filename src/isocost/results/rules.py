"""Turn what a study says of training sets into the rules of each cell: near-duplicates, subsets of problems, verdicts, labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from isocost import curating
from isocost.auditing.labels import Verdicts
from isocost.config import Curate
from isocost.curating import NearDuplicate, Rules
from isocost.events import Listener, Note
from isocost.executors.base import Executor
from isocost.judging.reasoning import Judge, judge_prompt
from isocost.preparing.prepare import Prepared
from isocost.results.audits import ID, read_verdicts
from isocost.results.drawtable import PART, DrawTable
from isocost.results.trainsets import Asked
from isocost.sampling.data import SamplingOutcome
from isocost.store import RunDirectory

LABELS = "labels"


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
        sound_only=bool(machines_of(own)),
        labelled=LABELS in (own.audit or ()),
        # As many as there are or more is no subset.
        problems=None if own.problems is None or own.problems >= len(problems) else frozenset(p.id for p in problems[: own.problems]),
        contaminated=frozenset(each.problem_id for each in near),
    )


def machines_of(curate: Curate) -> list[str]:
    """Return the auditors other than people whose verdicts leave solutions out."""
    return [name for name in curate.audit or () if name != LABELS]


def asked_of(prepared: Prepared) -> Asked:
    """Return what the rules of all arms need to know of the texts."""
    study = prepared.study
    each = [study.curate_of(arm) for arm in study.arms]
    return Asked(
        distinct=study.curate.distinct,
        correct_only=all(own.filter == "correct" for own in each),
        ways=any(own.per_problem is not None for own in each),
        steps=any("steps" in machines_of(own) for own in each),
        reasoning=study.compared_reasoning,
    )


def judged(
    prepared: Prepared, directory: RunDirectory, executor: Executor, bought: SamplingOutcome, table: DrawTable, listener: Listener
) -> dict[str, bool | None] | None:
    """Return the judge's verdicts on the correct solutions of arms whose `curate.audit` names the `judge`; None if there is no such arm.

    Verdicts that the audit or an earlier start paid for are not paid again.

    Raises:
        LimitReachedError: The limit leaves no room for the judge; its replies so far are stored.
        EngineError: The judge cannot be called.
    """
    masks = [drawn for cell, drawn in table.cells.items() if "judge" in machines_of(prepared.study.curate_of(cell.arm))]
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


def labelled(prepared: Prepared, directory: RunDirectory, table: DrawTable, listener: Listener) -> dict[str, bool] | None:
    """Return people's verdicts by sample id; None if no arm's `curate.audit` names `labels`.

    A verdict holds for every draw of the problem with the same text, else a copy would take the place of the solution that is left out.
    Where verdicts on equal texts differ there is none.

    Raises:
        StorageError: a line of the labels is damaged.
    """
    arms = [arm for arm in prepared.study.arms if LABELS in (prepared.study.curate_of(arm).audit or ())]
    if not arms:
        return None
    verdicts = read_verdicts(directory, table)
    by_text = _by_text(table, verdicts.sound)
    listener(Note(text=_describe(verdicts, arms)))
    wanted = np.isin(table.problem, [problem for problem, _ in by_text])
    found = {}
    for places, texts in table.texts(wanted):
        for problem, key, text in zip(table.problem[places], table.sample_ids(places), texts, strict=True):
            sound = by_text.get((int(problem), text), set())
            if len(sound) == 1:
                found[key] = next(iter(sound))
    return found


def _by_text(table: DrawTable, sound: Mapping[str, bool]) -> dict[tuple[int, str], set[bool]]:
    """Return the verdicts on each labelled text of each problem, by the problem's place in the study and the text."""
    labelled = table.draws["id"].is_in([int(key, 16) for key in sound if ID.fullmatch(key)])
    found: dict[tuple[int, str], set[bool]] = defaultdict(set)
    for places, texts in table.texts(labelled.to_numpy()):
        for problem, key, text in zip(table.problem[places], table.sample_ids(places), texts, strict=True):
            found[int(problem), text].add(sound[key])
    return found


def _describe(verdicts: Verdicts, arms: Sequence[str]) -> str:
    """Format the labels that training sets follow, such as `labels of people: 3 unsound, 9 sound`."""
    sound = list(verdicts.sound.values())
    undecided = len(verdicts.disagreed) + len(verdicts.unsure)
    if not sound and not undecided:
        return f"training sets of {', '.join(arms)}: nobody has labelled a solution of this run yet; label with `isocost view`"
    left = f", {undecided:,} undecided, which stay" if undecided else ""
    return f"training sets of {', '.join(arms)} follow people's labels: {sound.count(False):,} unsound, {sound.count(True):,} sound{left}"

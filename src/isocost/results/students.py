"""Summarise evaluations of students: estimates, comparisons, and their part of measures.json."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

from isocost import evaluating
from isocost.evaluating import FALSE_POSITIVES, GREEDY, STOPPED, TOKENS, Outcomes
from isocost.preparing.prepare import Prepared
from isocost.records import ALL_STUDENTS, Cell, Comparison, Estimate, Evaluation, Results, Setup
from isocost.students.evaluate import PLAIN, Evaluated

Variant = tuple[str, Cell | None, str]  # student, data, prompt
Seeds = Mapping[tuple[Variant, str, str], Sequence[Outcomes]]  # by variant, split and metric

_LEVEL = 0.95  # of every interval
_NOT_COMPARED = (TOKENS, STOPPED)  # described, and no sign of a better model


def by_variant(evaluated: Sequence[Evaluated]) -> Seeds:
    """Return outcomes by variant, split and metric, one for each training seed."""
    seeds: dict[tuple[Variant, str, str], list[Outcomes]] = {}
    for e in evaluated:
        for metric, outcomes in e.outcomes.items():
            seeds.setdefault(((e.student, e.cell, e.prompt), e.split, metric), []).append(outcomes)
    return seeds


def evaluations(prepared: Prepared, seeds: Seeds) -> Iterator[Evaluation]:
    """Yield the mean of every metric over problems and seeds. A metric that no problem defines is left out, other than pass@1."""
    for ((student, cell, prompt), split, metric), each in seeds.items():
        estimate = evaluating.estimate_seeds(each)
        if estimate.n or metric not in (TOKENS, STOPPED, FALSE_POSITIVES):
            yield Evaluation(
                student=student,
                cell=cell.name if cell else None,
                prompt=prompt,
                split=split,
                metric=metric,
                estimate=estimate,
                setup=setup_of(prepared, student, cell),
            )


def comparisons(prepared: Prepared, seeds: Seeds) -> Iterator[Comparison]:
    """Compare every pair of cells with one budget, number-matched ones with all, and each with the better untrained prompt.

    What all students of the study were compared on follows as the mean over them: one difference, where as many as there are students
    would find one by chance too often. A comparison that a failed training leaves incomplete has no mean.
    """
    groups: dict[tuple[str, str, str], dict[tuple[Cell | None, str], Sequence[Outcomes]]] = {}
    for ((student, cell, prompt), split, metric), each in seeds.items():
        if metric not in _NOT_COMPARED:
            groups.setdefault((student, split, metric), {})[cell, prompt] = each
    compared: dict[tuple[str, str, Cell, Cell | None], list[_Sides]] = {}
    for (student, split, metric), variants in groups.items():
        trained = [cell for cell, _ in variants if cell is not None]
        pairs: list[tuple[Cell, Cell | None, str]] = [
            (a, b, PLAIN) for a, b in itertools.combinations(trained, 2) if a.budget == b.budget or None in (a.budget, b.budget)
        ]
        best = better_prompt(seeds, student, split)
        if (None, best) in variants:
            pairs += [(cell, None, best) for cell in trained]
        for left, right, prompt in pairs:
            found = evaluating.compare(
                variants[left, PLAIN],
                variants[right, prompt],
                student=student,
                split=split,
                metric=metric,
                left_cell=left.name,
                right_cell=right.name if right else None,
                setup=setup_of(prepared, student, left),
                right_prompt=None if right else prompt,
            )
            if found.difference.n or metric != FALSE_POSITIVES:
                yield replace(found, selected_on=_is_selected_on(prepared, split))
            if metric != FALSE_POSITIVES:  # few problems have one for every student
                sides = _Sides(left=variants[left, PLAIN], right=variants[right, prompt], prompt=found.right_prompt)
                compared.setdefault((split, metric, left, right), []).append(sides)
    students = {student for student, _, _ in groups}
    for (split, metric, left, right), together in compared.items():
        if len(together) == len(students) > 1 and len({(len(sides.left), len(sides.right)) for sides in together}) == 1:
            prompts = {sides.prompt for sides in together}
            mean = evaluating.compare(
                _mean_student([sides.left for sides in together]),
                _mean_student([sides.right for sides in together]),
                student=ALL_STUDENTS,
                split=split,
                metric=metric,
                left_cell=left.name,
                right_cell=right.name if right else None,
                setup=None,
                right_prompt=prompts.pop() if len(prompts) == 1 else None,
            )
            yield replace(mean, selected_on=_is_selected_on(prepared, split))


def _is_selected_on(prepared: Prepared, split: str) -> bool:
    """Return True if checkpoints or learning rates of trained students were chosen by their score on a split."""
    spec = prepared.study.finetune
    return spec is not None and split == "validation" and spec.checkpoints * len(spec.learning_rates) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The sides of one student's comparison: outcomes by training seed, and the prompt of an untrained right side."""

    left: Sequence[Outcomes]
    right: Sequence[Outcomes]
    prompt: str | None


def _mean_student(students: Sequence[Sequence[Outcomes]]) -> list[Outcomes]:
    """Return the mean score of each problem over students, by training seed: seeds of students have nothing in common but their place."""
    return [evaluating.average(seed) for seed in zip(*students, strict=True)]


def better_prompt(seeds: Seeds, student: str, split: str) -> str:
    """Return the prompt with which the untrained student solves more validation problems, of equal ones the first.

    It is the stricter baseline: training has to beat what a prompt alone achieves. It is chosen on validation, since a choice on the split
    at hand would favour the untrained student. A study without graded validation answers has no other place, and takes that split.
    Prompts are compared on the problems that are graded with each of them, where there are any: a long prompt may not fit beside the
    longest questions, and the others are easier.
    """
    for chosen_on in ("validation", split):
        scores = {
            prompt: {outcome.problem_id: outcome.score for outcome in evaluating.average(each) if outcome.score is not None}
            for ((name, cell, prompt), own, metric), each in seeds.items()
            if (name, cell, own, metric) == (student, None, chosen_on, GREEDY)
        }
        graded = {prompt: found for prompt, found in scores.items() if found}
        if graded:
            common = set.intersection(*map(set, graded.values()))
            return max(graded, key=lambda prompt: fmean(graded[prompt][each] for each in common or graded[prompt]))
    return PLAIN


def setup_of(prepared: Prepared, student: str, cell: Cell | None) -> Setup | None:
    """Return the set-up of a training in the paper's terms; None for the untrained student.

    Models are compared by FLOPs per token or, if those of one are unknown and all have prices, by the price of output.
    """
    if cell is None:
        return None
    cards = prepared.cards.values()
    costs = {card.name: card.flops_per_token for card in cards}
    if None in costs.values() and all(card.usd_per_million for card in cards):
        # FLOPs cannot rank a model of unknown size; prices can if every model has one.
        costs = {card.name: (card.usd_per_million or {}).get("output") for card in cards}
    models = prepared.study.models
    # Data of a model that was trained from the student is the student's own.
    origins = [models[name].trained_from or name for name in prepared.study.arms[cell.arm].models]
    return evaluating.name_setup(student, origins, costs)


def students_json(results: Results) -> dict[str, object]:
    """Return the keys `students`, `comparisons` and `failed` of measures.json; what a study does not have has no key.

    Differences are in points, hundredths of a problem's score.
    """
    students = [
        {
            "student": each.student,
            "cell": each.cell,
            "setup": each.setup,
            "prompt": each.prompt,
            "split": each.split,
            "metric": each.metric,
            "value": scaled_json(each.estimate),
        }
        for each in results.evaluations
    ]
    compared = [
        {
            "student": each.student,
            "left": each.left,
            "right": each.right,
            "right_prompt": each.right_prompt,
            "split": each.split,
            "metric": each.metric,
            "setup": each.setup,
            "difference": scaled_json(each.difference, scale=100),
            "detectable": 100 * each.detectable,
            "seeds": each.seeds,
            **({"selected_on": True} if each.selected_on else {}),
        }
        for each in results.comparisons
    ]
    found = {"students": students, "comparisons": compared, "failed": [asdict(each) for each in results.failed_trainings]}
    return {key: value for key, value in found.items() if value}


def scaled_json(estimate: Estimate, scale: float = 1) -> dict[str, object]:
    """Return an estimate as measures.json has it, times a factor: 100 makes points of a difference of shares."""
    ends = {name: None if (end := getattr(estimate, name)) is None else scale * end for name in ("value", "low", "high")}
    return {**ends, "n": estimate.n, "n_ungraded": estimate.n_ungraded, "level": _LEVEL}

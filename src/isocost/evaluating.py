"""Compute evaluations: one greedy answer per problem, votes among sampled answers, and paired comparisons of models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from isocost.engines.base import Generation, Request
from isocost.errors import InputError
from isocost.metrics.intervals import detectable_difference, mean_interval, paired_difference, proportion
from isocost.records import Comparison, Estimate, Outcome, Problem, SamplingParams, Setup, Verdict

GREEDY = "pass@1"

# Answer and Grade return one result per item of their first argument, in order.
Answer = Callable[[Sequence[Request], SamplingParams], Sequence[Sequence[Generation]]]
Grade = Callable[[Sequence[tuple[str, str]]], Sequence[Verdict]]
Majority = Callable[[Sequence[tuple[str | None, bool]], int], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemOutcome:
    """The outcome of a model on one problem; a line of the stored evaluation.

    Attributes:
        problem_id: The problem.
        score: 1.0 for solved, 0.0 for unsolved, None for ungraded. For maj@k, the probability that the vote of k draws is right.
        predicted_answer: The answer of the greedy solution; None for a vote, or where none was found.
    """

    problem_id: str
    score: float | None
    predicted_answer: str | None

    @property
    def correct(self) -> bool | None:
        """True or False where that is certain; None where the problem is ungraded or the vote can go either way."""
        return {1.0: True, 0.0: False}.get(self.score) if self.score is not None else None


Outcomes = tuple[ProblemOutcome, ...]


def evaluate(
    problems: Sequence[Problem],
    prompt: Callable[[str], str],
    answer: Answer,
    grade: Grade,
    *,
    params: SamplingParams,
    maj_at: Sequence[int],
    majority: Majority,
) -> dict[str, Outcomes]:
    """Ask a model every problem and grade its answers; return outcomes by metric, in the order of `problems`.

    `pass@1` is one greedy answer per problem. `maj@k` is the probability that the most frequent answer among k draws is right, over the
    subsets of the max(maj_at) draws taken at `params`. An answer that is ungraded, or that the engine failed to give, counts as a draw and
    does not vote. A problem without a graded answer is ungraded. Nothing is sampled if `maj_at` is empty.

    Args:
        problems: The problems of the split.
        prompt: Turns a question into the prompt.
        answer: Answers requests at a sampling setting, in order; it forms batches and seeds them.
        grade: Grades (reference, generation) pairs, in order.
        params: The sampling settings of the votes; the greedy answer has temperature 0 and no top_p or top_k instead.
        maj_at: The k of maj@k.
        majority: Computes maj@k of one problem from its (answer, correct) draws: `isocost.metrics.majority.majority_at_k`'s value.
    """
    greedy = replace(params, temperature=0.0, top_p=1.0, top_k=0)
    first = [draws[0] for draws in _answer_and_grade(problems, prompt, answer, grade, greedy, 1)]
    outcomes: dict[str, Outcomes] = {GREEDY: tuple(_outcome(p, verdict) for p, verdict in zip(problems, first, strict=True))}
    if not maj_at:
        return outcomes
    drawn = _answer_and_grade(problems, prompt, answer, grade, params, max(maj_at))
    votes = [[_vote(verdict) for verdict in verdicts] for verdicts in drawn]
    graded = [any(v.correct is not None for v in verdicts) for verdicts in drawn]
    for k in maj_at:
        scores = [majority(draws, k) if known else None for draws, known in zip(votes, graded, strict=True)]
        outcomes[f"maj@{k}"] = tuple(
            ProblemOutcome(problem_id=p.id, score=score, predicted_answer=None) for p, score in zip(problems, scores, strict=True)
        )
    return outcomes


def estimate(outcomes: Iterable[ProblemOutcome]) -> Estimate:
    """Return the share of problems solved, with its interval over problems; ungraded ones are left out and counted."""
    scores = [outcome.score for outcome in outcomes]
    graded = [score for score in scores if score is not None]
    # Scores of 0 and 1 have an exact interval; averages over seeds and votes do not.
    whole = all(score in (0.0, 1.0) for score in graded)
    found = proportion(int(sum(graded)), len(graded)) if whole else mean_interval(graded)
    return replace(found, n_ungraded=len(scores) - len(graded))


def compare(
    left: Iterable[ProblemOutcome],
    right: Iterable[ProblemOutcome],
    *,
    student: str,
    split: str,
    metric: str,
    left_cell: str | None,
    right_cell: str | None,
    setup: Setup | None,
) -> Comparison:
    """Compare two evaluations problem by problem: left minus right, over the problems that are graded in both.

    Pairing removes the difficulty that both models share, so far fewer problems are needed than for two separate shares (Miller 2024,
    arXiv 2411.00640).

    Args:
        left: Outcomes of one model.
        right: Outcomes of the other, in any order.
        student: The student, as in `Comparison`.
        split: The problem set.
        metric: The metric that is compared.
        left_cell: The data that left was trained on.
        right_cell: The data that right was trained on.
        setup: The set-up of left in the paper's terms.

    Raises:
        InputError: the two were evaluated on different problems.
    """
    ours, theirs = ({outcome.problem_id: outcome.score for outcome in side} for side in (left, right))
    if ours.keys() != theirs.keys():
        example = min(ours.keys() ^ theirs.keys())
        raise InputError(f"{student} on {split}: the evaluations to compare hold different problems, {example!r} is in one only")
    # paired_difference leaves out the pairs with a nan.
    a, b = ([_or_nan(side[problem]) for problem in ours] for side in (ours, theirs))
    difference = paired_difference(a, b)
    return Comparison(
        student=student,
        split=split,
        metric=metric,
        left=left_cell,
        right=right_cell,
        difference=replace(difference, n_ungraded=len(ours) - difference.n),
        detectable=detectable_difference(a, b),
        setup=setup,
    )


def name_setup(student: str, generators: Sequence[str], cost_per_token: Mapping[str, float | None]) -> Setup:
    """Return the paper's name for training `student` on data of `generators`.

    - self-improvement: the data is the student's own.
    - weak-to-strong improvement: the student is more expensive than every generator.
    - mixed: several generators otherwise.
    - distillation: one generator otherwise, also where a cost is unknown: then nothing shows that the student is the more expensive model.

    Args:
        student: The model that is trained.
        generators: The models whose solutions are in the data.
        cost_per_token: Costs by model, in one unit; None or absent for unknown.

    Raises:
        InputError: `generators` is empty.
    """
    sources = set(generators)
    if not sources:
        raise InputError(f"{student} cannot be trained: its data comes from no model")
    if sources == {student}:
        return "self-improvement"
    own = cost_per_token.get(student)
    costs = [cost_per_token.get(name) for name in sources]
    # An unknown cost never makes the student the more expensive model.
    known = [cost for cost in costs if cost is not None]
    if own is not None and len(known) == len(costs) and own > max(known):
        return "weak-to-strong improvement"
    return "mixed" if len(sources) > 1 else "distillation"


def to_lines(outcomes: Iterable[ProblemOutcome]) -> Iterator[str]:
    """Yield outcomes as JSON lines: problem_id, score, predicted_answer and, for readers, correct (true, false or null)."""
    for outcome in outcomes:
        yield json.dumps({**asdict(outcome), "correct": outcome.correct}, ensure_ascii=False) + "\n"


def _answer_and_grade(
    problems: Sequence[Problem], prompt: Callable[[str], str], answer: Answer, grade: Grade, params: SamplingParams, count: int
) -> list[list[Verdict]]:
    """Return the verdicts on `count` answers to each problem."""
    requests = [Request(problem_id=p.id, prompt=prompt(p.question), first_index=0, count=count) for p in problems]
    answers = answer(requests, params)
    pairs = [(p.answer, generation.text) for p, generations in zip(problems, answers, strict=True) for generation in generations]
    verdicts = iter(grade(pairs))
    return [[_unless_failed(generation, next(verdicts)) for generation in generations] for generations in answers]


def _vote(verdict: Verdict) -> tuple[str | None, bool]:
    # An answer of None does not vote, but keeps its place among the draws.
    return (None, False) if verdict.correct is None else (verdict.predicted_answer, verdict.correct)


def _unless_failed(generation: Generation, verdict: Verdict) -> Verdict:
    # The empty text of a failed request would be graded as a wrong answer.
    if generation.finish_reason != "error":
        return verdict
    return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="engine_error")


def _outcome(problem: Problem, verdict: Verdict) -> ProblemOutcome:
    score = None if verdict.correct is None else float(verdict.correct)
    return ProblemOutcome(problem_id=problem.id, score=score, predicted_answer=verdict.predicted_answer)


def _or_nan(score: float | None) -> float:
    return math.nan if score is None else score

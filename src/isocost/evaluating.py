"""Compute evaluations: one greedy answer per problem, votes and coverage of sampled answers, and paired comparisons of models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from isocost.engines.base import Generation, Request
from isocost.equations import audit_steps
from isocost.errors import InputError
from isocost.metrics.coverage import coverage_at_k
from isocost.metrics.intervals import (
    count_interval,
    detectable_difference,
    mean_interval,
    proportion,
    seeded_difference,
    seeded_mean,
    unpaired_seeds_difference,
)
from isocost.records import Comparison, Estimate, Outcome, Pair, Problem, SamplingParams, Setup, Verdict

GREEDY = "pass@1"
TOKENS, STOPPED, FALSE_POSITIVES = "response_tokens", "stopped", "false_positives"  # of the greedy answers

_CORRECT = "\0"  # the vote of every correct answer; no answer has this text

# Answer and Grade return one result per item of their first argument, in order.
Answer = Callable[[Sequence[Request], SamplingParams], Sequence[Sequence[Generation]]]
Grade = Callable[[Sequence[Pair]], Sequence[Verdict]]
Majority = Callable[[Sequence[tuple[str | None, bool]], int], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemOutcome:
    """The outcome of a model on one problem; a line of the stored evaluation.

    Attributes:
        problem_id: The problem.
        score: 1.0 for solved, 0.0 for unsolved, None for ungraded. For maj@k, the probability that the vote of k draws is right; for
            pass@k, that one of k draws is. For other metrics their value, None where it is not defined.
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
    pass_at: Sequence[int] = (),
) -> dict[str, Outcomes]:
    """Ask a model every problem and grade its answers; return outcomes by metric, in the order of `problems`.

    Of one greedy answer per problem: `pass@1`, solved or not; `response_tokens`, its tokens; `stopped`, 1.0 if the model ended it itself or
    by a stop string; `false_positives`, of a right answer 1.0 if an equation in it is false, 0.0 if all hold, None if there is none.

    Of the draws taken at `params`, as many as the largest k: `maj@k`, the probability that the most frequent answer among k draws is right,
    and `pass@k`, that at least one of them is (Chen et al. 2021, arXiv 2107.03374), both over the subsets of the draws. For k = 1 it is
    named `pass@1[avg-of-n]`, n the number of draws. An answer that is ungraded, or that the engine failed to give, does not vote; for maj@k
    it counts as a draw, for pass@k it does not, and pass@k of fewer than k graded draws is undefined. A problem without a graded answer is
    ungraded. Nothing is sampled without a k.

    Args:
        problems: The problems of the split.
        prompt: Turns a question into the prompt.
        answer: Answers requests at a sampling setting, in order; it forms batches and seeds them.
        grade: Grades solutions, in order.
        params: The sampling settings of the draws; the greedy answer has temperature 0 and no top_p or top_k instead.
        maj_at: The k of maj@k.
        majority: Computes maj@k of one problem from its (answer, correct) draws: `isocost.metrics.majority.majority_at_k`'s value.
        pass_at: The k of pass@k.
    """
    greedy = replace(params, temperature=0.0, top_p=1.0, top_k=0)
    first = [draws[0] for draws in _answer_and_grade(problems, prompt, answer, grade, greedy, 1)]
    outcomes = _greedy(problems, first)
    if not maj_at and not pass_at:
        return outcomes
    draws_each = max((*maj_at, *pass_at))
    drawn = _answer_and_grade(problems, prompt, answer, grade, params, draws_each)
    verdicts = [[verdict for _, verdict in draws] for draws in drawn]
    votes = [[_vote(verdict) for verdict in each] for each in verdicts]
    graded = [sum(v.correct is not None for v in each) for each in verdicts]
    for k in maj_at:
        scores = [majority(draws, k) if known else None for draws, known in zip(votes, graded, strict=True)]
        outcomes[f"maj@{k}"] = _scored(problems, scores)
    correct = [sum(v.correct is True for v in each) for each in verdicts]
    for k in pass_at:
        chances = coverage_at_k(graded, correct, k).tolist()
        outcomes[f"pass@{k}" if k > 1 else f"{GREEDY}[avg-of-{draws_each}]"] = _scored(
            problems, [None if math.isnan(c) else c for c in chances]
        )
    return outcomes


def _greedy(problems: Sequence[Problem], first: Sequence[tuple[Generation, Verdict]]) -> dict[str, Outcomes]:
    """Return the metrics of greedy answers. An answer that the engine failed to give has none."""
    came = [None if generation.finish_reason == "error" else generation for generation, _ in first]
    return {
        GREEDY: tuple(_outcome(p, verdict) for p, (_, verdict) in zip(problems, first, strict=True)),
        TOKENS: _scored(problems, [None if g is None else float(g.num_generated_tokens) for g in came]),
        STOPPED: _scored(problems, [None if g is None else float(g.finish_reason == "stop") for g in came]),
        FALSE_POSITIVES: _scored(problems, [_false_positive(g, v) for g, v in first]),
    }


def _false_positive(generation: Generation, verdict: Verdict) -> float | None:
    sound = audit_steps(generation.text)[0] if verdict.correct else None
    return None if sound is None else float(not sound)


def _scored(problems: Sequence[Problem], scores: Sequence[float | None]) -> Outcomes:
    return tuple(ProblemOutcome(problem_id=p.id, score=score, predicted_answer=None) for p, score in zip(problems, scores, strict=True))


def estimate(outcomes: Iterable[ProblemOutcome]) -> Estimate:
    """Return the mean score over problems, with its interval; ungraded problems are left out and counted."""
    scores = [outcome.score for outcome in outcomes]
    graded = [score for score in scores if score is not None]
    # Scores of 0 and 1 have an exact interval; averages over seeds, votes and counts of tokens do not.
    if any(score > 1 for score in graded):
        found = count_interval(graded)
    else:
        whole = all(score in (0.0, 1.0) for score in graded)
        found = proportion(int(sum(graded)), len(graded)) if whole else mean_interval(graded)
    return replace(found, n_ungraded=len(scores) - len(graded))


def estimate_seeds(seeds: Sequence[Outcomes]) -> Estimate:
    """Return the mean score over problems and training seeds, with an interval over both; a problem ungraded for one seed is left out."""
    found = estimate(average(seeds))
    if len(seeds) == 1:
        return found
    table = [[_or_nan(outcome.score) for outcome in seed] for seed in seeds]
    largest = max((score for row in table for score in row if not math.isnan(score)), default=1.0)
    return seeded_mean(table, found, 1.0 if largest <= 1 else math.inf)  # a count has no largest mean


def average(seeds: Sequence[Outcomes]) -> Outcomes:
    """Return the mean score of each problem over training seeds; a problem that is ungraded for one seed is ungraded."""
    if len(seeds) == 1:
        return seeds[0]
    return tuple(_average_problem(same) for same in zip(*seeds, strict=True))


def _average_problem(same: Sequence[ProblemOutcome]) -> ProblemOutcome:
    scores = [outcome.score for outcome in same]
    graded = [score for score in scores if score is not None]
    # A mean over fewer seeds would weigh them differently from problem to problem.
    mean = sum(graded) / len(graded) if len(graded) == len(scores) else None
    return ProblemOutcome(problem_id=same[0].problem_id, score=mean, predicted_answer=None)


def compare(
    left: Sequence[Outcomes],
    right: Sequence[Outcomes],
    *,
    student: str,
    split: str,
    metric: str,
    left_cell: str | None,
    right_cell: str | None,
    setup: Setup | None,
    right_prompt: str | None = None,
) -> Comparison:
    """Compare two evaluations problem by problem: left minus right, over the problems that are graded in both.

    Pairing removes the difficulty that both models share, so far fewer problems are needed than for two separate shares (Miller 2024,
    arXiv 2411.00640). The interval is over problems and training seeds.

    Args:
        left: Outcomes of one model, by training seed.
        right: Outcomes of the other, by seed, or one for a model without seeds; problems in any order.
        student: The student, as in `Comparison`.
        split: The problem set.
        metric: The metric that is compared.
        left_cell: The data that left was trained on.
        right_cell: The data that right was trained on.
        setup: The set-up of left in the paper's terms.
        right_prompt: The prompt of right, if it is untrained.

    Raises:
        InputError: the two were evaluated on different problems.
    """
    ours, theirs = ([{outcome.problem_id: outcome.score for outcome in seed} for seed in side] for side in (left, right))
    problems = ours[0].keys()
    for other in (*ours, *theirs):
        if other.keys() != problems:
            example = min(other.keys() ^ problems)
            raise InputError(f"{student} on {split}: the evaluations to compare hold different problems, {example!r} is in one only")
    # Problems with a nan are left out of the difference.
    a, b = ([[_or_nan(seed[problem]) for problem in problems] for seed in side] for side in (ours, theirs))
    # A training that failed leaves one trained side with fewer seeds; then seeds are no pairs.
    paired = len(a) == len(b) or left_cell is None or right_cell is None
    difference = seeded_difference(a, b) if paired else unpaired_seeds_difference(a, b)
    means = [[sum(column) / len(column) for column in zip(*side, strict=True)] for side in (a, b)]
    return Comparison(
        student=student,
        split=split,
        metric=metric,
        left=left_cell,
        right=right_cell,
        difference=replace(difference, n_ungraded=len(problems) - difference.n),
        detectable=detectable_difference(*means),
        setup=setup,
        right_prompt=right_prompt,
        seeds=max(len(left), len(right)),
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


def to_reply_lines(outcomes: Mapping[str, Outcomes]) -> Iterator[str]:
    """Yield what is known of the greedy answers besides their answer as JSON lines: problem_id, and the value of each such metric."""
    for same in zip(*(outcomes[name] for name in (TOKENS, STOPPED, FALSE_POSITIVES)), strict=True):
        values = dict(zip((TOKENS, STOPPED, FALSE_POSITIVES), (outcome.score for outcome in same), strict=True))
        yield json.dumps({"problem_id": same[0].problem_id, **values}, ensure_ascii=False) + "\n"


def _answer_and_grade(
    problems: Sequence[Problem], prompt: Callable[[str], str], answer: Answer, grade: Grade, params: SamplingParams, count: int
) -> list[list[tuple[Generation, Verdict]]]:
    """Return `count` answers to each problem, with the verdicts on them."""
    requests = [Request(problem_id=p.id, prompt=prompt(p.question), first_index=0, count=count) for p in problems]
    answers = answer(requests, params)
    pairs = [
        Pair(key="", reference=problem.answer, generation=generation.text, truncated=generation.finish_reason == "length")
        for problem, generations in zip(problems, answers, strict=True)
        for generation in generations
    ]
    verdicts = iter(grade(pairs))
    return [[(generation, _unless_failed(generation, next(verdicts))) for generation in generations] for generations in answers]


def _vote(verdict: Verdict) -> tuple[str | None, bool]:
    # An answer of None does not vote, but keeps its place among the draws.
    if verdict.correct is None or verdict.predicted_answer is None:
        return (None, False)
    # Correct answers are equal in any notation: 0.5 and 1/2 must not split their votes.
    return (_CORRECT, True) if verdict.correct else (verdict.predicted_answer, False)


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

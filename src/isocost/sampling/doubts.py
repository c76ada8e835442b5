"""Doubts about what was bought: reference answers that no model's answers agree with, and models that refuse."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from isocost.amounts import quantity
from isocost.errors import escape_controls
from isocost.events import Listener, Note
from isocost.records import Allocation, Failed, Outcome, Truncation
from isocost.sampling.pools import Pool

_FEWEST_SAMPLES, _FEWEST_PROBLEMS = 8, 4  # graded ones, below which nothing is concluded
_MOST_DRAWS = 16  # of a model and problem that are looked at: more would not change the conclusion, and cost memory
_SHARE = 0.5  # of the problems, on which the models agree on another answer than the reference
_LONGEST = 80  # characters of a question or an answer in an example


@dataclass(slots=True)
class _Asked:
    """The graded samples of one problem: their number and that of correct ones, and the other answers by model."""

    graded: Counter[str] = field(default_factory=Counter)
    correct: int = 0
    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def answered(self) -> int:
        """Return the number of samples with an answer."""
        return self.correct + sum(sum(counts.values()) for counts in self.answers.values())

    def agreed(self) -> str | None:
        """Return the answer that more than half of each model's samples give though it is not the reference; None without one."""
        if self.correct or sum(self.graded.values()) < 2:
            return None
        common = {answer for counts in self.answers.values() for answer in counts}
        return next((a for a in sorted(common) if all(2 * self.answers[m][a] > n for m, n in self.graded.items())), None)


def doubt_references(pools: Mapping[str, Pool], draws: Sequence[Allocation] | None = None) -> str:
    """Return why the reference answers, or the grader's reading of them, are probably wrong, with an example; "" if nothing suggests it.

    Two signs suggest it. No sample is correct. Or on half of the problems all models agree on another answer than the reference. If no
    sample is correct and most have no answer at all, prompt and max_tokens are doubted instead.

    Args:
        pools: The pools, by model.
        draws: Only these draws count; None counts the first 16 per model and problem.
    """
    asked = _asked(pools, draws)
    graded, correct = sum(sum(each.graded.values()) for each in asked.values()), sum(each.correct for each in asked.values())
    if graded < _FEWEST_SAMPLES or len(asked) < _FEWEST_PROBLEMS:
        return ""
    agreed = {problem: answer for problem, each in asked.items() if (answer := each.agreed()) is not None}
    if correct and len(agreed) < _SHARE * len(asked):
        return ""
    if not correct and (silent := graded - sum(each.answered() for each in asked.values())) > graded / 2:
        text = f"none of the {graded:,} graded samples is correct, and {silent:,} have no answer that the grader can read"
        return f"{text}: check the prompt, sampling.max_tokens and models.NAME.reasoning"
    parts = [] if correct else [f"none of the {graded:,} graded samples is correct"]
    if agreed:
        several = "all models agree" if len(pools) > 1 else "its samples agree"
        parts.append(f"on {len(agreed):,} of {len(asked):,} problems {several} on another answer than the reference")
    text = f"{' and '.join(parts)}: the reference answers may be wrong, or the grader reads them wrongly"
    shown = next(iter(agreed), next(iter(asked)))
    return f"{text}. {_example(shown, asked[shown], pools, agreed.get(shown))}"


def failed_models(pools: Mapping[str, Pool]) -> dict[str, Failed]:
    """Return the draws that failed by model, of each model that has any: refused by the endpoint, or never answered."""
    found = {}
    for model, pool in pools.items():
        reasons = Counter(reason for _, reason, _ in pool.failures())
        if not reasons:
            continue
        draws: Counter[str] = Counter()
        answered = set()
        for (problem, _), draw in pool.draws():
            draws[problem] += 1
            if draw.finish_reason != "error":
                answered.add(problem)
        found[model] = Failed(
            draws=sum(reasons.values()),
            n=sum(draws.values()),
            problems=len(draws.keys() - answered),
            n_problems=len(draws),
            reason=reasons.most_common(1)[0][0],
        )
    return found


def _asked(pools: Mapping[str, Pool], draws: Sequence[Allocation] | None) -> dict[str, _Asked]:
    wanted = None if draws is None else {(a.model, a.problem_id): a.first_index + a.count for a in draws}
    found: dict[str, _Asked] = defaultdict(_Asked)
    for model, pool in pools.items():
        for (problem, _), draw in pool.stored.all(partial(_limit, wanted, model)):
            if draw.verdict is None or draw.verdict.outcome is Outcome.UNGRADED:
                continue
            own = found[problem]
            own.graded[model] += 1
            own.correct += draw.verdict.outcome is Outcome.CORRECT
            if draw.verdict.outcome is Outcome.INCORRECT and draw.verdict.predicted_answer is not None:
                own.answers[model][draw.verdict.predicted_answer] += 1
    return dict(found)


def _limit(wanted: Mapping[tuple[str, str], int] | None, model: str, problem: str) -> int:
    """Return the index below which the draws of a model and problem count."""
    return _MOST_DRAWS if wanted is None else wanted.get((model, problem), 0)


def _example(problem_id: str, asked: _Asked, pools: Mapping[str, Pool], agreed: str | None) -> str:
    problem = next(pool.problems[problem_id] for pool in pools.values() if problem_id in pool.problems)
    said = []
    for model, n in asked.graded.items():
        answer, count = (agreed, asked.answers[model][agreed]) if agreed is not None else _commonest(asked.answers[model])
        said.append(f"{model} gave no answer" if answer is None else f"{model} answered {_short(answer)} ({count} of {n})")
    return f"Example: {problem_id}, {_short(problem.question)}, reference {_short(problem.answer)}; {', '.join(said)}"


def _commonest(answers: Counter[str]) -> tuple[str | None, int]:
    return answers.most_common(1)[0] if answers else (None, 0)


def _short(text: str) -> str:
    """Quote a text on one line; control characters of model output are escaped."""
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def note_truncations(truncations: Mapping[str, Truncation], listener: Listener) -> None:
    """Note the models of which many samples were cut off."""
    for model, found in truncations.items():
        if found.matters:
            listener(Note(text=found.warning(model)))


_NO_REASON = {  # of draws that earlier versions stored, by whether they have tokens
    True: "the endpoint cut the reply off (a content filter, a tool call)",
    False: "the engine gave no answer: the prompt fills the model's context, a filter refused it, or it failed repeatedly",
}
_REASONS = 5  # that are noted one by one


def note_failures(pools: Mapping[str, Pool], listener: Listener) -> None:
    """Note the failed draws by reason, in the endpoint's own words, most frequent first."""
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for model, pool in pools.items():
        for problem, reason, has_tokens in pool.failures():
            by_reason.setdefault(reason or _NO_REASON[has_tokens], []).append((model, problem))
    ordered = sorted(by_reason.items(), key=lambda each: -len(each[1]))
    for reason, failed in ordered[:_REASONS]:
        _note_group(failed, reason, listener)
    if rest := [each for _, failed in ordered[_REASONS:] for each in failed]:
        _note_group(rest, f"{len(ordered) - _REASONS} other reasons; the column failure of samples.parquet has them", listener)


def _note_group(failed: Sequence[tuple[str, str]], why: str, listener: Listener) -> None:
    problems = quantity(len({problem for _, problem in failed}), "problem")
    text = f"{quantity(len(failed), 'draw')} of {problems} failed, not graded (first: {failed[0][0]}, {failed[0][1]}): {why}"
    listener(Note(text=escape_controls(" ".join(text.split()))))  # an endpoint's words and a file's names must not make lines of their own

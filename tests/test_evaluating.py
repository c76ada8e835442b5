from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from isocost.engines.base import Generation, Request
from isocost.errors import InputError
from isocost.evaluating import ProblemOutcome, compare, estimate, evaluate, name_setup, to_lines
from isocost.metrics.majority import majority_at_k
from isocost.records import FinishReason, Outcome, Problem, SamplingParams, Verdict

PROBLEMS = [Problem(id=str(i), question=f"{i}?", answer=str(i)) for i in range(4)]
PARAMS = SamplingParams(temperature=0.7, top_k=3, max_tokens=64, stop=("\n\n",))


def generation(text: str) -> Generation:
    finish: FinishReason = "error" if text == "broken" else "stop"
    return Generation(text=text, num_prompt_tokens=1, num_generated_tokens=1, finish_reason=finish)


class Recorded:
    """Answers from a table, greedy texts apart from sampled ones, and remembers what it was asked."""

    def __init__(self, greedy: list[str], sampled: list[list[str]]) -> None:
        self.greedy, self.sampled = greedy, sampled
        self.asked: list[tuple[list[Request], SamplingParams]] = []

    def __call__(self, requests: Sequence[Request], params: SamplingParams) -> list[list[Generation]]:
        self.asked.append((list(requests), params))
        if params.temperature == 0:
            return [[generation(text)] for text in self.greedy]
        return [[generation(text) for text in texts[: r.count]] for r, texts in zip(requests, self.sampled, strict=True)]


def grade(pairs: Sequence[tuple[str, str]]) -> list[Verdict]:
    def one(reference: str, text: str) -> Verdict:
        if text == "timeout":
            return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="timeout")
        if text == "":
            return Verdict(outcome=Outcome.NO_ANSWER, predicted_answer=None, reason="none")
        outcome = Outcome.CORRECT if text == reference else Outcome.INCORRECT
        return Verdict(outcome=outcome, predicted_answer=text, reason="compared")

    return [one(*pair) for pair in pairs]


def run(answer: Recorded, *maj_at: int) -> dict[str, tuple[ProblemOutcome, ...]]:
    return evaluate(
        PROBLEMS,
        lambda question: f"Q: {question}",
        answer,
        grade,
        params=PARAMS,
        maj_at=maj_at,
        majority=lambda draws, k: majority_at_k(draws, k).value,
    )


def outcomes(*scores: float | None) -> tuple[ProblemOutcome, ...]:
    return tuple(ProblemOutcome(problem_id=str(i), score=score, predicted_answer=None) for i, score in enumerate(scores))


def test_pass_at_1_is_one_greedy_answer_a_problem() -> None:
    answer = Recorded(["0", "7", "", "timeout"], [])
    found = run(answer)
    assert list(found) == ["pass@1"]
    assert [(o.problem_id, o.correct, o.predicted_answer) for o in found["pass@1"]] == [
        ("0", True, "0"),
        ("1", False, "7"),
        ("2", False, None),
        ("3", None, None),
    ]
    ((requests, params),) = answer.asked
    assert [(r.prompt, r.first_index, r.count) for r in requests] == [(f"Q: {i}?", 0, 1) for i in range(4)]
    assert params == SamplingParams(temperature=0.0, max_tokens=64, stop=("\n\n",))


def test_an_engine_failure_is_not_a_wrong_answer() -> None:
    assert run(Recorded(["broken", "1", "2", "3"], []))["pass@1"][0].correct is None


def test_votes_use_all_draws_and_the_ungraded_are_silent() -> None:
    sampled = [["0", "0", "9"], ["1", "8", "timeout"], ["7", "7", ""], ["broken", "timeout", "3"]]
    answer = Recorded(["0", "1", "2", "3"], sampled)
    found = run(answer, 1, 3, 2)
    assert [r.count for r in answer.asked[1][0]] == [3, 3, 3, 3]
    assert answer.asked[1][1] == PARAMS
    assert [o.score for o in found["maj@1"]] == pytest.approx([2 / 3, 1 / 3, 0.0, 1 / 3])
    assert [o.score for o in found["maj@3"]] == [1.0, 0.5, 0.0, 1.0]
    assert [o.score for o in found["maj@2"]] == pytest.approx([(1 + 0.5 + 0.5) / 3, 0.5, 0.0, 2 / 3])
    assert found["maj@1"][0].correct is None
    assert found["maj@3"][0].correct is True


def test_an_estimate_leaves_out_what_was_not_graded() -> None:
    half = estimate(outcomes(1.0, 0.0, None, 1.0, 0.0))
    assert (half.value, half.n, half.n_ungraded) == (0.5, 4, 1)
    assert estimate(outcomes(0.5, 0.25)).value == 0.375
    nothing = estimate(outcomes(None))
    assert (nothing.value, nothing.n, nothing.n_ungraded) == (None, 0, 1)


def comparison(left: Sequence[ProblemOutcome], right: Sequence[ProblemOutcome]) -> Any:
    names: dict[str, Any] = {"student": "student", "split": "test", "metric": "pass@1", "setup": "distillation"}
    return compare(left, right, left_cell="weak@low", right_cell=None, **names)


def test_models_are_compared_on_the_problems_that_both_have_graded() -> None:
    left, right = outcomes(1.0, 1.0, 0.0, None, 1.0), outcomes(0.0, 1.0, 0.0, 1.0, None)
    found = comparison(left, right[::-1])
    assert found.difference.value == pytest.approx(1 / 3)
    assert (found.difference.n, found.difference.n_ungraded) == (3, 2)
    assert (found.left, found.right, found.setup) == ("weak@low", None, "distillation")
    mirrored = comparison(right, left).difference
    assert (mirrored.value, mirrored.low) == pytest.approx((-1 / 3, -found.difference.high))
    assert found.detectable > 0


def test_pairing_sees_what_separate_shares_do_not() -> None:
    hard = [0.0] * 90 + [1.0] * 90
    better = [0.0] * 75 + [1.0] * 105
    paired = comparison(outcomes(*better), outcomes(*hard)).difference
    assert paired.low > 0
    separate = estimate(outcomes(*better)), estimate(outcomes(*hard))
    assert separate[0].low is not None
    assert separate[1].high is not None
    assert separate[0].low < separate[1].high


def test_different_problems_are_not_compared() -> None:
    with pytest.raises(InputError, match="'1' is in one only"):
        comparison(outcomes(1.0, 1.0), outcomes(1.0))


@pytest.mark.parametrize(
    ("student", "generators", "setup"),
    [
        ("weak", ["weak"], "self-improvement"),
        ("strong", ["strong", "strong"], "self-improvement"),
        ("weak", ["strong"], "distillation"),
        ("strong", ["weak"], "weak-to-strong improvement"),
        ("strong", ["weak", "twin"], "weak-to-strong improvement"),
        ("twin", ["weak"], "distillation"),
        ("student", ["weak", "strong"], "mixed"),
        ("strong", ["weak", "strong"], "mixed"),
        ("strong", ["unpriced"], "distillation"),
        ("unpriced", ["weak"], "distillation"),
        ("strong", ["weak", "absent"], "mixed"),
    ],
)
def test_set_ups_name_themselves(student: str, generators: list[str], setup: str) -> None:
    costs = {"weak": 1.0, "twin": 1.0, "student": 2.0, "strong": 3.0, "unpriced": None}
    assert name_setup(student, generators, costs) == setup


def test_data_from_nobody_has_no_set_up() -> None:
    with pytest.raises(InputError, match="no model"):
        name_setup("weak", [], {})


def test_outcomes_survive_storage() -> None:
    stored = (
        ProblemOutcome(problem_id="é/1", score=1.0, predicted_answer="½"),
        ProblemOutcome(problem_id="2", score=None, predicted_answer=None),
        ProblemOutcome(problem_id="3", score=0.25, predicted_answer=None),
    )
    lines = list(to_lines(stored))
    assert lines[0] == '{"problem_id": "é/1", "score": 1.0, "predicted_answer": "½", "correct": true}\n'
    names = ("problem_id", "score", "predicted_answer")
    assert tuple(ProblemOutcome(**{name: row[name] for name in names}) for row in map(json.loads, lines)) == stored

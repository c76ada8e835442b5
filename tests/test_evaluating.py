from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from isocost.engines.base import Generation, Request
from isocost.errors import InputError
from isocost.evaluating import ProblemOutcome, average, compare, estimate, estimate_seeds, evaluate, name_setup, to_lines, to_reply_lines
from isocost.metrics.majority import majority_at_k
from isocost.records import FinishReason, Outcome, Pair, Problem, SamplingParams, Verdict

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


def grade(pairs: Sequence[Pair]) -> list[Verdict]:
    def one(reference: str, text: str) -> Verdict:
        if text == "timeout":
            return Verdict(outcome=Outcome.UNGRADED, predicted_answer=None, reason="timeout")
        if text == "":
            return Verdict(outcome=Outcome.NO_ANSWER, predicted_answer=None, reason="none")
        outcome = Outcome.CORRECT if text == reference else Outcome.INCORRECT
        return Verdict(outcome=outcome, predicted_answer=text, reason="compared")

    return [one(pair.reference, pair.generation) for pair in pairs]


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
    assert list(found) == ["pass@1", "response_tokens", "stopped", "false_positives"]
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


def test_right_answers_are_one_vote_in_any_notation() -> None:
    def lenient(pairs: Sequence[Pair]) -> list[Verdict]:
        return [replace(grade([replace(p, generation=str(len(p.generation)))])[0], predicted_answer=p.generation) for p in pairs]

    answer = Recorded(["x"] * 4, [["x", "y", "77", "77", "77"], *[[""] * 5] * 3])
    problems = [replace(p, answer="1") for p in PROBLEMS]
    found = evaluate(problems, str, answer, lenient, params=PARAMS, maj_at=(5,), majority=lambda draws, k: majority_at_k(draws, k).value)
    assert found["maj@5"][0].score == 0.0
    answer.sampled[0] = ["x", "y", "z", "77", "77"]
    found = evaluate(problems, str, answer, lenient, params=PARAMS, maj_at=(5,), majority=lambda draws, k: majority_at_k(draws, k).value)
    assert found["maj@5"][0].score == 1.0


def test_pass_at_k_is_the_chance_that_one_of_k_graded_draws_is_right() -> None:
    sampled = [["0", "0", "9", "9"], ["8", "8", "8", "timeout"], ["2", "", "7", "7"], ["broken", "timeout", "broken", "3"]]
    answer = Recorded(["0", "1", "2", "3"], sampled)
    found = evaluate(PROBLEMS, str, answer, grade, params=PARAMS, maj_at=(1,), majority=lambda draws, k: 0.5, pass_at=(1, 3, 4))
    assert [r.count for r in answer.asked[1][0]] == [4, 4, 4, 4]
    assert [o.score for o in found["pass@1[avg-of-4]"]] == pytest.approx([0.5, 0.0, 0.25, 1.0])
    assert [o.score for o in found["pass@3"]] == [1.0, 0.0, 0.75, None]  # fewer than three graded draws
    assert [o.score for o in found["pass@4"]] == [1.0, None, 1.0, None]
    assert [o.score for o in found["pass@1"]] == [1.0] * 4  # greedy
    assert "maj@1" in found


def test_greedy_answers_have_a_length_an_end_and_their_steps() -> None:
    class Answering(Recorded):
        def __call__(self, requests: Sequence[Request], params: SamplingParams) -> list[list[Generation]]:
            made = super().__call__(requests, params)
            lengths: list[tuple[int, FinishReason]] = [(5, "stop"), (64, "length"), (7, "stop"), (0, "error")]
            return [
                [replace(each[0], num_generated_tokens=n, finish_reason=finish)] for each, (n, finish) in zip(made, lengths, strict=True)
            ]

    def lenient(pairs: Sequence[Pair]) -> list[Verdict]:
        cut.extend(pair.truncated for pair in pairs)
        return grade([replace(pair, generation=pair.generation[-1:]) for pair in pairs])

    cut: list[bool] = []
    answer = Answering(["3 - 3 = 0", "2 - 2 = 1", "no equation: 2", "1 + 1 = 3"], [])
    found = evaluate(PROBLEMS, str, answer, lenient, params=PARAMS, maj_at=(), majority=lambda draws, k: None)
    assert [o.score for o in found["pass@1"]] == [1.0, 1.0, 1.0, None]
    assert cut == [False, True, False, False]
    assert [o.score for o in found["response_tokens"]] == [5.0, 64.0, 7.0, None]
    assert [o.score for o in found["stopped"]] == [1.0, 0.0, 1.0, None]
    assert [o.score for o in found["false_positives"]] == [0.0, 1.0, None, None]
    length = estimate(found["response_tokens"])
    assert (length.value, length.n, length.n_ungraded) == (pytest.approx(76 / 3), 3, 1)
    assert length.low is not None
    assert length.low < 76 / 3
    assert json.loads(list(to_reply_lines(found))[1]) == {
        "problem_id": "1",
        "response_tokens": 64.0,
        "stopped": 0.0,
        "false_positives": 1.0,
    }


def test_a_comparison_of_several_seeds_is_over_problems_and_seeds() -> None:
    names: dict[str, Any] = {"student": "s", "split": "test", "metric": "pass@1", "setup": None, "left_cell": "a@b", "right_cell": None}
    base, worse, better = ([outcomes(*([1.0] * n + [0.0] * (60 - n)))] for n in (30, 24, 42))
    same = compare([*better, *better, *better], base, right_prompt="plain", **names)
    apart = compare([*better, *worse, *better], base, **names)
    one = compare(better, base, **names)
    assert same.right_prompt == "plain"
    assert same.difference == one.difference
    assert apart.difference.value == pytest.approx((12 - 6 + 12) / 3 / 60)
    assert apart.difference.low is not None
    assert apart.difference.low < 0 < one.difference.low  # type: ignore[operator]
    # With seeds lost on one side there are no pairs of seeds.
    both = names | {"right_cell": "c@b"}
    for left in (3, 1):  # of a training whose other seeds failed, the variance is that of the other side
        lost = compare([*better, *worse, *better][:left], [*better, *worse], **both).difference
        kept = compare(better, better, **both).difference
        assert None not in (lost.low, lost.high, kept.low, kept.high)
        assert lost.high - lost.low > 2 * (kept.high - kept.low)  # type: ignore[operator]
    assert compare([*better] * 3, [*base] * 2, **both).difference.value == pytest.approx(12 / 60)


def test_an_estimate_over_seeds_is_wider_where_seeds_differ() -> None:
    first, other = outcomes(*([1.0] * 42 + [0.0] * 18)), outcomes(*([1.0] * 24 + [0.0] * 36))
    assert estimate_seeds([first]) == estimate_seeds([first, first]) == estimate(first)
    alone, found = estimate(average([first, other, first])), estimate_seeds([first, other, first])
    assert (found.value, found.n) == (alone.value, alone.n)
    assert found.high - found.low > 2 * (alone.high - alone.low)  # type: ignore[operator]
    counts = [outcomes(9.0, 12.0, None), outcomes(30.0, 32.0, 31.0)]
    assert estimate_seeds(counts).n_ungraded == 1
    assert estimate_seeds(counts).high > estimate(average(counts)).high  # type: ignore[operator]


def test_an_estimate_leaves_out_what_was_not_graded() -> None:
    half = estimate(outcomes(1.0, 0.0, None, 1.0, 0.0))
    assert (half.value, half.n, half.n_ungraded) == (0.5, 4, 1)
    assert estimate(outcomes(0.5, 0.25)).value == 0.375
    nothing = estimate(outcomes(None))
    assert (nothing.value, nothing.n, nothing.n_ungraded) == (None, 0, 1)


def comparison(left: Sequence[ProblemOutcome], right: Sequence[ProblemOutcome]) -> Any:
    names: dict[str, Any] = {"student": "student", "split": "test", "metric": "pass@1", "setup": "distillation"}
    return compare([tuple(left)], [tuple(right)], left_cell="weak@low", right_cell=None, **names)


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

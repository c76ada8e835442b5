from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.metrics import majority
from isocost.metrics.majority import Majority, majorities, majority_at_k

Answers = list[tuple[str | None, bool]]


def enumerated(answers: Answers, k: int) -> float:
    total = 0.0
    subsets = list(combinations(answers, k))
    for subset in subsets:
        votes = Counter(answer for answer, _ in subset if answer is not None)
        leaders = [answer for answer, count in votes.items() if count == max(votes.values())]
        for leader in leaders:
            graded = [correct for answer, correct in answers if answer == leader]
            total += sum(graded) / len(graded) / len(leaders)
    return total / len(subsets)


DRAWS = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=9)


@given(DRAWS, st.sets(st.sampled_from(["a", "b"])), st.data())
def test_small_cases_equal_enumeration(draws: list[str | None], right: set[str], data: st.DataObject) -> None:
    answers: Answers = [(answer, answer in right) for answer in draws]
    k = data.draw(st.integers(1, len(draws)))
    found = majority_at_k(answers, k)
    assert found.value == pytest.approx(enumerated(answers, k), abs=1e-12)
    assert found.error == 0.0


def test_a_vote_of_one_is_the_share_correct() -> None:
    assert majority_at_k([("7", True), ("8", False), (None, False), ("7", True)], 1) == Majority(value=0.5)


def test_silence_never_outvotes_an_answer() -> None:
    assert majority_at_k([(None, False)] * 5 + [("7", True)], 6) == Majority(value=1.0)
    assert majority_at_k([(None, False)] * 3, 2) == Majority(value=0.0)


def test_a_tie_is_settled_by_lot() -> None:
    assert majority_at_k([("7", True), ("8", False)], 2).value == pytest.approx(0.5)


def test_equal_answers_graded_differently_count_by_their_share() -> None:
    assert majority_at_k([("7", True), ("7", False), ("7", True), ("7", True)], 3).value == pytest.approx(0.75)


@pytest.mark.parametrize("k", [0, 3])
def test_votes_that_cannot_be_held_are_undefined(k: int) -> None:
    assert majority_at_k([("7", True), ("8", False)], k).value is None


def test_resampling_agrees_with_the_exact_count_and_says_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Answers = [("7", True)] * 8 + [("8", False)] * 7 + [("9", False)] * 3 + [(None, False)] * 4
    exact = majority_at_k(answers, 8)
    monkeypatch.setattr(majority, "_MOST_WORK", 0)
    sampled = majority_at_k(answers, 8, seed=1)
    assert exact.value is not None
    assert sampled.value is not None
    assert 0.004 < sampled.error < 0.012
    assert abs(sampled.value - exact.value) < 4 * sampled.error
    assert majority_at_k(answers, 8, seed=1) == sampled


def test_a_resampled_certainty_has_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(majority, "_MOST_WORK", 0)
    assert majority_at_k([("7", True)] * 5, 3).error > 0


def test_numbers_beyond_floating_point_are_resampled() -> None:
    found = majority_at_k([("7", True)] * 1200 + [("8", False)] * 800, 999)
    assert found.value == 1.0
    assert found.error > 0


PROBLEM = st.tuples(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=4), st.integers(0, 3))


@given(st.lists(PROBLEM, min_size=1, max_size=5), st.integers(1, 6))
def test_many_problems_at_once_equal_enumeration(problems: list[tuple[list[tuple[int, bool]], int]], k: int) -> None:
    draws: list[Answers] = [
        [(str(i), right) for i, (votes, right) in enumerate(given) for _ in range(votes)] + [(None, False)] * silent
        for given, silent in problems
    ]
    owner = [p for p, (given, _) in enumerate(problems) for _ in given]
    votes = [votes for given, _ in problems for votes, _ in given]
    right = [votes if good else 0 for given, _ in problems for votes, good in given]
    found = majorities([len(each) for each in draws], owner, votes, right, k)
    for value, each in zip(found.values, draws, strict=True):
        assert value == pytest.approx(enumerated(each, k) if k <= len(each) else float("nan"), abs=1e-12, nan_ok=True)


def test_a_hundred_draws_with_many_answers_agree_with_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    votes, right = [25, 22, 10, 4, 4, 3] + [1] * 20, [25] + [0] * 25
    exact = majorities([100], [0] * 26, votes, right, 16)
    monkeypatch.setattr(majority, "_MOST_WORK", 0)
    sampled = majorities([100], [0] * 26, votes, right, 16)
    assert exact.errors[0] == 0
    assert abs(exact.values[0] - sampled.values[0]) < 4 * sampled.errors[0] < 0.05


def test_blocks_of_contests_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = [p for p in range(20) for _ in range(3)]
    votes = [1 + (7 * i) % 5 for i in range(60)]
    whole = majorities([20] * 20, owner, votes, votes, 5)
    monkeypatch.setattr(majority, "_CELLS", 1)
    assert majorities([20] * 20, owner, votes, votes, 5).values.tolist() == pytest.approx(whole.values.tolist())


def test_more_votes_than_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="more draws"):
        majorities([2], [0], [3], [0], 1)

"""Near-duplicates by word n-grams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isocost.curating import near_duplicates

OTHER = "Nora has 14 shells and finds 9 more shells at the beach on Monday"


def shares(question: str, *, n: int = 4, threshold: float = 0.01, other: str = OTHER) -> float:
    found = near_duplicates({"p": question}, {"test": {"t": other}}, n=n, threshold=threshold)
    return found[0].share if found else 0.0


def test_case_and_punctuation_do_not_hide_a_repeated_question() -> None:
    assert shares("NORA has 14 shells, and finds 9 more shells; at the beach (on Monday)!") == 1.0


def test_the_share_is_of_the_words_of_the_other_question_in_common_runs() -> None:
    # Seven of fourteen words, in a run that is long enough; "on Monday" is too short a run.
    assert shares("Nora has 14 shells and finds 9 fish on Monday") == 7 / 14
    assert shares("Nora has 14 fish and finds 9 more fish on Monday") == 4 / 14
    assert shares("Nora has 15 shells") == 0.0


def test_words_added_to_a_repeated_question_do_not_hide_it() -> None:
    assert shares(f"Listen. {'bla ' * 200} {OTHER}. How many shells is that?") == 1.0


def test_the_threshold_is_reached_by_an_equal_share() -> None:
    question = "Nora has 14 shells and finds 9 fish on Monday"
    for threshold, is_found in ((7 / 14, True), (7 / 14 + 1e-9, False)):
        assert bool(near_duplicates({"p": question}, {"test": {"t": OTHER}}, n=4, threshold=threshold)) is is_found


def test_runs_of_several_other_questions_are_not_added_up() -> None:
    halves = {"a": "one two three four five six seven eight nine ten", "b": "ten nine eight seven six five four three two one"}
    question = "one two three four five. ten nine eight seven six"
    (found,) = near_duplicates({"p": question}, {"test": halves}, n=4, threshold=0.5)
    assert (found.other_id, found.share) == ("a", 0.5)
    assert near_duplicates({"p": question}, {"test": halves}, n=4, threshold=0.6) == ()


def test_a_question_shorter_than_a_run_is_compared_whole() -> None:
    assert shares("What is 1 + 1?", other="what is 1 + 1", n=8) == 1.0
    assert shares("What is 1 + 2?", other="what is 1 + 1", n=8) == 0.0
    assert shares("", other="", n=8) == 0.0


def test_a_short_question_is_found_inside_a_longer_one_if_it_has_five_words() -> None:
    longer = "Compute the product: what is 12 times 35 exactly? Show your work."
    assert shares(longer, other="What is 12 times 35 exactly?", n=8) == 1.0
    assert shares("So what is 12 times 35 exactly?", other="What is 12 times 35?", n=8) == 1.0
    assert shares("What is 3 + 4 + 5?", other="What is 3 + 4?", n=8) == 0.0
    assert shares("And so on", other="so", n=8) == 0.0


def test_each_character_of_a_script_without_spaces_is_a_word() -> None:
    chinese = "小明有14个贝壳，又找到9个贝壳，然后送给朋友5个贝壳，现在小明有多少个贝壳？"
    assert shares(chinese.replace("找到", "找到了"), other=chinese, n=8, threshold=0.5) > 0.9
    assert shares("请回答：" + chinese.replace("，", "。"), other=chinese, n=8) == 1.0
    thai = "สมชายมีแอปเปิล12ผลและซื้อเพิ่มอีก5ผล"
    assert shares(f"โจทย์: {thai}", other=thai, n=8) == 1.0
    assert shares("สมหญิงมีเงินสามร้อยบาท", other=thai, n=8) == 0.0


def test_the_set_and_the_problem_that_are_repeated_are_named() -> None:
    named = {"test": {"t1": "nothing in common with it at all"}, "gsm8k:test": {"g7": OTHER}}
    (found,) = near_duplicates({"p": OTHER, "q": "another question altogether"}, named, n=8, threshold=0.5)
    assert (found.problem_id, found.named, found.other_id, found.share) == ("p", "gsm8k:test", "g7", 1.0)


words = st.lists(st.sampled_from("abc"), max_size=8).map(" ".join)


@given(words, words, st.integers(1, 4))
def test_the_share_is_that_of_trying_every_run(question: str, other: str, n: int) -> None:
    own, others = question.split(), other.split()
    covered = set()
    for start in range(len(others)):
        run = others[start : start + n]
        whole = len(others) < n and start == 0 and own == others
        if whole or (len(run) == n and any(own[i : i + n] == run for i in range(len(own)))):
            covered |= set(range(start, start + len(run)))
    expected = len(covered) / len(others) if others else 0.0
    assert shares(question, other=other, n=n, threshold=1e-9) == expected

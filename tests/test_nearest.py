from __future__ import annotations

import pytest

from isocost.nearest import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("modle", ["model", "models", "arm"], 'did you mean "model"?'),
        ("finetun", ["finetune", "evaluate"], 'did you mean "finetune"?'),
        ("xyz", ["model", "arm"], ""),
        ("model", [], ""),
        ("", ["model"], ""),
    ],
)
def test_the_nearest_known_word_is_offered_and_no_far_one(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint


def test_known_words_may_come_from_an_iterator() -> None:
    assert did_you_mean("weka", iter(["weak", "strong"])) == 'did you mean "weak"?'

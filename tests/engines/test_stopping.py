"""Stop strings and delimiters that are special tokens, which decoding leaves out of other texts."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from isocost.engines.transformers.stopping import StopStrings

WORDS = ["<unk>", "three", "seven", "[THINK]", "[/THINK]", "<|im_end|>", "<pad>"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    plain = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    plain.pre_tokenizer = WhitespaceSplit()
    made = PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="<unk>", pad_token="<pad>")
    made.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "<|im_end|>"]})
    return made


def ids(*words: str) -> list[int]:
    return [WORDS.index(word) for word in words]


def test_a_stop_string_that_is_or_contains_a_special_token_fires(tokenizer: Any) -> None:
    row = ids("seven", "<|im_end|>", "three")
    stops = StopStrings(tokenizer, ["<|im_end|>"])
    assert stops.lengths([row, ids("seven")], 0) == [2, None]
    assert stops.text(row).strip() == "seven"
    assert StopStrings(tokenizer, ["<|im_end|> three"]).lengths([row], 0) == [3]


def test_delimiters_that_are_special_tokens_stay_in_the_text_and_others_do_not(tokenizer: Any) -> None:
    row = ids("[THINK]", "three", "<pad>", "[/THINK]", "seven", "<|im_end|>")
    assert StopStrings(tokenizer, (), ("[THINK]", "[/THINK]")).text(row).split() == ["[THINK]", "three", "[/THINK]", "seven"]


def test_texts_without_such_a_mark_are_decoded_as_before(tokenizer: Any) -> None:
    row = ids("[THINK]", "three", "[/THINK]", "seven", "<|im_end|>")
    for stops in (StopStrings(tokenizer, ()), StopStrings(tokenizer, ["seventy"], ("<think>", "</think>"))):
        assert stops.text(row) == tokenizer.decode(row, skip_special_tokens=True)

"""Stop strings and delimiters that are special tokens, which decoding leaves out of other texts."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from isocost.engines.checkpoints.stopping import StopStrings
from isocost.engines.vllm.engine import _generation
from isocost.engines.vllm.starting import _add
from isocost.engines.vllm.stepping import VllmRequest
from isocost.records import SamplingParams

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


@pytest.mark.parametrize(
    ("stop", "marks", "text"),
    [((), (), "vLLM's own"), ((), ("[THINK]", "[/THINK]"), "[THINK] three [/THINK] seven"), (("[/THINK]",), ("[THINK]",), "[THINK] three")],
)
def test_vllm_keeps_the_special_tokens_that_transformers_keeps(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch, stop: tuple[str, ...], marks: tuple[str, ...], text: str
) -> None:
    stops, row = StopStrings(tokenizer, stop, marks), ids("[THINK]", "three", "<pad>", "[/THINK]", "seven", "<|im_end|>")
    asked = VllmRequest(
        prompt=[1], salt="", limit=9, seed=0, params=SamplingParams(stop=stop), ends=(5,), keeps_special_tokens=stops.keeps_special_tokens
    )
    completion = SimpleNamespace(text="vLLM's own", token_ids=row, finish_reason="stop")
    found = _generation(stops, (asked, SimpleNamespace(outputs=[completion], num_cached_tokens=0)), 1, 1)
    assert found.text.split() == text.split()
    assert found.num_generated_tokens == len(row)
    # vLLM itself looks for stop strings in a text with special tokens, if one is to be kept.
    sent: list[dict[str, Any]] = []
    kinds = SimpleNamespace(RequestOutputKind=SimpleNamespace(FINAL_ONLY=None))
    inputs = SimpleNamespace(tokens_input=lambda *_, **__: None)
    vllm = SimpleNamespace(SamplingParams=lambda **given: sent.append(given), inputs=inputs, sampling_params=kinds)
    for name, module in (("vllm", vllm), ("vllm.inputs", inputs), ("vllm.sampling_params", kinds)):
        monkeypatch.setitem(sys.modules, name, module)
    _add(SimpleNamespace(add_request=lambda *_: None), "0", asked)
    assert sent[0]["skip_special_tokens"] is not bool(marks)

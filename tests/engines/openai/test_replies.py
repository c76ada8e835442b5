"""Reading replies, whatever stands in them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.openai.replies import BadReplyError, ErrorReplyError, parsed, read_reply, split
from isocost.engines.openai.usage import BadUsageError, Bounds

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["choices", "usage", "message", "content", "text"]), inner),
    max_leaves=8,
)
ONE = Bounds(choices=1, max_tokens=100, prompt_bytes=100)
TWO = Bounds(choices=2, max_tokens=100, prompt_bytes=100)


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=20))
def test_shares_are_whole_near_their_proportion_and_sum_to_the_total(total: int, weights: list[int]) -> None:
    shares = split(total, weights)
    assert sum(shares) == total
    assert all(abs(share - total * weight / sum(weights)) < 1 + 1e-6 for share, weight in zip(shares, weights, strict=True))


def test_remainders_go_to_the_largest_and_of_equals_to_the_first() -> None:
    assert split(10, [1, 1, 1]) == [4, 3, 3]
    assert split(10, [1, 2, 4]) == [1, 3, 6]
    assert split(1, [5, 1]) == [1, 0]


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_reply_is_read_or_refused(content: bytes) -> None:
    with suppress(BadReplyError, BadUsageError, ErrorReplyError):
        read_reply(parsed(content), TWO, ["x"], None)


@given(
    st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"text": JSON, "finish_reason": JSON}), max_size=3), "usage": JSON})
)
def test_any_field_is_read_or_refused(reply: dict[str, Any]) -> None:
    try:
        generations = read_reply(reply, TWO, [], 5)
    except (BadReplyError, BadUsageError):
        return
    for generation in generations:
        generation.text.encode()
        assert generation.num_cached_tokens >= 0


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        *((reason, "stop") for reason in ("stop", "eos_token", "STOP", "end_turn", "COMPLETE", "stop\n")),
        *((reason, "length") for reason in ("length", " MAX_TOKENS ")),
        *((reason, "error") for reason in ("refusal", 7, None, "")),
    ],
)
def test_finish_reasons(reason: object, read: str) -> None:
    reply = {"choices": [{"text": "a", "finish_reason": reason}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    assert read_reply(reply, ONE, [], None)[0].finish_reason == read


@pytest.mark.parametrize(("reason", "shown"), [("abort", '"abort"'), (None, "null"), ("", '""'), ("content_filter", None), ("STOP", None)])
def test_an_unknown_finish_reason_is_remarked_on(reason: str | None, shown: str | None) -> None:
    reply = {"choices": [{"text": "a", "finish_reason": reason}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    remarks = read_reply(reply, ONE, [], None)[0].remarks
    assert len(remarks) == bool(shown)
    for remark in remarks:
        assert remark.text.startswith(f"ends a reply with finish_reason {shown}, which is not known; such draws are charged and not graded")


LONG = " ".join(f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst")


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": [{"type": "function", "function": {"name": "add", "arguments": LONG}}]},
        {"content": None, "function_call": {"name": "add", "arguments": LONG}},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": LONG}]}, {"type": "text", "text": "5"}]},
        {"content": "5", "thinking": LONG},
        {"content": "5", "reasoning_content": LONG, "reasoning": LONG},
    ],
)
def test_all_that_the_model_wrote_needs_tokens(message: dict[str, Any]) -> None:
    def read(completion: int) -> object:
        usage = {"prompt_tokens": 20, "completion_tokens": completion}
        reply = {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": usage}
        return read_reply(reply, ONE, [], None)

    for few in (0, 1):
        with pytest.raises(BadUsageError, match=f"reports {few} completion tokens for"):
            read(few)
    assert read(-(-len(LONG) // 16))  # a text that stands there twice was written once


def test_a_refusal_may_be_free_and_depth_harms_nothing() -> None:
    refused = {"content": None, "refusal": LONG}
    reply = {"choices": [{"message": refused, "finish_reason": "content_filter"}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}
    assert read_reply(reply, ONE, [], None)[0].num_generated_tokens == 0
    nested = json.dumps(reply).replace("null", "[" * 900 + "]" * 900).encode()
    assert read_reply(parsed(nested), ONE, [], None)[0].text == ""


@pytest.mark.parametrize("digits", [31, 4_300, 4_301, 100_000])
def test_a_count_of_any_number_of_digits_is_a_wrong_count_and_no_broken_reply(digits: int) -> None:
    """A broken reply is asked for again, each time at its worst case."""
    usage = f'{{"prompt_tokens": 5, "completion_tokens": {"9" * digits}}}'
    with pytest.raises(BadUsageError, match=r"completion_tokens '?999"):
        read_reply(parsed(f'{{"choices": [{{"text": "x"}}], "usage": {usage}}}'.encode()), ONE, [], None)


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": ["The sum is easy.", "\n#### 1"]}},
        {"message": {"content": ["The sum is easy.", {"type": "text", "text": "\n#### 1"}, {"type": "thinking", "text": "no"}]}},
        {"message": {"role": "assistant"}, "text": "The sum is easy.\n#### 1"},
        {"message": {"content": None}, "text": "The sum is easy.\n#### 1"},
        {"message": None, "text": "The sum is easy.\n#### 1"},
        {"delta": {"role": "assistant", "content": "The sum is easy.\n#### 1"}},
    ],
)
def test_a_paid_text_is_found_wherever_it_stands(choice: dict[str, Any]) -> None:
    reply = {"choices": [{**choice, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}
    assert read_reply(reply, ONE, [], None)[0].text == "The sum is easy.\n#### 1"
    with pytest.raises(BadUsageError, match="reports 0 completion tokens for"):
        read_reply({**reply, "usage": {"prompt_tokens": 9, "completion_tokens": 0}}, ONE, [], None)


def test_a_choice_without_any_place_for_a_text_is_no_empty_answer() -> None:
    reply = {"choices": [{"index": 0, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}
    with pytest.raises(BadReplyError, match="a choice without a text"):
        read_reply(reply, ONE, [], None)


@pytest.mark.parametrize("bad", [None, "text", [], {"text": 5, "finish_reason": "stop"}, {"finish_reason": "stop"}])
@pytest.mark.parametrize("at", [0, 1])
def test_a_choice_that_cannot_be_read_loses_no_other(bad: object, at: int) -> None:
    choices: list[object] = [{"text": "It is 1.", "finish_reason": "stop"}]
    choices.insert(at, bad)
    reply = {"choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 9}}
    (found,) = read_reply(reply, TWO, [], None)
    assert (found.text, found.num_generated_tokens, found.sharing) == ("It is 1.", 9, 1)
    with pytest.raises(BadReplyError):
        read_reply({**reply, "choices": [bad, bad]}, TWO, [], None)


@pytest.mark.parametrize("key", ["usage", "choices", "completion_tokens"])
def test_a_key_that_occurs_twice_makes_a_reply_ambiguous(key: str) -> None:
    """Of two usages the last would be charged, and of two lists of choices the last kept."""
    usage = '{"prompt_tokens": 9, "completion_tokens": 9}'
    whole = f'{{"choices": [{{"text": "x"}}], "usage": {usage}}}'
    twice = {
        "usage": whole[:-1] + ', "usage": {"prompt_tokens": 1, "completion_tokens": 1}}',
        "choices": whole[:-1] + ', "choices": [{"text": "y"}]}',
        "completion_tokens": whole.replace('"completion_tokens": 9', '"completion_tokens": 9, "completion_tokens": 1'),
    }
    parsed(whole.encode())
    with pytest.raises(BadReplyError, match=f'ambiguous: key "{key}" occurs twice'):
        parsed(twice[key].encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_a_reply_in_another_encoding_is_told_from_one_that_is_no_json(encoding: str) -> None:
    with pytest.raises(BadReplyError, match="another encoding"):
        parsed('{"choices": [{"text": "né"}]}'.encode(encoding))
    with pytest.raises(BadReplyError, match=r"^not JSON$"):
        parsed(b'{"choices": ')

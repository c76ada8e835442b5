"""What an endpoint's words mean: of the prompt, of the account, of a parameter, or of itself."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.openai.parameters import advice_on
from isocost.engines.openai.replies import BadReplyError, ErrorReplyError, read_reply
from isocost.engines.openai.troubles import Trouble, in_reply, page_title, words
from isocost.engines.openai.usage import BadUsageError, Bounds

TOO_LONG = [
    (
        400,
        "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens. Please reduce the length of the messages.",
    ),
    (400, "'max_tokens' or 'max_completion_tokens' is too large: 512. This model's maximum context length is 4096 tokens"),
    (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
    (400, "prompt is too long: 210000 tokens > 200000 maximum"),
    (400, "input length and `max_tokens` exceed context limit: 180000 + 30000 > 200000"),
    (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    (400, "Requested tokens exceed context window of 2048"),
    (422, "Input validation error: `inputs` must have less than 1024 tokens. The input is too long"),
    (400, "Range of input length should be [1, 30720]: the prompt does not fit"),
    (400, "too many input tokens"),
    (413, "whatever"),
    (500, "the request exceeds the available context size, try increasing it"),
]
NOT_TOO_LONG = [
    (400, "max_tokens is too large: 100000. This model supports at most 16384 completion tokens"),
    (400, "You exceeded your token quota"),
    (400, "rate limit exceeded for input tokens per minute"),
    (500, "context deadline exceeded"),
    (400, "'n' : number must be at most 1"),
    (400, "Unsupported parameter: 'top_p' is not supported with this model."),
]


@pytest.mark.parametrize(("status", "message"), TOO_LONG)
def test_a_prompt_that_does_not_fit_is_recognised_in_any_words(status: int, message: str) -> None:
    assert Trouble(status=status, message=message).is_too_long()


@pytest.mark.parametrize(("status", "message"), NOT_TOO_LONG)
def test_other_things_that_are_too_many_are_not_the_prompt(status: int, message: str) -> None:
    assert not Trouble(status=status, message=message).is_too_long()


@pytest.mark.parametrize(
    ("trouble", "is_filtered"),
    [
        (Trouble(status=400, message="It was filtered", code="content_filter"), True),
        (Trouble(status=400, message="Your prompt was flagged as potentially violating our usage policy", code="invalid_prompt"), True),
        (Trouble(status=403, message="Input requires moderation"), True),
        (Trouble(status=400, message="Output data may contain inappropriate content.", code="data_inspection_failed"), True),
        (Trouble(status=422, message="blocked by the safety system"), True),
        (Trouble(status=403, message="Your account was flagged"), False),
        (Trouble(status=403, message="Country, region, or territory not supported"), False),
        (Trouble(status=401, message="flagged"), False),
        (Trouble(status=400, message="temperature must be at most 2"), False),
    ],
)
def test_a_filter_refuses_a_prompt_and_not_the_account(trouble: Trouble, is_filtered: bool) -> None:
    assert trouble.is_filtered() == is_filtered


@pytest.mark.parametrize(
    ("reply", "status", "message"),
    [
        ({"error": {"message": "slow", "code": 429}}, 429, "slow"),
        ({"error": {"message": "slow", "code": "429"}, "choices": [{"text": "partial"}]}, 429, "slow"),
        ({"error": "upstream timed out"}, 504, "upstream timed out"),
        ({"error": {"message": "no", "type": "overloaded_error"}}, 503, "no"),
        ({"error": {"message": "no", "code": "insufficient_quota"}}, 402, "no"),
        ({"error": {"message": "odd"}}, 0, "odd"),
        ([{"error": {"code": 503, "message": "The model is overloaded", "status": "UNAVAILABLE"}}], 503, "The model is overloaded"),
        ({"object": "error", "message": "bad", "code": 400}, 400, "bad"),
        ({"choices": [{"error": {"code": 502, "message": "gone"}}, {"error": {"code": 502}}]}, 502, "gone"),
        ({"choices": [{"text": "good"}, {"error": {"code": 502}}]}, None, ""),
        ({"choices": [{"text": "good"}], "error": None}, None, ""),
        ({"choices": [{"text": "good"}], "error": {}}, None, ""),
        ({"choices": [{"text": "good"}], "error": {"code": 0, "message": ""}}, None, ""),
        ({"choices": [{"text": "good"}], "detail": "fine"}, None, ""),
        ({"detail": [{"loc": ["body", "seed"], "msg": "not permitted"}]}, 0, "body.seed: not permitted"),
        ({"error_code": 18, "error_msg": "Open api qps request limit reached"}, 0, "Open api qps request limit reached"),
        ({"choices": None}, None, ""),
        (7, None, ""),
    ],
)
def test_an_error_anywhere_in_a_reply_is_found(reply: Any, status: int | None, message: str) -> None:
    found = in_reply(reply)
    assert (None if found is None else found.status) == status
    assert found is None or found.message == message


ERRORS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "message", "code", "choices", "loc", "msg"]), inner)
    ),
)


@given(ERRORS)
def test_any_error_is_read_or_refused(reply: Any) -> None:
    assert isinstance(words(reply), str)
    with suppress(BadReplyError, BadUsageError, ErrorReplyError):
        read_reply(reply, Bounds(choices=1, max_tokens=5, prompt_bytes=5), [], None)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", "Sign in"),
        ("\ufeff\n<html><h1>502 Bad Gateway</h1>", "502 Bad Gateway"),
        ("<html></html>", ""),
        ('{"a": "<html>"}', None),
        ("<think>", None),
        ("", None),
    ],
)
def test_a_web_page_has_a_title(text: str, title: str | None) -> None:
    assert page_title(text) == title


@pytest.mark.parametrize(
    ("message", "param", "advice"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens", "max_tokens_field: max_completion_tokens"),
        ("Unknown parameter: 'max_completion_tokens'.", "", "max_tokens_field: max_tokens"),
        ("max_tokens is too large: 100000. At most 16384", "max_tokens", "lower sampling.max_tokens"),
        (
            "max_tokens is too large: 64. This model supports at most 32 completion tokens, whereas you provided 64.",
            "max_tokens",
            "lower sampling.max_tokens",
        ),
        ("max_completion_tokens: values above 4096 are not allowed", "", "lower sampling.max_tokens"),
        ("This model supports up to 32 output tokens, whereas you asked for 64", "", "lower sampling.max_tokens"),
        ("temperature must be between 0 and 0.5; other values are not supported", "temperature", "or give a value that it takes"),
        (
            "Unsupported value: 'temperature' does not support 0.7 with this model.",
            "temperature",
            "sampling.temperature: null leaves it out",
        ),
        ("temperature must be in the range [0, 2]", "", "give a value that it takes"),
        ("'top_p' is not supported", "", "sampling.top_p: null"),
        ("Unrecognized request argument supplied: top_k", "", "sampling.top_k: null"),
        ("body.seed: Extra inputs are not permitted", "seed", "seeds: false"),
        ("Stop sequences are not supported: `stop`", "", "stop strings"),
        ("'n' : number must be at most 1", "", "n: 1"),
        ("The number of choices is too large", "n", "n: 1"),
        ("nothing that is known", "", ""),
    ],
)
def test_a_parameter_that_is_refused_is_answered_with_a_study_key(message: str, param: str, advice: str) -> None:
    found = advice_on(Trouble(status=400, message=message, param=param))
    assert advice in found
    assert bool(found) == bool(advice)

"""Every way an endpoint fails, and what becomes of it."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import traceback
from dataclasses import replace

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.engines.base import Generation, Request
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import translate
from isocost.engines.openai.troubles import retry_after
from isocost.errors import EngineError, RefusedPromptError, TryAgainError, UsageError
from isocost.records import SamplingParams
from tests.engines.openai.conftest import Asks
from tests.engines.openai.replies import FAULTS, JSON, Asked, Reply
from tests.engines.openai.server import Server

PARAMS = SamplingParams(max_tokens=64)
ONE = Request(problem_id="p1", prompt="Q: how many are there?\nA:", first_index=0, count=1)
KEY = "sk-super-secret-0123456789"


def failure(asks: Asks, fault: str, request: Request = ONE, **options: object) -> EngineError:
    """What one request raises, after which the endpoint behaves and answers."""
    with Server(faults=[fault]) as server:
        engine = asks(server, **options)
        with pytest.raises(EngineError) as error:
            engine.generate([request], PARAMS, 0)
        assert engine.generate([request], PARAMS, 0)[0]
    assert str(error.value).startswith(f"{server.url}, model 'tiny': ")
    assert len(str(error.value).splitlines()) <= 3
    assert error.value.__cause__ is not None
    return error.value


def answered(asks: Asks, fault: str, request: Request = ONE, params: SamplingParams = PARAMS, **options: object) -> list[Generation]:
    with Server(faults=[fault]) as server:
        return asks(server, **options).generate([request], params, 0)[0]


@pytest.mark.parametrize(
    ("fault", "charged"),
    [
        *((str(status), True) for status in (408, 500, 502, 504, 520)),
        *((str(status), False) for status in (409, 429, 503, 529)),
        ("error beside", False),  # a 429
        *((fault, True) for fault in ("closes mid reply", "closes at once", "not gzip")),
        *((fault, True) for fault in ("empty", "not UTF-8", "truncated", "deep", "a list", "error inside", "no choices")),
        *((fault, True) for fault in ("wrong choice", "wrong text")),
    ],
)
def test_what_may_be_asked_again_and_whether_it_may_have_been_charged(asks: Asks, fault: str, charged: bool) -> None:
    error = failure(asks, fault)
    assert isinstance(error, TryAgainError)
    assert (error.charged, error.wait) == (charged, None)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [("429 seconds", 7), ("429 date", 30), ("429 past date", 0), ("429 milliseconds", 2.5), ("429 nonsense", None), ("429 infinite", None)],
)
def test_how_long_a_busy_endpoint_asks_to_wait(asks: Asks, fault: str, wait: float | None) -> None:
    error = failure(asks, fault)
    assert isinstance(error, TryAgainError)
    assert (error.wait, error.charged) == (wait, False)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("429 quota", "no quota left"),
        ("402", "asks for payment"),
        ("400", "refuses the request (400): refused with 400"),
        ("422", "refuses the request (422)"),
        ("501", "refuses the request (501)"),
        ("redirects", "redirects elsewhere (307)"),
        ("304", "replies with 304 and no answer"),
        ("no usage", "reports no usage, so its cost is not known"),
        ("wrong usage", "reports prompt_tokens 'many', which is no count of tokens"),
        ("huge usage", "which is no count of tokens"),
    ],
)
def test_what_asking_again_does_not_help(asks: Asks, fault: str, said: str) -> None:
    error = failure(asks, fault)
    assert not isinstance(error, TryAgainError)
    assert said in str(error)


@pytest.mark.parametrize("charset", ["hex", "idna", "rot13", "undefined"])
def test_an_error_is_read_whatever_charset_it_names(asks: Asks, charset: str) -> None:
    assert "500: refused with 500" in str(failure(asks, f"charset {charset}"))


def test_no_cookie_is_kept(asks: Asks) -> None:
    """An endpoint that sets a new one with each reply would soon refuse the headers."""
    with Server(faults=["cookies"]) as server:
        engine = asks(server)
        for _ in range(2):
            engine.generate([ONE], PARAMS, 0)
    assert not any("cookie" in asked.headers for asked in server.asked)


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "set base_url to the name in its certificate"),
        (ssl.SSLError(1, "wrong version number"), "check that base_url names a port that speaks https"),
        (ssl.SSLEOFError(8, "EOF occurred"), None),
    ],
)
def test_a_failure_of_tls_is_not_tried_again_unless_it_may_get_better(cause: ssl.SSLError, advice: str | None) -> None:
    connecting = httpx2.ConnectError(str(cause))
    connecting.__cause__ = cause
    endpoint = Endpoint(base_url="https://here/v1", model="m", key_variable="KEY", key=None)
    found = translate(connecting, endpoint)
    assert not found.charged
    assert isinstance(found, TryAgainError) == (advice is None)
    if advice is not None:
        assert found.happened.startswith("https://here/v1, model 'm': no secure connection: ")
        assert found.advice.startswith(advice)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_failure_of_tls_on_a_connection_that_was_made_may_have_been_charged(wrapped: bool) -> None:
    failed = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac")
    reading = httpx2.ReadError(str(failed))
    reading.__cause__ = failed
    error = openai.APIConnectionError(request=httpx2.Request("POST", "https://here/v1"))
    error.__cause__ = reading if wrapped else failed
    endpoint = Endpoint(base_url="https://here/v1", model="m", key_variable="KEY", key=None)
    found = translate(error, endpoint)
    assert isinstance(found, TryAgainError)
    assert found.charged
    assert "the connection broke: [SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]" in str(found)


def test_an_endpoint_that_asks_for_a_certificate_is_asked_once() -> None:
    """With TLS 1.3 the client learns of it with its first read."""
    failed = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required")
    error = openai.APIConnectionError(request=httpx2.Request("POST", "https://here/v1"))
    error.__cause__ = failed
    found = translate(error, Endpoint(base_url="https://here/v1", model="m", key_variable="KEY", key=None))
    assert not isinstance(found, TryAgainError)
    assert not found.charged
    assert found.advice.startswith("it asks for a certificate of the client")


def test_a_server_without_tls_is_asked_once(asks: Asks) -> None:
    with Server() as server, pytest.raises(EngineError, match="no secure connection") as error:
        asks(server.url.replace("http:", "https:")).generate([ONE], PARAMS, 0)
    assert not isinstance(error.value, TryAgainError)


@pytest.mark.parametrize(("key", "text"), [("x", "exceeds the max, $KEY is x-rated"), ("EMPTY", "EMPTYING, got $KEY")])
def test_a_placeholder_key_is_removed_only_as_a_word(key: str, text: str) -> None:
    endpoint = Endpoint(base_url="http://here/v1", model="m", key_variable="KEY", key=key)
    assert endpoint.redacted(text.replace("$KEY", key)) == text


def test_a_silent_endpoint_is_given_up_after_the_timeout(asks: Asks) -> None:
    error = failure(asks, "hangs", timeout=0.5)
    assert isinstance(error, TryAgainError)
    assert error.charged
    assert "no reply within 0.5 s" in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.localhost"])
def test_an_endpoint_out_of_reach_has_charged_nothing(asks: Asks, host: str) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else answers here
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TryAgainError, match="no connection") as error:
            asks(f"http://{host}:{taken.getsockname()[1]}/v1").generate([ONE], PARAMS, 0)
    assert not error.value.charged


def test_a_refused_key_is_told_by_the_name_of_its_variable(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(key="another") as server:
        with pytest.raises(EngineError, match=r"asks for a key \(401\), and \$OPENAI_API_KEY is not set"):
            asks(server).generate([ONE], PARAMS, 0)
        monkeypatch.setenv("MY_KEY", KEY)
        with pytest.raises(EngineError, match=r"refuses the key in \$MY_KEY \(401\)") as error:
            asks(server, api_key_env="MY_KEY").generate([ONE], PARAMS, 0)
    assert not isinstance(error.value, TryAgainError)
    assert KEY not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("fault", ["echoes the key", "echoes the key forbidden", "echoes the key inside", "echoes the key in 500"])
def test_no_error_and_no_traceback_shows_the_key(asks: Asks, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    error = failure(asks, fault)
    assert KEY not in "".join(traceback.format_exception(error))
    assert "$OPENAI_API_KEY" in str(error)
    assert "\x1b" not in str(error)
    assert "second line" not in str(error)


def test_long_messages_are_cut(asks: Asks) -> None:
    assert len(str(failure(asks, "long message")).splitlines()[0]) < 300


def test_an_unknown_model_is_told_with_what_the_endpoint_offers(asks: Asks) -> None:
    with (
        Server(models=["tiny-7b", *(f"model-{i}" for i in range(6))]) as server,
        pytest.raises(EngineError, match=r"no such model \(404\)\n  did you mean 'tiny-7b'\? it offers tiny-7b, model-0, .* and 2 more"),
    ):
        asks(server).generate([ONE], PARAMS, 0)


def test_a_path_that_the_endpoint_does_not_have_is_told_from_an_unknown_model(asks: Asks) -> None:
    with (
        Server(paths=("models", "chat/completions")) as server,
        pytest.raises(EngineError, match=r"does not offer /completions \(404\).*\n  set api: chat"),
    ):
        asks(server).generate([ONE], PARAMS, 0)
    with Server(paths=()) as server, pytest.raises(EngineError, match=r"no such model or address \(404\).*\n  check model and base_url"):
        asks(server).generate([ONE], PARAMS, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_a_prompt_that_does_not_fit_is_refused_and_costs_nothing(asks: Asks, count: int) -> None:
    with Server(context=3) as server:
        engine = asks(server, n=2)
        with pytest.raises(RefusedPromptError, match=r"finds problem p1, .* too long \(400\): .*\n  lower sampling.max_tokens") as error:
            engine.generate([replace(ONE, count=count)], PARAMS, 0)
        assert engine.generate([replace(ONE, prompt="Q:")], PARAMS, 0)[0][0].finish_reason == "stop"
    assert (error.value.certain, error.value.charged) == (True, False)


@pytest.mark.parametrize("fault", ["413", "context code", "llama.cpp context", "SGLang context", "vLLM context"])
def test_every_way_of_saying_that_a_prompt_does_not_fit(asks: Asks, fault: str) -> None:
    error = failure(asks, fault)
    assert isinstance(error, RefusedPromptError)
    assert (error.certain, error.charged) == (True, False)
    assert error.reason.startswith("too long (4")


@pytest.mark.parametrize("fault", ["Azure's filter", "OpenAI's flag"])
def test_a_prompt_that_is_filtered_is_refused_alone(asks: Asks, fault: str) -> None:
    error = failure(asks, fault)
    assert isinstance(error, RefusedPromptError)
    assert error.charged
    assert "refuses problem p1, draw 0 (400): " in str(error)
    assert error.reason.startswith("refused (400): ")


@pytest.mark.parametrize("fault", ["400", "402", "429", "429 quota", "503", "context code", "501"])
@pytest.mark.parametrize(("usage", "charged"), [((9, 5), True), ((0, 0), False), (None, False)])
def test_what_an_endpoint_counts_beside_an_error_may_be_charged_whatever_the_status_is(
    asks: Asks, monkeypatch: pytest.MonkeyPatch, fault: str, usage: tuple[int, int] | None, charged: bool
) -> None:
    def counted(asked: Asked, good: Reply) -> Reply:
        found = FAULTS[fault](asked, good)
        given = {} if usage is None else {"usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}
        return replace(found, body=json.dumps({**json.loads(found.body), **given}).encode())

    monkeypatch.setitem(FAULTS, "counted", counted)
    assert failure(asks, "counted").charged is charged


def test_more_than_was_sent_beside_a_refusal_stops_the_run(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(asked: Asked, good: Reply) -> Reply:
        found, usage = FAULTS["429"](asked, good), {"prompt_tokens": 9, "completion_tokens": 10**6}
        return replace(found, body=json.dumps({**json.loads(found.body), "usage": usage}).encode())

    monkeypatch.setitem(FAULTS, "counted", counted)
    error = failure(asks, "counted")
    assert isinstance(error, UsageError)
    assert (error.prompt_tokens, error.generated_tokens) == (9, 10**6)


@pytest.mark.parametrize("fault", ["400", "422", "501"])
def test_a_refused_request_is_named(asks: Asks, fault: str) -> None:
    assert "\n  it was problem p1, draw 0: change what" in str(failure(asks, fault))


@pytest.mark.parametrize("fault", ["filtered", "calls a tool", "no finish reason"])
def test_replies_that_did_not_end_are_charged_and_not_graded(asks: Asks, fault: str) -> None:
    [generation] = answered(asks, fault)
    assert generation.finish_reason == "error"
    assert generation.num_generated_tokens > 0


def test_fewer_choices_than_asked_are_returned_with_all_tokens_of_the_reply(asks: Asks) -> None:
    request = replace(ONE, count=3)
    whole, fewer, more = (answered(asks, fault, request, n=3) for fault in ("gzip", "fewer choices", "more choices"))
    assert [g.text for g in fewer] == [g.text for g in whole[:2]]
    assert [g.text for g in more] == [g.text for g in whole]
    assert len({sum(g.num_generated_tokens for g in generations) for generations in (whole, fewer, more)}) == 1
    assert [{g.sharing for g in generations} for generations in (whole, fewer, more)] == [{3}, {2}, {3}]  # the prompt is paid in full
    assert not any(g.remarks for generations in (whole, fewer) for g in generations)
    assert all("choices for 3 asked for" in g.remarks[0].text for g in more)


def test_tokens_read_from_a_cache_are_as_the_endpoint_reports_them(asks: Asks) -> None:
    assert [answered(asks, fault)[0].num_cached_tokens for fault in ("gzip", "cached")] == [0, 2]
    beyond = answered(asks, "cached more than read")[0]
    assert beyond.num_cached_tokens > beyond.num_prompt_tokens
    assert "are above prompt_tokens" in beyond.remarks[0].text


def test_odd_texts(asks: Asks) -> None:
    assert answered(asks, "half a character")[0].text == "half ?"
    assert answered(asks, "no message")[0].text == ""
    assert answered(asks, "a mark first") == answered(asks, "gzip")
    assert answered(asks, "text in parts", replace(ONE, chat=True))[0].text == "in parts"
    assert answered(asks, "includes the stop", params=replace(PARAMS, stop=("X", "END")))[0].text == "before "


def test_of_a_batch_of_several_calls_the_first_failure_stands_for_all(asks: Asks) -> None:
    request = replace(ONE, count=4)
    with Server(faults=["429 seconds", "503"]) as server, pytest.raises(TryAgainError) as error:
        asks(server).generate([request], PARAMS, 0)
    assert error.value.charged  # two of the four were answered
    with Server(faults=["429", "503", "429 seconds", "429"]) as server, pytest.raises(TryAgainError) as error:
        asks(server).generate([request], PARAMS, 0)
    assert not error.value.charged
    with Server(faults=["503", "429 quota"]) as server, pytest.raises(EngineError, match="quota"):
        asks(server).generate([request], PARAMS, 0)


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text()))
def test_whatever_stands_in_the_headers_the_wait_is_a_number_or_none(headers: dict[str, str]) -> None:
    wait = retry_after(headers, 0.0)
    assert wait is None or 0 <= wait < float("inf")


def test_a_small_reply_that_unpacks_to_a_huge_one_is_cut_off(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    monkeypatch.setattr("isocost.engines.openai.client.MOST_BYTES", 1_000_000)
    for status in (200, 500):
        headers = {**JSON, "content-encoding": "gzip"}
        monkeypatch.setitem(FAULTS, "bomb", lambda asked, good, s=status, h=headers: Reply(status=s, body=bomb, headers=h))
        assert "bytes\n" in str(failure(asks, "bomb"))
    headers = {**JSON, "content-encoding": "gzip, gzip"}
    monkeypatch.setitem(FAULTS, "bomb", lambda asked, good: Reply(body=gzip.compress(bomb), headers=headers))
    assert "not JSON" in str(failure(asks, "bomb"))
    many = gzip.compress(b"0" * 100_000) * 20 + gzip.compress(b"") * 100
    monkeypatch.setitem(FAULTS, "bomb", lambda asked, good: Reply(body=many, headers={**JSON, "content-encoding": "gzip"}))
    assert "bytes\n" in str(failure(asks, "bomb"))
    none = gzip.compress(b"") * 60_000
    monkeypatch.setitem(FAULTS, "bomb", lambda asked, good: Reply(body=none, headers={**JSON, "content-encoding": "gzip"}))
    assert "bytes\n" in str(failure(asks, "bomb"))


@pytest.mark.parametrize("encoding", ["gzip,", "identity, gzip", " GZIP ", "x-gzip"])
def test_a_body_that_was_compressed_once_is_unpacked_however_its_header_says_so(
    asks: Asks, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    def packed(asked: Asked, good: Reply) -> Reply:
        members = gzip.compress(good.body[:20]) + gzip.compress(good.body[20:])
        return replace(good, body=members, headers={**JSON, "content-encoding": encoding})

    monkeypatch.setitem(FAULTS, "packed", packed)
    assert answered(asks, "packed") == answered(asks, "gzip")


def test_a_compressed_reply_without_its_checksum_is_read_and_a_shorter_one_is_not(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    monkeypatch.setitem(FAULTS, "cut", lambda asked, good: replace(good, body=gzip.compress(good.body)[:-8], headers=headers))
    assert answered(asks, "cut") == answered(asks, "gzip")
    monkeypatch.setitem(FAULTS, "cut", lambda asked, good: replace(good, body=gzip.compress(good.body)[:-20], headers=headers))
    error = failure(asks, "cut")
    assert isinstance(error, TryAgainError)
    assert error.charged


@pytest.mark.parametrize("begin", ["data: {}\n\n", ": PROCESSING\n\ndata: {}\n\n", "\nevent: message\ndata: {}\n\n", "id: 1\ndata: {}\n\n"])
def test_a_stream_is_not_asked_for_again(asks: Asks, monkeypatch: pytest.MonkeyPatch, begin: str) -> None:
    monkeypatch.setitem(FAULTS, "stream", lambda asked, good: Reply(body=begin.encode(), headers={"content-type": "text/plain"}))
    with Server(faults=["stream"]) as server, pytest.raises(EngineError, match="streams its reply, which was not asked for") as error:
        asks(server).generate([ONE], PARAMS, 0)
    assert not isinstance(error.value, TryAgainError)


def test_of_a_batch_of_several_calls_all_tokens_are_charged(asks: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(asked: Asked, good: Reply) -> Reply:
        return replace(good, body=json.dumps({**json.loads(good.body), "usage": {"prompt_tokens": 7, "completion_tokens": 900}}).encode())

    monkeypatch.setitem(FAULTS, "lie", lie)
    with Server(faults=["lie", "lie"], hold=3) as server, pytest.raises(UsageError) as error:
        asks(server).generate([replace(ONE, count=3)], PARAMS, 0)
    assert error.value.prompt_tokens == 7 + 7 + len(ONE.prompt.split())
    assert error.value.generated_tokens is not None
    assert 1800 < error.value.generated_tokens < 1800 + PARAMS.max_tokens

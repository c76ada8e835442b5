"""Lines of batch files: what is written, and what is made of each kind of line that comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from isocost.engines.base import Request
from isocost.engines.openai.batchlines import BatchLines, url_of
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.options import OpenAIOptions
from isocost.errors import EngineError, ModelError, NotRunError, RefusedPromptError, TryAgainError, UsageError
from isocost.records import SamplingParams
from tests.engines.openai.replies import Asked, any_answer, completion

PARAMS = SamplingParams(temperature=0.5, top_p=0.9, max_tokens=64)
PLAIN = Request(problem_id="p1", prompt="Q: how many?\nA:", first_index=0, count=1)
ENDPOINT = Endpoint(base_url="https://api.example.com/v1", model="tiny", key_variable="KEY", key=None)


USED = {"prompt_tokens": 9, "completion_tokens": 5}


def lines(**options: Any) -> BatchLines:
    return BatchLines(ENDPOINT, OpenAIOptions(model="tiny", base_url=ENDPOINT.base_url, **options))


def written(request: Request = PLAIN, **options: Any) -> dict[str, Any]:
    line = lines(**options).write("id-1", request, PARAMS, 7)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return json.loads(line)  # type: ignore[no-any-return]


def reply(status: int = 200, **changes: Any) -> dict[str, Any]:
    """The line of a right reply, with changes of its body."""
    body = completion(Asked(path="/v1/completions", headers={}, body=written()["body"]), any_answer)
    return {"custom_id": "id-1", "response": {"status_code": status, "body": {**body, **changes}}, "error": None}


def failed(status: int, message: str = "no", **fields: Any) -> dict[str, Any]:
    return {"custom_id": "id-1", "response": {"status_code": status, "body": {"error": {"message": message, **fields}}}, "error": None}


def test_a_line_is_the_request_that_would_be_sent_singly() -> None:
    line = written()
    seed = line["body"].pop("seed")
    assert line == {
        "custom_id": "id-1",
        "method": "POST",
        "url": "/v1/completions",
        "body": {"model": "tiny", "prompt": PLAIN.prompt, "temperature": 0.5, "top_p": 0.9, "max_tokens": 64},
    }
    assert isinstance(seed, int)
    assert written(replace(PLAIN, first_index=1))["body"]["seed"] != seed
    assert "seed" not in written(seeds=False)["body"]


def test_a_conversation_goes_to_chat_and_several_solutions_are_asked_for_at_once() -> None:
    line = written(replace(PLAIN, chat=True, system="Be brief.", count=3), n=3)
    assert (line["url"], line["body"]["n"]) == ("/v1/chat/completions", 3)
    assert line["body"]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert url_of(PLAIN, OpenAIOptions(model="tiny", base_url="https://x/openai/v1", api="chat")) == "/v1/chat/completions"
    with pytest.raises(ModelError):
        written(replace(PLAIN, chat=True), api="completions")


def test_other_parameters_of_the_next_call_are_written() -> None:
    one = lines()
    first = json.loads(one.write("a", PLAIN, PARAMS, 7))["body"]
    second = json.loads(one.write("b", PLAIN, replace(PARAMS, max_tokens=8), 7))["body"]
    assert (first["max_tokens"], second["max_tokens"]) == (64, 8)


def test_a_reply_is_read_with_the_seed_of_its_request() -> None:
    (found,) = lines().read(reply(), PLAIN, PARAMS, 7)
    assert (found.seed, found.finish_reason) == (written()["body"]["seed"], "stop")
    assert found.text == any_answer(PLAIN.prompt, found.seed, 0)
    assert found.num_prompt_tokens == 4


@pytest.mark.parametrize("code", ["batch_expired", "batch_cancelled", "BATCH_EXPIRED"])
def test_a_line_that_did_not_run_costs_nothing(code: str) -> None:
    line = {"custom_id": "id-1", "response": None, "error": {"code": code, "message": "not run in time"}}
    with pytest.raises(NotRunError) as raised:
        lines().read(line, PLAIN, PARAMS, 7)
    assert not raised.value.charged


@pytest.mark.parametrize(
    ("line", "error", "charged"),
    [
        (failed(429), TryAgainError, False),
        (failed(500), TryAgainError, True),
        ({"custom_id": "id-1", "response": None, "error": {"code": "server_error", "message": "broken"}}, TryAgainError, True),
        ({"custom_id": "id-1"}, TryAgainError, True),
        ({"custom_id": "id-1", "response": "rubbish"}, TryAgainError, True),
        ({"custom_id": "id-1", "response": {"status_code": "200"}}, TryAgainError, True),
        (reply(choices="none"), TryAgainError, True),
        (failed(400, "Invalid prompt: it was flagged", code="invalid_prompt"), RefusedPromptError, True),
        (reply(usage={"prompt_tokens": 1, "completion_tokens": 10**6}), UsageError, True),
        (reply(usage=None), UsageError, True),
    ],
)
def test_a_line_without_a_solution_raises_as_a_single_call_would(line: dict[str, Any], error: type[EngineError], charged: bool) -> None:
    with pytest.raises(error) as raised:
        lines().read(line, PLAIN, PARAMS, 7)
    assert raised.value.charged is charged


@pytest.mark.parametrize("status", [400, 402, 413, 429, 503])
def test_a_line_with_an_error_that_counts_tokens_may_be_charged(status: int) -> None:
    line = failed(status)
    with pytest.raises(EngineError) as raised:
        lines().read({**line, "response": {**line["response"], "body": {**line["response"]["body"], "usage": USED}}}, PLAIN, PARAMS, 7)
    assert raised.value.charged


@pytest.mark.parametrize("status", ["200", 200.0, None])
def test_a_paid_reply_is_read_however_its_status_is_written(status: object) -> None:
    line = reply()
    line["response"]["status_code"] = status
    assert lines().read(line, PLAIN, PARAMS, 7) == lines().read(reply(), PLAIN, PARAMS, 7)


@pytest.mark.parametrize("status", [True, "2e2", "-200", [200], 1e300, float("nan"), "9" * 5000])
def test_a_status_that_is_no_number_is_no_reply(status: object) -> None:
    line = reply()
    line["response"]["status_code"] = status
    with pytest.raises(TryAgainError) as raised:
        lines().read(line, PLAIN, PARAMS, 7)
    assert raised.value.charged


def test_a_prompt_that_is_too_long_is_refused_and_costs_nothing() -> None:
    line = failed(400, "This model's maximum context length is 8 tokens", code="context_length_exceeded")
    with pytest.raises(RefusedPromptError) as raised:
        lines().read(line, replace(PLAIN, count=2), PARAMS, 7)
    assert (raised.value.certain, raised.value.charged) == (True, False)
    assert raised.value.reason.startswith("too long (400)")


def test_a_reply_of_another_model_is_remarked_once() -> None:
    one = lines()
    first, second = (one.read(reply(model="other"), PLAIN, PARAMS, 7)[0] for _ in range(2))
    assert "answers as 'other'" in first.remarks[0].text
    assert second.remarks == ()

"""What the tests' endpoint answers: replies that depend on prompt and seed alone, and every misbehaviour by name."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came. `body` is {} where there was none."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def prompt(self) -> str:
        """What the model reads: the prompt, or the messages one a line."""
        messages = self.body.get("messages")
        return str(self.body.get("prompt", "")) if messages is None else "\n".join(f"{m['role']}: {m['content']}" for m in messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back. With `cut` the connection closes before the promised end, with `silent` nothing is ever sent."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    cut: bool = False
    silent: bool = False


Answer = Callable[[str, int | None, int], str]


def any_answer(prompt: str, seed: int | None, choice: int) -> str:
    """The same text for the same prompt, seed and choice, on any machine."""
    number = int(hashlib.sha256(f"{seed} {choice} {prompt}".encode()).hexdigest()[:8], 16)
    return f"Out of {number} comes this: the answer is {number % 10}."


def completion(asked: Asked, answer: Answer) -> dict[str, Any]:
    """The right reply. A token is a word; `stop` and the limit on tokens are kept."""
    body, chat = asked.body, asked.path.endswith("/chat/completions")
    limit = body.get("max_tokens", body.get("max_completion_tokens", 16))
    choices, generated = [], 0
    for index in range(body.get("n", 1)):
        text = answer(asked.prompt, body.get("seed"), index)
        for stop in body.get("stop") or ():
            text = text.partition(stop)[0]
        words = text.split(" ")
        generated += min(len(words), limit)
        said = " ".join(words[:limit])
        choices.append(
            {"index": index, "finish_reason": "length" if len(words) > limit else "stop"}
            | ({"message": {"role": "assistant", "content": said}} if chat else {"text": said})
        )
    prompt_tokens = len(asked.prompt.split())
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": generated, "total_tokens": prompt_tokens + generated}
    return {
        "id": "x",
        "object": "chat.completion" if chat else "text_completion",
        "model": body.get("model"),
        "choices": choices,
        "usage": usage,
    }


def refusal(status: int, message: str, *, code: str | int | None = None, headers: Mapping[str, str] = JSON) -> Reply:
    """An error as OpenAI's API writes it."""
    error = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return Reply(status=status, body=json.dumps(error).encode(), headers={**JSON, **headers})


def _cut(good: Reply) -> Reply:
    return replace(good, cut=True)


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Asked, Reply], Reply]:
    def fault(asked: Asked, good: Reply) -> Reply:
        body = json.loads(good.body)
        change(body)
        return replace(good, body=json.dumps(body).encode())

    return fault


def _status(status: int, **headers: str) -> Callable[[Asked, Reply], Reply]:
    return lambda asked, good: refusal(status, f"refused with {status}", headers={k.replace("_", "-"): v for k, v in headers.items()})


def _body(body: bytes) -> Callable[[Asked, Reply], Reply]:
    return lambda asked, good: Reply(body=body)


def _echo(status: int) -> Callable[[Asked, Reply], Reply]:
    return lambda asked, good: refusal(status, f"bad header\x1b[31m {asked.headers.get('authorization')}\nsecond line")


def _body_of(status: int, **error: str) -> Callable[[Asked, Reply], Reply]:
    """An error whose fields stand at the top, as vLLM once wrote them."""
    return lambda asked, good: Reply(status=status, body=json.dumps({"object": "error", **error}).encode())


def _without_text(body: dict[str, Any]) -> None:
    """Filter every choice before its first token: the prompt alone is charged."""
    for choice in body["choices"]:
        choice.update(text="", message={"role": "assistant", "content": ""}, finish_reason="content_filter")
    body["usage"].update(completion_tokens=0, total_tokens=body["usage"]["prompt_tokens"])


def _set(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(body: dict[str, Any]) -> None:
        body["choices"][0][key] = value

    return change


FAULTS: dict[str, Callable[[Asked, Reply], Reply]] = {
    **{str(status): _status(status) for status in (400, 402, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, 520, 529)},
    "429 seconds": _status(429, retry_after="7"),
    "429 date": _status(429, date="Wed, 21 Oct 2026 07:28:00 GMT", retry_after="Wed, 21 Oct 2026 07:28:30 GMT"),
    "429 past date": _status(429, date=formatdate(1_800_000_000, usegmt=True), retry_after=formatdate(0, usegmt=True)),
    "429 milliseconds": _status(429, retry_after="3", retry_after_ms="2500"),
    "429 nonsense": _status(429, retry_after="soon"),
    "429 infinite": _status(429, retry_after="inf"),
    "429 quota": lambda asked, good: refusal(429, "You exceeded your current quota", code="insufficient_quota"),
    "echoes the key": _echo(400),
    "echoes the key forbidden": _echo(403),
    "echoes the key in 500": _echo(500),
    "echoes the key inside": lambda asked, good: Reply(body=_echo(200)(asked, good).body),
    "long message": lambda asked, good: refusal(400, "long " * 1000),
    "Azure's filter": lambda asked, good: refusal(400, "The response was filtered", code="content_filter"),
    "OpenAI's flag": lambda asked, good: refusal(400, "Invalid prompt: it was flagged", code="invalid_prompt"),
    "context code": lambda asked, good: refusal(400, "Too many.", code="context_length_exceeded"),
    "llama.cpp context": _body_of(
        400, message="the request exceeds the available context size, try to increase it", type="exceed_context_size_error"
    ),
    "SGLang context": _body_of(400, message="Input length (70 tokens) exceeds the model's maximum context length (64 tokens)."),
    "vLLM context": _body_of(400, message="The prompt (length 70) is longer than the maximum model length of 64."),
    "closes mid reply": lambda asked, good: _cut(replace(good, body=good.body[: len(good.body) // 2])),
    "closes at once": lambda asked, good: Reply(silent=True, cut=True),
    "hangs": lambda asked, good: Reply(silent=True),
    "empty": _body(b""),
    "not UTF-8": _body(b'{"choices": [{"text": "\xff\xfe"}]}'),
    "truncated": lambda asked, good: replace(good, body=good.body[:-9]),
    "HTML": lambda asked, good: Reply(body=b"<html>busy</html>", headers={"content-type": "text/html"}),
    "not gzip": lambda asked, good: replace(good, headers={**JSON, "content-encoding": "gzip"}),
    **{f"charset {name}": _status(500, content_type=f"application/json; charset={name}") for name in ("hex", "idna", "rot13", "undefined")},
    "a mark first": lambda asked, good: replace(good, body=b"\xef\xbb\xbf" + good.body),
    "cookies": lambda asked, good: replace(good, headers={**JSON, "set-cookie": "own=1; Path=/"}),
    "gzip": lambda asked, good: replace(good, body=gzip.compress(good.body), headers={**JSON, "content-encoding": "gzip"}),
    "deep": _body(b"[" * 100_000),
    "a list": _body(b"[]"),
    "error inside": _body(b'{"error": {"message": "upstream is gone", "code": 502}}'),
    "error beside": _changed(
        lambda body: body.update(
            choices=[{"index": 0, "finish_reason": "stop", "text": None, "message": {"role": "assistant", "content": None}}],
            usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            error={"message": "Provider returned error", "code": 429},
        )
    ),
    "no choices": _changed(lambda body: body.update(choices=[])),
    "fewer choices": _changed(lambda body: body["choices"].pop()),
    "more choices": _changed(lambda body: body["choices"].append(body["choices"][0])),
    "wrong choice": _changed(lambda body: body.update(choices=["text"])),
    "wrong text": _changed(lambda body: body["choices"][0].update(text=5, message={"content": 5})),
    "no message": _changed(lambda body: body["choices"][0].update(text=None, message=None)),
    "text in parts": _changed(_set("message", {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "in parts"}]})),
    "half a character": _changed(_set("text", "half \ud83d")),
    "includes the stop": _changed(_set("text", "before END after X")),
    "no usage": _changed(lambda body: body.pop("usage")),
    "wrong usage": _changed(lambda body: body.update(usage={"prompt_tokens": "many", "completion_tokens": -1})),
    "huge usage": _changed(lambda body: body.update(usage={"prompt_tokens": 10**400, "completion_tokens": 1})),
    "cached": _changed(lambda body: body["usage"].update(prompt_tokens_details={"cached_tokens": 2})),
    "cached more than read": _changed(lambda body: body["usage"].update(prompt_tokens_details={"cached_tokens": 10**6})),
    "filtered": _changed(_set("finish_reason", "content_filter")),
    "filtered at once": _changed(_without_text),
    "calls a tool": _changed(_set("finish_reason", "tool_calls")),
    "no finish reason": _changed(_set("finish_reason", None)),
    "304": lambda asked, good: Reply(status=304, headers={}),
    "redirects": lambda asked, good: Reply(status=307, headers={"location": "http://127.0.0.1:9/v1/completions"}),
}

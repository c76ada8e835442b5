"""Read a reply of an endpoint. A reply is hostile: every field is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from isocost.engines.base import Generation, sound
from isocost.engines.openai.usage import Bounds, read_usage, refuse_beyond
from isocost.records import FinishReason

# Where a message has what the model wrote: its thoughts, its answer, its calls of tools. A refusal may be a filter's own words, for free.
_WRITTEN = ("reasoning_content", "reasoning", "thinking", "content", "text", "tool_calls", "function_call", "function", "arguments")
# In lower case: gateways pass on the names of the provider behind them, such as STOP of Gemini and COMPLETE of Cohere.
_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "complete": "stop",
    "completed": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
}
_FAILED = {"content_filter", "tool_calls", "function_call", "error", "refusal"}  # ends that need no remark


class BadReplyError(Exception):
    """Raised for a reply that cannot be read; the message is the reason."""


def read_reply(content: bytes, bounds: Bounds, stop: Sequence[str], seed: int | None) -> list[Generation]:
    """Return the solutions of a reply: as many as were asked for, or fewer.

    The endpoint tells the tokens of all choices in one sum. It is split in proportion to the texts' lengths in bytes (each one longer,
    for the end token), by largest remainder: a choice's own number is an estimate where several were asked for, the sum is exact. A
    reasoning model's hidden tokens are in it, its hidden text is not in the solution.

    Args:
        content: The body.
        bounds: What was asked for; choices that come beyond it are left out, their tokens are not.
        stop: Strings that end a solution, cut off with what follows where the endpoint left them in.
        seed: What the request was seeded with.

    Raises:
        BadReplyError: it is not JSON, not UTF-8, or has another shape.
        BadUsageError: its `usage` cannot be right.
    """
    reply = _parsed(content)
    try:
        choices = _choices(reply)
        read = [_choice(choice, stop) for choice in choices[: bounds.choices]]
        if reply.get("error") and not any(text for text, _ in read):  # a router's way to say that who answers for it has failed
            raise BadReplyError(f"no solution{_error_text(reply)}")
    except BadReplyError:
        if isinstance(reply, dict):
            refuse_beyond(reply.get("usage"), bounds)
        raise
    ended = any(reason != "error" for _, reason in read)
    usage = read_usage(reply.get("usage"), list(map(_written, choices)), bounds, ended=ended)
    shares = split(usage.generated, [len(text.encode()) + 1 for text, _ in read])
    return [
        Generation(
            text=text,
            num_prompt_tokens=usage.prompt,
            num_generated_tokens=tokens,
            finish_reason=reason,
            num_cached_tokens=usage.cached,
            sharing=len(read),
            seed=seed,
            reported_usd=None if usage.usd is None else usage.usd / len(read),
            remark=usage.remark or _beyond(choices, bounds) or _unknown_end(choices[: bounds.choices]),
        )
        for (text, reason), tokens in zip(read, shares, strict=True)
    ]


def _choices(reply: Any) -> list[Any]:
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not choices or not isinstance(choices, list):
        raise BadReplyError(f"no choices{_error_text(reply)}")
    return choices


def _beyond(choices: Sequence[Any], bounds: Bounds) -> str:
    """Return a remark on choices that nobody asked for: they are left out, and their tokens are counted with those that were asked for."""
    if len(choices) <= bounds.choices:
        return ""
    return f"returned {len(choices)} choices for {bounds.choices} asked for; the others are left out, their tokens are charged"


def _unknown_end(choices: Sequence[dict[str, Any]]) -> str:
    """Return a remark on a finish reason that nobody knows: its draws are charged and not graded, which the user should hear of early."""
    for choice in choices:
        reason = choice.get("finish_reason")
        name = reason.lower() if isinstance(reason, str) else ""
        if name not in _FAILED and name not in _FINISH:
            shown = json.dumps(reason)[:40]
            return f"ends a reply with finish_reason {shown}, which is not known; such draws are charged and not graded"
    return ""


def reply_id(content: bytes) -> str:
    """Return the id that an endpoint gave to a reply, to find it in the endpoint's own logs; "" where it gave none."""
    try:
        reply = _parsed(content)
    except BadReplyError:
        return ""
    given = reply.get("id") if isinstance(reply, dict) else None
    return given if isinstance(given, str) else ""


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))  # some write a mark first
    except (ValueError, RecursionError) as error:
        raise BadReplyError("not JSON" if content else "an empty reply") from error


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Return integer shares of `total` in proportion to positive weights; their sum is `total`. Largest remainder, the first of equals."""
    if len(weights) == 1:
        return [total]
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def _choice(choice: Any, stop: Sequence[str]) -> tuple[str, FinishReason]:
    if not isinstance(choice, dict):
        raise BadReplyError("a choice is no object")
    text = _text(choice)
    if not isinstance(text, str):
        raise BadReplyError("a choice without a text")
    ends = [at for at in map(text.find, stop) if at >= 0]
    return sound(text[: min(ends)] if ends else text), _finish(choice.get("finish_reason"))


def _text(choice: dict[str, Any]) -> object:
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text", "")
    if isinstance(text, list):
        return "".join(part["text"] for part in text if isinstance(part, dict) and isinstance(part.get("text"), str))
    return "" if text is None else text


def _written(choice: Any) -> str:
    """Return all that a choice shows of what the model wrote, equal texts once: some endpoints give the reasoning under two names."""
    if not isinstance(choice, dict):
        return ""
    message = choice.get("message")
    texts: dict[str, None] = {}
    waiting = [message if isinstance(message, dict) else choice.get("text")]
    while waiting:  # not by recursion: a reply may be nested as deep as JSON can be
        part = waiting.pop()
        if isinstance(part, str):
            texts[part] = None
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part[key] for key in _WRITTEN if key in part)
    return "".join(texts)


def _finish(reason: object) -> FinishReason:
    """Return the finish reason. Filtered replies, tool calls and unknown reasons are `error`: charged, and not graded."""
    return _FINISH.get(reason.lower(), "error") if isinstance(reason, str) else "error"


def _error_text(reply: Any) -> str:
    error = reply.get("error") if isinstance(reply, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return f": {message}" if isinstance(message, str) else ""

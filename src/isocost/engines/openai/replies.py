"""Reading what an endpoint replied. A reply is hostile: every field is checked before it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from isocost.engines.base import Generation
from isocost.engines.openai.sound import sound
from isocost.records import FinishReason

_MOST_TOKENS = 2**31
_FINISH: dict[object, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
}


class BadReplyError(Exception):
    """A reply that cannot be read; the message says why."""


class NoUsageError(Exception):
    """A reply that does not say how many tokens it took."""


def read_reply(content: bytes, asked: int, stop: Sequence[str], seed: int | None) -> list[Generation]:
    """The solutions of a reply, `asked` of them or fewer.

    The endpoint tells the tokens of all choices in one sum. It is split in proportion to the texts' lengths in bytes (each one longer,
    for the end token), by largest remainder: a choice's own number is an estimate where `asked` is above 1, the sum is exact. A
    reasoning model's hidden tokens are in it, its hidden text is not in the solution.

    Args:
        content: The body.
        asked: How many choices were asked for; what comes beyond them is left out, its tokens are not.
        stop: Strings that end a solution, cut off with what follows where the endpoint left them in.
        seed: What the request was seeded with.

    Raises:
        BadReplyError: it is not JSON, not UTF-8, or has another shape.
        NoUsageError: it has no `usage`.
    """
    try:
        reply = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise BadReplyError("not JSON" if content else "an empty reply") from error
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not choices or not isinstance(choices, list):
        raise BadReplyError(f"no choices{_said(reply)}")
    read = [_choice(choice, stop) for choice in choices[:asked]]
    usage = reply.get("usage")
    if usage is None:
        raise NoUsageError
    prompt, generated, cached = _usage(usage)
    return [
        Generation(
            text=text,
            num_prompt_tokens=prompt,
            num_generated_tokens=tokens,
            finish_reason=reason,
            num_cached_tokens=cached,
            sharing=asked,
            seed=seed,
        )
        for (text, reason), tokens in zip(read, split(generated, [len(text.encode()) + 1 for text, _ in read]), strict=True)
    ]


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Whole shares of `total` in proportion to positive weights; their sum is `total`. Largest remainder, the first of equals."""
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
    message = choice.get("message")
    said = message.get("content") if isinstance(message, dict) else choice.get("text", "")
    if isinstance(said, list):
        said = "".join(part["text"] for part in said if isinstance(part, dict) and isinstance(part.get("text"), str))
    if said is None:
        said = ""
    if not isinstance(said, str):
        raise BadReplyError("a choice without a text")
    ends = [at for at in map(said.find, stop) if at >= 0]
    return sound(said[: min(ends)] if ends else said), _finish(choice.get("finish_reason"))


def _finish(reason: object) -> FinishReason:
    """Filtered replies, tool calls and what is not known: charged, and not graded."""
    return _FINISH.get(reason, "error") if isinstance(reason, str) else "error"


def _usage(usage: Any) -> tuple[int, int, int]:
    """Tokens of the prompt, generated, and of the prompt's those read from a cache."""
    if not isinstance(usage, dict):
        raise BadReplyError("usage is no object")
    prompt, generated = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None or generated is None:
        raise BadReplyError("usage without token counts")
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return prompt, generated, min(cached or 0, prompt)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None


def _said(reply: Any) -> str:
    error = reply.get("error") if isinstance(reply, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return f": {message}" if isinstance(message, str) else ""

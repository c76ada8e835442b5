"""Read a reply of an endpoint. A reply is hostile: every field is checked before it is used."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from isocost.digits import json_int
from isocost.engines.base import Generation, Remark, sound
from isocost.engines.openai.troubles import Trouble, has_error, in_reply
from isocost.engines.openai.usage import Bounds, Usage, read_usage, refuse_beyond, uses
from isocost.jsonkeys import RepeatedKeyError, refuse_repeated_keys
from isocost.records import FinishReason

# Where a message has what the model wrote: its thoughts, its answer, its calls of tools. A refusal may be a filter's own words, for free.
_LONGEST_REASON = 40  # characters of a finish reason that are kept
_WRITTEN = ("reasoning_content", "reasoning", "thinking", "content", "text", "tool_calls", "function_call", "function", "arguments")
_REASONING = ("reasoning_content", "reasoning", "thinking", "reasoning_details")  # where it has its thoughts alone
_THOUGHTS = ("text", "thinking", "summary", "content")  # in a part or an entry of these
# In lower case: gateways pass on the names of the provider behind them, such as STOP of Gemini and COMPLETE of Cohere.
_FINISH: dict[str, FinishReason] = {
    **dict.fromkeys(
        ("stop", "eos", "eos_token", "stop_sequence", "stop_token", "end_turn", "end", "complete", "completed", "finished"), "stop"
    ),
    **dict.fromkeys(("length", "model_length", "max_tokens", "max_output_tokens", "max_new_tokens", "token_limit", "max_length"), "length"),
}
_FAILED = {
    *("content_filter", "refusal", "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive"),
    *("tool_calls", "tool_use", "function_call", "error", "network_error"),
}  # ends that need no remark
NO_REASON = "null"  # the name of a finish reason that is null or missing, in the study key `finish_reasons`


class BadReplyError(Exception):
    """Raised for a reply that cannot be read; the message is the reason."""


class ErrorReplyError(Exception):
    """Raised for a reply that holds an error in the place of solutions; `used` is True if it reports tokens all the same."""

    def __init__(self, trouble: Trouble, *, used: bool) -> None:
        super().__init__(trouble.message)
        self.trouble, self.used = trouble, used


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The contents of a choice; `failure` says why there is no solution, where `finish` is `error`."""

    text: str
    reasoning: str
    finish: FinishReason
    failure: str

    @property
    def size(self) -> int:
        """The weight of the choice among others, which share the reply's tokens."""
        return len(self.text.encode()) + len(self.reasoning.encode()) + 1


def read_reply(
    reply: Any, bounds: Bounds, stop: Sequence[str], seed: int | None, finish_reasons: Mapping[str, FinishReason] = MappingProxyType({})
) -> list[Generation]:
    """Return the solutions of a reply: as many as were asked for, or fewer.

    The endpoint tells the tokens of all choices in one sum. It is split in proportion to the texts' lengths in bytes (each one longer,
    for the end token), by largest remainder: a choice's own number is an estimate where several were asked for, the sum is exact. A
    reasoning model's tokens are in it, its reasoning is beside the solution, not in it. Where some choices are errors or cannot be read,
    the others count.

    Args:
        reply: The body, `parsed`.
        bounds: What was asked for; choices that come beyond it are left out, their tokens are not.
        stop: Strings that end a solution, cut off with what follows where the endpoint left them in.
        seed: What the request was seeded with.
        finish_reasons: The meaning of finish reasons, before isocost's own.

    Raises:
        BadReplyError: it has another shape.
        ErrorReplyError: it holds an error, at the top or in every choice, which counts before its choices.
        BadUsageError: its `usage` cannot be right.
    """
    reported = reply.get("usage") if isinstance(reply, dict) else None
    if trouble := in_reply(reply):
        refuse_beyond(reported, bounds)
        raise ErrorReplyError(trouble, used=uses(reported))
    known = {**_FINISH, **{name.lower(): meaning for name, meaning in finish_reasons.items()}} if finish_reasons else _FINISH
    try:
        choices = _choices(reply)
        good, read = _readable(choices, bounds.choices, stop, known)
    except BadReplyError:
        refuse_beyond(reported, bounds)
        raise
    ended = any(each.finish != "error" for each in read)
    usage = read_usage(reported, list(map(_written, choices)), bounds, ended=ended)
    remarks = _remarks(usage, choices, good, bounds, known)
    shares = split(usage.generated, [each.size for each in read])
    name = reply.get("model")
    return [
        Generation(
            text=each.text,
            num_prompt_tokens=usage.prompt,
            num_generated_tokens=tokens,
            finish_reason=each.finish,
            num_cached_tokens=usage.cached,
            num_cache_write_tokens=usage.cache_written,
            sharing=len(read),
            seed=seed,
            reported_usd=None if usage.usd is None else usage.usd / len(read),
            remarks=remarks,
            reasoning=each.reasoning,
            num_reasoning_tokens=_reasoning_tokens(each, tokens, usage),
            answered_by=sound(name) if isinstance(name, str) else "",
            failure=each.failure,
        )
        for each, tokens in zip(read, shares, strict=True)
    ]


def _reasoning_tokens(read: _Read, tokens: int, usage: Usage) -> int:
    """Return a choice's tokens of reasoning: its share of the reported ones, else of its own tokens by the lengths of both texts."""
    if usage.reasoning is not None:
        return round(usage.reasoning * tokens / usage.generated) if usage.generated else 0
    return round(tokens * len(read.reasoning.encode()) / read.size)


def _choices(reply: Any) -> list[Any]:
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not choices or not isinstance(choices, list):
        raise BadReplyError("no choices")
    return choices


def _readable(
    choices: Sequence[Any], most: int, stop: Sequence[str], known: Mapping[str, FinishReason]
) -> tuple[list[dict[str, Any]], list[_Read]]:
    """Return the first `most` choices that can be read, as they came and read. The others of a reply are paid, and not lost with one.

    Raises:
        BadReplyError: none can be read, and not all are errors.
    """
    good: list[dict[str, Any]] = []
    read: list[_Read] = []
    bad: BadReplyError | None = None
    for choice in choices:
        if len(read) == most:
            break
        if has_error(choice):
            continue
        try:
            read.append(_choice(choice, stop, known))
            good.append(choice)
        except BadReplyError as error:
            bad = bad or error
    if bad is not None and not read:
        raise bad
    return good, read


def _remarks(
    usage: Usage, choices: Sequence[Any], good: Sequence[dict[str, Any]], bounds: Bounds, known: Mapping[str, FinishReason]
) -> tuple[Remark, ...]:
    """Return remarks on usage, on choices that nobody asked for, and on finish reasons that are not known."""
    found = [Remark("usage", usage.remark)] if usage.remark else []
    if len(choices) > bounds.choices:
        text = f"returned {len(choices)} choices for {bounds.choices} asked for; the others are left out, their tokens are charged"
        found.append(Remark("choices", text))
    names = dict.fromkeys(_finish_name(choice) for choice in good)
    for name in (name for name in names if name.lower() not in known and name.lower() not in _FAILED):
        shown = json.dumps(name)[:40]
        text = (
            f"ends a reply with finish_reason {shown if name != NO_REASON else NO_REASON}, which is not known; such draws are charged and "
            f"not graded: if they are complete, set finish_reasons: {{{shown}: stop}} in the model's section"
        )
        found.append(Remark(f"finish {name}", text))
    return tuple(found)


def _finish_name(choice: Mapping[str, Any]) -> str:
    reason = choice.get("finish_reason")
    return (reason.strip() if isinstance(reason, str) else json.dumps(reason))[:_LONGEST_REASON]


def reply_id(reply: Any) -> str:
    """Return the id that an endpoint gave to a reply, to find it in the endpoint's own logs; "" where it gave none."""
    given = reply.get("id") if isinstance(reply, dict) else None
    return given if isinstance(given, str) else ""


def parsed(content: bytes) -> Any:
    """Parse the body of a reply.

    Raises:
        BadReplyError: it is not JSON, or not UTF-8, or an object in it has a key twice.
    """
    try:
        text = content.decode("utf-8-sig")  # some write a mark first
        try:
            reply = json.loads(text)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number of more digits than Python reads at once
            reply = json.loads(text, parse_int=json_int)
        refuse_repeated_keys(text, reply)  # of two usages the last would be charged, of two lists of choices the last kept
        return reply
    except RepeatedKeyError as error:
        raise BadReplyError(f"ambiguous: {error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnicodeDecodeError) or b"\0" in content:  # UTF-16 has zero bytes
            raise BadReplyError("not JSON in UTF-8, but in another encoding") from error
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


def _choice(choice: Any, stop: Sequence[str], known: Mapping[str, FinishReason]) -> _Read:
    if not isinstance(choice, dict):
        raise BadReplyError("a choice is no object")
    text = _text(choice)
    if not isinstance(text, str):
        raise BadReplyError("a choice without a text")
    ends = [at for at in map(text.find, stop) if at >= 0]
    text = sound(text[: min(ends)] if ends else text)
    # Tool calls and reasons that are not known are errors too: charged, and not graded.
    name = _finish_name(choice)
    finish = known.get(name.lower(), "error")
    failure = f"finish_reason {name or json.dumps(name)}" if finish == "error" else ""
    message = _message(choice)
    refusal = message.get("refusal") if isinstance(message, dict) else None
    if isinstance(refusal, str) and refusal.strip() and not text.strip():
        finish, failure = "error", f"refused: {sound(refusal.strip())}"
    return _Read(text=text, reasoning=sound(_reasoning(message)), finish=finish, failure=failure)


def _reasoning(message: Any) -> str:
    """Return the reasoning that a message holds beside its content, equal texts once."""
    if not isinstance(message, dict):
        return ""
    content = message.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    waiting = deque(message.get(key) for key in _REASONING)
    waiting.extend(part for part in parts if "think" in str(part.get("type")) or "reason" in str(part.get("type")))
    texts: dict[str, None] = {}
    while waiting:  # not by recursion: a reply may be nested as deep as JSON can be
        part = waiting.popleft()
        if isinstance(part, str):
            texts[part] = None
        elif isinstance(part, list):
            waiting.extendleft(reversed(part))
        elif isinstance(part, dict):
            waiting.extendleft(part.get(key) for key in reversed(_THOUGHTS))
    return "".join(texts)


def _message(choice: Mapping[str, Any]) -> Any:
    """Return the message of a choice. Some gateways leave it under `delta`, its name in a stream."""
    message = choice.get("message")
    return choice.get("delta") if message is None else message


def _text(choice: dict[str, Any]) -> object:
    """Return the text of a choice; None where it has no place for one, unless it says why: that it was filtered, or reached max_tokens."""
    message = _message(choice)
    text = message.get("content") if isinstance(message, dict) else None
    if text is None:  # a completion, or a conversation whose answer stands beside the message
        text = choice.get("text")
    if isinstance(text, list):
        answers = [part for part in text if not isinstance(part, dict) or "think" not in str(part.get("type"))]
        texts = (part.get("text") if isinstance(part, dict) else part for part in answers)
        return "".join(each for each in texts if isinstance(each, str))
    is_somewhere = isinstance(message, dict) or any(key in choice for key in ("message", "text"))
    is_somewhere = is_somewhere or choice.get("finish_reason") in ("content_filter", "length")
    return "" if text is None and is_somewhere else text


def _written(choice: Any) -> str:
    """Return all that a choice shows of what the model wrote, equal texts once: some endpoints give the reasoning under two names."""
    if not isinstance(choice, dict):
        return ""
    message = _message(choice)
    texts: dict[str, None] = {}
    waiting = [message if isinstance(message, dict) else None]
    if not isinstance(message, dict) or message.get("content") is None:
        waiting.append(choice.get("text"))
    while waiting:  # not by recursion: a reply may be nested as deep as JSON can be
        part = waiting.pop()
        if isinstance(part, str):
            texts[part] = None
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part[key] for key in _WRITTEN if key in part)
    return "".join(texts)

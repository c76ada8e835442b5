"""Check the usage that an endpoint reports: the bill and the limit are made from it, so it is compared with what was sent and what came.

Wrong usage is not a bad sample but a bad meter. A reply that fails a check stops the run, since every further reply would be measured by
the same meter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TOKENS_PER_MESSAGE = 64  # what a chat format adds to a message, or a tokenizer to plain text, generously
BYTES_PER_TOKEN = 16  # more than any text of the recorded pools has on average: docs/engines.md
BYTES_OF_SEVERAL = 8  # the same of several choices: llama.cpp's server counts one of them, and the recorded pools have at most 5.6
MOST_HIDDEN = 10_000_000  # tokens that a request may have beyond what was sent or asked for: no model's context is longer
ONE_TOKEN = 32  # bytes; vocabularies have single tokens of that length, and an answer may be one of them
_MOST = 2**53  # beyond it JSON numbers are not whole any more
_MOST_DOLLARS = 1e9  # for one reply
_DIGITS = len(str(_MOST))
_CACHE_READ = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_read_tokens")  # OpenAI, DeepSeek, Anthropic
_CACHE_WRITE = ("cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens")  # OpenRouter, Anthropic, LiteLLM
_SPACES = re.compile(r"\s+")
_REPEATS = re.compile(r"(.{1,8}?)\1{2,}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most that a reply to one request can honestly report.

    Attributes:
        choices: Choices asked for.
        max_tokens: Tokens that each may have.
        prompt_bytes: UTF-8 bytes of all messages that were sent.
        messages: Messages that were sent; a plain prompt is one.
        hidden_prompt_tokens: Prompt tokens that the endpoint adds by itself.
        bytes_per_token: UTF-8 bytes that a token has at most, on average over a reply.
        texts: The messages, to tell the least tokens that they have; () if that is not checked.
    """

    choices: int
    max_tokens: int
    prompt_bytes: int
    messages: int = 1
    hidden_prompt_tokens: int = 0
    bytes_per_token: float = BYTES_PER_TOKEN
    texts: tuple[str, ...] = ()

    @property
    def prompt_tokens(self) -> int:
        """The maximum of prompt tokens: a token has at least one byte."""
        return self.prompt_bytes + TOKENS_PER_MESSAGE * self.messages + self.hidden_prompt_tokens

    @property
    def generated_tokens(self) -> int:
        """The maximum of generated tokens."""
        return self.choices * self.max_tokens

    def are_possible(self, prompt: int, generated: int) -> bool:
        """Return True if any model could have read and written so much for the request, with a prompt or a limit of the endpoint's own."""
        return prompt <= self.prompt_tokens + MOST_HIDDEN and generated <= self.generated_tokens + self.choices * MOST_HIDDEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Usage that passed every check.

    Attributes:
        prompt: Tokens of the prompt.
        generated: Tokens generated for all choices, hidden reasoning included.
        cached: Those read from a cache. Where the two of a cache are above the prompt's, they are counted apart from it, and all three are
            together no more than the maximum.
        cache_written: Those written to a cache.
        usd: What the endpoint itself says the reply cost, or None.
        remark: What is odd but possible about it, or "".
        reasoning: Generated tokens that are reasoning, hidden or not; None where it is not reported.
    """

    prompt: int
    generated: int
    cached: int = 0
    cache_written: int = 0
    usd: float | None = None
    remark: str = ""
    reasoning: int | None = None


class BadUsageError(Exception):
    """Raised for usage that cannot be right.

    Attributes:
        advice: The key of the study that settles it.
        prompt, generated: The tokens that it reports, as far as they can be read; None where none can, and where no model has so many:
            such a number is no count, and nothing is charged by it.
    """

    def __init__(self, problem: str, advice: str, prompt: int | None = None, generated: int | None = None) -> None:
        super().__init__(problem)
        self.advice, self.prompt, self.generated = advice, prompt, generated


def read_usage(usage: Any, texts: Sequence[str], bounds: Bounds, *, ended: bool = False) -> Usage:
    """Return the tokens of a reply.

    Generated tokens are the largest of `completion_tokens`, `total_tokens - prompt_tokens`, and `completion_tokens + reasoning_tokens`
    where it reports more reasoning than completion: some endpoints leave hidden reasoning out of `completion_tokens`, and charge for it.
    A total that cannot be read is left out, with a remark: the two counts that are needed stand beside it.

    Args:
        usage: The reply's `usage`, as it came.
        texts: What came, all choices, visible reasoning and calls of tools included.
        bounds: What was sent.
        ended: Whether the model wrote any of the texts to its end, an empty one as well.

    Raises:
        BadUsageError: It is missing, has no whole numbers, is zero beside text, or is more or less than the request and the texts allow.
    """
    try:
        return _checked(usage, texts, bounds, ended)
    except BadUsageError as error:
        if error.generated is None:
            error.prompt, error.generated = _possible(usage, bounds)
        raise


def refuse_beyond(usage: Any, bounds: Bounds) -> None:
    """Refuse usage beside a reply without solutions if it is more than was reserved for the request.

    Raises:
        BadUsageError: It is. Usage that is missing or cannot be read passes: the request is charged at its worst case.
    """
    prompt, generated = _readable(usage)
    if prompt is not None and generated is not None:
        _refuse_more_than_sent(prompt, generated, bounds, "")


def uses(usage: Any) -> bool:
    """Return True if a reply reports tokens, as far as its usage can be read."""
    return any(_readable(usage))


def _checked(usage: Any, texts: Sequence[str], bounds: Bounds, ended: bool) -> Usage:
    if not isinstance(usage, dict):
        raise BadUsageError("reports no usage, so its cost is not known", _ADVICE_MISSING)
    prompt, completion = _needed(usage, "prompt_tokens"), _needed(usage, "completion_tokens")
    generated, remark = _with_reasoning(usage, prompt, completion)
    cached, written = _of_cache(usage, _CACHE_READ) or 0, _of_cache(usage, _CACHE_WRITE) or 0
    # Where the tokens of caches are counted beside the prompt's, all of the prompt may be among them.
    _refuse_zero(prompt + cached + written, generated, texts, bounds, ended)
    _refuse_more_than_sent(prompt, generated, bounds, remark)
    _refuse_less_than_came(prompt, generated, texts, bounds)
    beside = _cached_beside(prompt, cached, written)
    if beside:  # no more than was reserved: all tokens of a prompt together are no more than its bytes can be
        cached = min(cached, bounds.prompt_tokens - prompt)
        written = min(written, bounds.prompt_tokens - prompt - cached)
    return Usage(
        prompt=prompt,
        generated=generated,
        cached=cached,
        cache_written=written,
        usd=_dollars(usage.get("cost")),
        remark=remark or beside or _short_prompt(prompt, bounds) or _odd_total(usage.get("total_tokens")) or _odd_cost(usage.get("cost")),
        reasoning=None if (reasoning := _reasoning(usage)) is None else min(reasoning, generated),
    )


def _of_cache(usage: dict[str, Any], keys: Sequence[str]) -> int | None:
    """Return the prompt tokens of a cache under the first of its names that is there, at the top or in the details; None without any."""
    details = usage.get("prompt_tokens_details")
    for part in (details, usage) if isinstance(details, dict) else (usage,):
        for key in keys:
            # Looked for before it is read: nearly all replies have none of these, and this runs for each of them.
            if key in part and (number := _whole(part[key])) is not None:
                return number
    return None


def _cached_beside(prompt: int, cached: int, written: int) -> str:
    """Return a remark where the tokens of caches are no part of `prompt_tokens`, as in Anthropic's usage: they are more than it has."""
    if cached + written <= prompt:
        return ""
    named = f"cached_tokens {cached:,}" + (f" and cache_write_tokens {written:,}" if written else "")
    return f"{named} are above prompt_tokens {prompt:,}; they are charged beside it, as far as the prompt can have so many"


_ADVICE_MISSING = "switch usage on where the endpoint is started, or with extra_body, or name another base_url"
_ADVICE_WRONG = "no key of the study settles this: update the endpoint, or name another base_url"


def _needed(usage: dict[str, Any], key: str) -> int:
    given = usage.get(key)
    if given is None:
        raise BadUsageError(f"reports usage without {key}, so its cost is not known", _ADVICE_MISSING)
    return _count(given, key)


def _count(given: object, key: str) -> int:
    value = _whole(given)
    if value is None:
        raise BadUsageError(f"reports {key} {given!r:.40}, which is no count of tokens", _ADVICE_WRONG)
    return value


def _whole(given: object) -> int | None:
    """Return a whole number of at least 0, also one that is written 20.0; None for anything else."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= _MOST or given != int(given):
        return None
    return int(given)


def _readable(usage: Any) -> tuple[int | None, int | None]:
    """Return the prompt and generated tokens of usage as far as it can be read, numbers in quotes included; None where none can."""
    if not isinstance(usage, dict):
        return None, None
    prompt, completion, total = (_number(usage.get(key)) for key in ("prompt_tokens", "completion_tokens", "total_tokens"))
    if prompt is completion is total is None:
        return None, None
    return prompt or 0, max(completion or 0, (total or 0) - (prompt or 0))


def _possible(usage: Any, bounds: Bounds) -> tuple[int | None, int | None]:
    """Return `_readable`, or None for both where no model has so many tokens."""
    prompt, generated = _readable(usage)
    return (prompt, generated) if bounds.are_possible(prompt or 0, generated or 0) else (None, None)


def _number(given: object) -> int | None:
    return int(given) if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < _DIGITS else _whole(given)


def _with_reasoning(usage: dict[str, Any], prompt: int, completion: int) -> tuple[int, str]:
    """Return the tokens to charge for, and a remark where they are more than `completion_tokens`."""
    total = _number(usage.get("total_tokens"))
    in_total = 0 if total is None else total - prompt
    reasoning = _reasoning(usage) or 0
    with_reasoning = completion + reasoning if reasoning > completion else completion
    if max(in_total, with_reasoning) <= completion:
        return completion, ""
    if in_total >= with_reasoning:
        return in_total, f"total_tokens {total} - prompt_tokens {prompt} is above completion_tokens {completion}; {in_total} are charged"
    return with_reasoning, f"reasoning_tokens {reasoning} are not in completion_tokens {completion}; {with_reasoning} are charged"


def _reasoning(usage: dict[str, Any]) -> int | None:
    """Return the tokens that are reported as reasoning, None if none are reported."""
    parts = (usage, usage.get("completion_tokens_details"), usage.get("output_tokens_details"))
    found = [_number(part["reasoning_tokens"]) for part in parts if isinstance(part, dict) and "reasoning_tokens" in part]
    return max((number for number in found if number is not None), default=None)


def _refuse_zero(prompt: int, generated: int, texts: Sequence[str], bounds: Bounds, ended: bool) -> None:
    size = sum(_bytes(text) for text in texts)
    if not generated and size:
        raise BadUsageError(f"reports 0 completion tokens for {size:,} bytes of text", _ADVICE_WRONG, prompt, generated)
    if not prompt and (size or generated or ended) and bounds.prompt_bytes:
        raise BadUsageError(f"reports 0 prompt tokens for a prompt of {bounds.prompt_bytes:,} bytes", _ADVICE_WRONG, prompt, generated)


def _refuse_more_than_sent(prompt: int, generated: int, bounds: Bounds, remark: str) -> None:
    if not bounds.are_possible(prompt, generated):
        what = f"{prompt:,} prompt tokens and {generated:,} completion tokens"
        raise BadUsageError(f"reports {what}, more than any model has, so its cost is not known", _ADVICE_WRONG)
    if generated > bounds.generated_tokens:
        of = f"{bounds.choices} x max_tokens {bounds.max_tokens}" if bounds.choices > 1 else f"max_tokens {bounds.max_tokens}"
        advice = (
            "set sampling.max_tokens (of a judge grader.max_tokens or audit.max_tokens) to all that it writes, hidden reasoning included; "
            "if it ignores the limit, set max_tokens_field: max_completion_tokens"
        )
        how = f" ({remark.partition(';')[0]})" if remark else ""
        raise BadUsageError(f"reports {generated:,} completion tokens, more than {of}{how}", advice, prompt, generated)
    if prompt > bounds.prompt_tokens:
        messages = "one message" if bounds.messages == 1 else f"{bounds.messages} messages"
        allowed = f"{bounds.prompt_bytes:,} bytes in {messages} can be (bytes + {TOKENS_PER_MESSAGE} a message)"
        needed = prompt - bounds.prompt_tokens + bounds.hidden_prompt_tokens
        advice = f"if it adds a prompt of its own, set hidden_prompt_tokens to at least {needed}"
        raise BadUsageError(f"reports {prompt:,} prompt tokens, more than {allowed}", advice, prompt, generated)


def _refuse_less_than_came(prompt: int, generated: int, texts: Sequence[str], bounds: Bounds) -> None:
    written = [text for text in texts if text.strip()]
    if generated < len(written):
        problem = f"reports {generated:,} completion tokens for {len(written):,} texts"
        raise BadUsageError(problem, _ADVICE_WRONG, prompt, generated)
    if size := _too_long(written, generated, bounds):
        problem = (
            f"reports {generated:,} completion tokens for {size:,} bytes of text without repeats, over {bounds.bytes_per_token:g} a token"
        )
        advice = f"if its tokens are that long, set bytes_per_token to at least {math.ceil(size / max(generated, 1))}"
        if bounds.choices > 1:
            advice = f"if it counts the tokens of one choice alone, set n: 1; {advice}"
        raise BadUsageError(problem, advice, prompt, generated)


def _short_prompt(prompt: int, bounds: Bounds) -> str:
    """Return a remark on fewer prompt tokens than the messages need: an endpoint may leave out those that it read from a cache."""
    size = _too_long(bounds.texts, prompt, bounds) if prompt else 0
    return f"reports {prompt:,} prompt tokens for {size:,} bytes of prompt, which are charged as reported" if size else ""


def _too_long(texts: Sequence[str], tokens: int, bounds: Bounds) -> int:
    """Return the bytes of texts without repeats if they are more than so many tokens can have, else 0."""
    most = max(tokens * bounds.bytes_per_token, ONE_TOKEN * len(texts))
    if sum(map(_bytes, texts)) <= most:
        return 0
    size = sum(_bytes(_collapsed(text)) for text in texts)
    return size if size > most else 0


def _collapsed(text: str) -> str:
    """Return a text with runs of white space as one space and runs of a short unit as the unit: vocabularies have tokens for those."""
    return _REPEATS.sub(r"\1", _SPACES.sub(" ", text))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _dollars(given: object) -> float | None:
    """Return an endpoint's own cost of a reply, also one that is written as text; None if there is none or it cannot be one."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        dollars = float(given)
    except (ValueError, OverflowError):
        return None
    return dollars if 0 <= dollars < _MOST_DOLLARS else None


def _odd_total(given: object) -> str:
    if given is None or _number(given) is not None:
        return ""
    return f"total_tokens {given!r:.40} is no count of tokens, and is left out"


def _odd_cost(given: object) -> str:
    if given is None or _dollars(given) is not None:
        return ""
    return f"its own cost, {given!r:.40}, is no amount of dollars, and is not recorded"

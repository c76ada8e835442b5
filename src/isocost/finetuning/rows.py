"""Encode training rows as a model sees them: the prompt exactly as when it is asked, the reply, and one end token."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from isocost.engines.encoding import end_tokens, prompt_tokens, render_chat
from isocost.errors import ModelError

IGNORED = -100  # the label that the loss leaves out

Row = Mapping[str, Any]  # `prompt` and `completion`, or `messages`, as TRL documents them


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A row as the model sees it: token ids and as many labels, IGNORED on the prompt."""

    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """The rows that a model can be trained on, and the number of those left out.

    Attributes:
        rows: Rows that fit, in their order.
        n_too_long: Rows with more tokens than the limit. Cutting one would cut off its end.
        n_with_end: Rows whose solution contains an end token, after which the model would stop.
        remarks: Facts about the chat template that a user should know.
        n_with_stop: Rows whose solution contains a stop string, at which the model's answer would be cut.
    """

    rows: list[Encoded]
    n_too_long: int
    n_with_end: int
    remarks: tuple[str, ...] = ()
    n_with_stop: int = 0


class _Reply(NamedTuple):
    prompt: list[int]
    completion: list[int]  # with its end token
    has_end: bool  # an end token stands before its end
    remark: str = ""


def encode(
    tokenizer: Any,
    rows: Sequence[Row],
    *,
    limit: int | None = None,
    ends: Collection[int] = (),
    stop: Collection[str] = (),
    place: str = "",
    chat_date: dt.date | None = None,
) -> Encoding:
    """Turn rows into token ids and labels; the last label is the end token, which occurs nowhere before.

    Args:
        tokenizer: The model's tokenizer.
        rows: Rows with `prompt` and `completion`, or with `messages`, the last of which is the reply.
        limit: The largest number of tokens of a row; None for no limit.
        ends: The tokens at which the model's generation stops, beside the tokenizer's end token.
        stop: Strings that end the model's answer when it is asked.
        place: The model's folder, for errors.
        chat_date: The date for a chat template that asks for it; None for that of the clock.

    Raises:
        ModelError: the tokenizer has no chat template, or one that does not fit a reply to its own prompt.
    """
    stops = end_tokens(tokenizer.eos_token_id, list(ends))
    encoded: list[Encoded] = []
    long = ended = stopped = 0
    remarks: dict[str, None] = {}  # each once, in the order of the rows
    for row in rows:
        reply = _chat(tokenizer, row["messages"], stops, place, chat_date) if "messages" in row else _plain(tokenizer, row, stops)
        if reply.remark:
            remarks[reply.remark] = None
        if reply.has_end:
            ended += 1
        elif _has_stop(row, stop):
            stopped += 1
        elif limit is not None and len(reply.prompt) + len(reply.completion) > limit:
            long += 1
        else:
            labels = [IGNORED] * len(reply.prompt) + reply.completion
            encoded.append(Encoded(input_ids=reply.prompt + reply.completion, labels=labels))
    return Encoding(rows=encoded, n_too_long=long, n_with_end=ended, remarks=tuple(remarks), n_with_stop=stopped)


def _has_stop(row: Row, stop: Collection[str]) -> bool:
    """Return True if an answer would be cut before its last word. A stop string at the very end cuts nothing."""
    reply = str(row["messages"][-1]["content"] if "messages" in row else row["completion"]).rstrip()
    return any(text in reply for text in stop)


def cycled(rows: Sequence[Encoded], seed: int) -> Iterator[Encoded]:
    """Yield the rows repeatedly, each pass in a new order drawn from `seed`: counts of any two rows differ by at most one."""
    rng = random.Random(f"finetuning/{seed}")
    while rows:
        yield from rng.sample(rows, len(rows))


def _plain(tokenizer: Any, row: Row, stops: set[int]) -> _Reply:
    """Encode a prompt and its completion.

    Where both together begin with the prompt's tokens, the rest is the completion. Where a token would reach across the boundary, which
    the model can never generate, the completion is encoded alone.
    """
    prompt = prompt_tokens(tokenizer, row["prompt"], chat=False)
    completion = _after(prompt, prompt_tokens(tokenizer, row["prompt"] + row["completion"], chat=False))
    if completion is None:
        completion = _tokens(tokenizer, row["completion"])
    return _Reply(prompt, [*completion, tokenizer.eos_token_id], has_end=not stops.isdisjoint(completion))


def _chat(tokenizer: Any, messages: Sequence[Mapping[str, str]], stops: set[int], place: str, date: dt.date | None) -> _Reply:
    """Encode a conversation: its prompt is what the model is asked, the rest is the template's up to the first end token."""
    asked = render_chat(tokenizer, messages[:-1], place, date=date)
    whole = render_chat(tokenizer, messages, place, is_prompt=False, date=date)
    content = messages[-1]["content"]
    prompt = prompt_tokens(tokenizer, asked, chat=True)
    has_end = not stops.isdisjoint(_tokens(tokenizer, content))
    if whole.startswith(asked) and not _holds(whole[len(asked) :], content):
        completion = _tokens(tokenizer, content + _ending(whole, content, place))
    elif whole.startswith(asked):
        after = _after(prompt, prompt_tokens(tokenizer, whole, chat=True))
        completion = _tokens(tokenizer, whole[len(asked) :]) if after is None else after
    else:
        completion = _tokens(tokenizer, _continued(asked, whole, content, place))
    places = [at for at, token in enumerate(completion) if token in stops]
    if has_end or not places:
        remark = "" if places else f"its chat template ends no reply with an end token; {tokenizer.eos_token} is added"
        return _Reply(prompt, [*completion, tokenizer.eos_token_id], has_end=has_end, remark=remark)
    remark = f"its chat template writes {len(places)} end tokens after a reply; only the first is kept" if len(places) > 1 else ""
    return _Reply(prompt, completion[: places[0] + 1], has_end=False, remark=remark)


def _continued(asked: str, whole: str, content: str, place: str) -> str:
    """Return the text after a prompt that the template does not repeat before the reply, such as one that opens the reasoning.

    Raises:
        ModelError: the reply does not begin with what the prompt opens.
    """
    # The longest end of the prompt with which the reply begins: the prompt has written it already.
    overlap = next((n for n in range(min(len(asked), len(content)), 0, -1) if asked.endswith(content[:n])), 0)
    common = next((n for n, (left, right) in enumerate(zip(asked, whole, strict=False)) if left != right), min(len(asked), len(whole)))
    opened = asked[common:].strip()  # a finished turn lacks it
    goes_on = "</think>" in content and "<think>" not in content
    if not goes_on and (not overlap or len(content[:overlap].strip()) < len(opened)):
        raise ModelError(
            f"{place}: its chat template asks for a reply with {asked.strip()[-20:]!r}, with which the solutions do not begin\n"
            "  train with finetune.reasoning: keep, or with finetune.format: plain"
        )
    return content[overlap:] + _ending(whole, content, place)


def _holds(reply: str, content: str) -> bool:
    """Return True if a rendered reply has all of its content; templates may lay out its whitespace anew."""
    return "".join(content.split()) in "".join(reply.split())


def _ending(whole: str, content: str, place: str) -> str:
    """Return what a template writes after a reply of which it may leave out the reasoning.

    Raises:
        ModelError: the template writes the reply in other words.
    """
    answer = content.rpartition("</think>")[2].strip() or content.strip()
    at = whole.rfind(answer)
    if at < 0:
        raise ModelError(
            f"{place}: its chat template changes the text of a reply\n  train with finetune.reasoning: drop, or with finetune.format: plain"
        )
    return whole[at + len(answer) :]


def _after(prompt: list[int], whole: list[int]) -> list[int] | None:
    return whole[len(prompt) :] if whole[: len(prompt)] == prompt else None


def _tokens(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids

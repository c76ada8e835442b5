"""Encode what a model reads, for asking and for training alike: the text of a chat, and the tokens of a prompt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from isocost.engines.dates import with_fixed_date
from isocost.errors import ModelError

Message = Mapping[str, str]  # role and content


def messages_of(prompt: str, system: str | None) -> list[Message]:
    """Return the messages of a question: the system message if there is one, and the user's."""
    before = [] if system is None else [{"role": "system", "content": system}]
    return [*before, {"role": "user", "content": prompt}]


def render_chat(tokenizer: Any, messages: Sequence[Message], place: str, *, is_prompt: bool = True, date: dt.date | None = None) -> str:
    """Return messages in the chat format of a tokenizer.

    Args:
        tokenizer: A tokenizer of transformers.
        messages: The messages.
        place: The model's folder or name, for errors.
        is_prompt: True if the model is to continue the text with its reply.
        date: The date for a template that asks for it; None for that of the clock.

    Raises:
        ModelError: the tokenizer has no chat format, or one that does not take the messages.
    """
    if not tokenizer.chat_template:
        raise ModelError(f"{place}: has no chat template", advice="leave out prompt.chat, or name a model that was tuned for chats")
    try:
        template = None if date is None else with_fixed_date(tokenizer.get_chat_template(), date)
        return str(
            tokenizer.apply_chat_template(
                [dict(each) for each in messages], chat_template=template, tokenize=False, add_generation_prompt=is_prompt
            )
        )
    except Exception as error:  # a chat template is a program in the checkpoint and may raise anything
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        has_system = any(each["role"] == "system" for each in messages)
        hint = "leave out prompt.system" if has_system else "leave out prompt.chat"
        raise ModelError(f"{place}: its chat template refuses the messages: {reason}; {hint}") from error


def prompt_tokens(tokenizer: Any, text: str, *, chat: bool) -> list[int]:
    """Return the tokens that a model reads for a prompt.

    A chat template writes the start token itself, so none is added to a chat. Some tokenizers close every text with the end token; after a
    prompt the model would read it as the end of the solution, so it is dropped.
    """
    ids: list[int] = tokenizer(text, add_special_tokens=not chat)["input_ids"]
    end = tokenizer.eos_token_id
    if chat or not ids or ids[-1] != end:
        return ids
    own = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids if own[-1:] == [end] else ids[:-1]


def end_tokens(*named: Any) -> set[int]:
    """Return all end tokens that parts of a checkpoint name: one, a list, or None. They often differ, and each is meant."""
    found: set[int] = set()
    for tokens in named:
        found |= set(tokens) if isinstance(tokens, list | tuple) else {tokens} if tokens is not None else set()
    return found

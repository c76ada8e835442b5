"""What a model reads for a request: its prompt as it stands, or put into the model's chat format."""

from __future__ import annotations

from typing import Any

from isocost.engines.base import Request
from isocost.errors import ModelError


def as_read(tokenizer: Any, request: Request, place: str) -> str:
    """The text that a request's solution follows.

    Args:
        tokenizer: The model's, of transformers.
        request: What is asked.
        place: The model, for messages.

    Raises:
        ModelError: a chat with a model that has no chat format, or one that does not take these messages.
    """
    if not request.chat:
        return request.prompt
    if not tokenizer.chat_template:
        raise ModelError(f"{place}: has no chat template; leave out prompt.chat, or name a model that was tuned for chats")
    system = [] if request.system is None else [{"role": "system", "content": request.system}]
    messages = [*system, {"role": "user", "content": request.prompt}]
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except Exception as error:  # a chat template is a program of the checkpoint's and may raise anything
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        hint = "leave out prompt.system" if system else "leave out prompt.chat"
        raise ModelError(f"{place}: its chat template refuses the messages: {reason}; {hint}") from error


def tokens(tokenizer: Any, request: Request, place: str) -> list[int]:
    """Tokens of what a model reads. A chat template writes the start token itself, so that it is not added to a chat again."""
    ids: list[int] = tokenizer(as_read(tokenizer, request, place), add_special_tokens=not request.chat)["input_ids"]
    return ids

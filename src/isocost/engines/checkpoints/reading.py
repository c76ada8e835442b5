"""The input of a model for a request: the prompt as it is, or in the model's chat format."""

from __future__ import annotations

from typing import Any

from isocost.engines.base import Request
from isocost.errors import ModelError


def render_prompt(tokenizer: Any, request: Request, place: str) -> str:
    """Return the text that a request's solution continues.

    Args:
        tokenizer: The model's, of transformers.
        request: The request.
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
    except Exception as error:  # a chat template is a program in the checkpoint and may raise anything
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        hint = "leave out prompt.system" if system else "leave out prompt.chat"
        raise ModelError(f"{place}: its chat template refuses the messages: {reason}; {hint}") from error


def tokens(tokenizer: Any, request: Request, place: str) -> list[int]:
    """Return the tokens of the model's input. A chat template writes the start token itself, so none is added to a chat."""
    ids: list[int] = tokenizer(render_prompt(tokenizer, request, place), add_special_tokens=not request.chat)["input_ids"]
    return ids

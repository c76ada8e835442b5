"""The request for solutions: its path, its body, and the most that an honest reply to it can report."""

from __future__ import annotations

import json
from typing import Any

from isocost.engines.base import Request, sound
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.usage import BYTES_OF_SEVERAL, Bounds
from isocost.errors import ModelError
from isocost.ids import seed_of
from isocost.records import SamplingParams

_OPENAI_STOPS = 4  # the limit that OpenAI documents; a request with more is refused


def name_of(call: Request) -> str:
    """Return the name of a call in messages."""
    return f"problem {call.problem_id}, draw {call.first_index}"


def seed_for(request: Request, seed: int) -> int:
    """Return the seed of a request: 31 bits, because endpoints read it as a C integer of unknown width."""
    return seed_of(seed, request.problem_id, request.first_index) >> 32


def path_for(request: Request, options: OpenAIOptions) -> str:
    """Return the path of a request, under the base_url.

    Raises:
        ModelError: the request is a conversation and the study allows plain text only.
    """
    if options.api == "completions" and request.chat:
        raise ModelError("the prompt is for chat, and api: completions sends plain text\n  leave api out, or set chat: false in the prompt")
    return "/chat/completions" if request.chat or options.api == "chat" else "/completions"


def messages(request: Request) -> list[dict[str, str]]:
    """Return a request as a conversation."""
    system = [{"role": "system", "content": sound(request.system)}] if request.chat and request.system is not None else []
    return [*system, {"role": "user", "content": sound(request.prompt)}]


def body_for(request: Request, shared: dict[str, Any], path: str, seed: int | None) -> dict[str, Any]:
    """Return the whole body of a request for `count` solutions; `shared` is from `settings`."""
    asked: dict[str, Any] = {"prompt": sound(request.prompt)} if path == "/completions" else {"messages": messages(request)}
    if seed is not None:
        asked["seed"] = seed
    if request.count > 1:  # 1 is the default everywhere, and some servers do not know the key
        asked["n"] = request.count
    return shared | asked


def settings(options: OpenAIOptions, endpoint: Endpoint, params: SamplingParams) -> dict[str, Any]:
    """Return the part of the body that is equal for all requests.

    Temperature and top_p are sent even where they change nothing, because an endpoint may have other defaults. OpenAI's are 1, and its
    reasoning models refuse these keys, so there a 1 is left out.

    Raises:
        ModelError: more stop strings than OpenAI takes; other endpoints take more.
    """
    if endpoint.official and len(params.stop) > _OPENAI_STOPS:
        raise ModelError(
            f"{endpoint}: takes {_OPENAI_STOPS} stop strings, the study has {len(params.stop)}\n"
            "  leave some out of sampling.stop, or of the prompt's"
        )
    drawn = {"temperature": params.temperature, "top_p": params.top_p}
    body: dict[str, Any] = {"model": options.model}
    if options.max_tokens_field is not None:
        body[options.max_tokens_field] = params.max_tokens
    body |= {name: value for name, value in drawn.items() if value is not None and (value != 1 or not endpoint.official)}
    if params.top_k:  # not in OpenAI's API, so sent only where the study sets it
        body["top_k"] = params.top_k
    if params.stop:
        body["stop"] = list(params.stop)
    return body | options.extra_body


def bounds_of(call: Request, options: OpenAIOptions, params: SamplingParams) -> Bounds:
    """Return the most that an honest reply to a call can report."""
    chat = path_for(call, options) == "/chat/completions"
    texts = [message["content"] for message in messages(call)] if chat else [sound(call.prompt)]
    stated = "bytes_per_token" in options.model_fields_set
    return Bounds(
        choices=call.count,
        max_tokens=params.max_tokens,
        prompt_bytes=sum(len(text.encode()) for text in texts),
        messages=len(texts),
        hidden_prompt_tokens=hidden_tokens(options),
        bytes_per_token=BYTES_OF_SEVERAL if call.count > 1 and not stated else options.bytes_per_token,
        texts=tuple(texts),
    )


def hidden_tokens(options: OpenAIOptions) -> int:
    """Return the prompt tokens that a request's messages do not show: the endpoint's own, and tools and the like in `extra_body`."""
    sent_along = len(json.dumps(options.extra_body)) if options.extra_body else 0
    return options.hidden_prompt_tokens + sent_along

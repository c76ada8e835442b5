"""One call to an endpoint: build the request, send it, read the reply, translate every failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx2
import openai

from isocost.engines.base import Generation, Request, sound
from isocost.engines.openai.client import MOST_BYTES, ReplyTooLongError
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import explain_missing, is_filtered, is_too_long, message_of, redact, translate
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.replies import BadReplyError, read_reply, reply_id
from isocost.engines.openai.usage import BadUsageError, Bounds
from isocost.errors import EngineError, ModelError, RefusedPromptError, TryAgainError, UsageError
from isocost.ids import seed_of
from isocost.records import SamplingParams

_OPENAI_STOPS = 4  # the limit that OpenAI documents; a request with more is refused


class Caller:
    """A sender of requests through one client, on that client's event loop."""

    def __init__(self, endpoint: Endpoint, client: openai.AsyncOpenAI, options: OpenAIOptions) -> None:
        self.endpoint = endpoint
        self._client, self._options = client, options

    async def answer(self, calls: Sequence[Request], params: SamplingParams, seed: int) -> list[list[Generation]]:
        """Return the replies to calls of at most `n` solutions each, all sent at once.

        Raises:
            EngineError, TryAgainError, ModelError: as `OpenAIEngine.generate`. Where one call fails, the others are waited for, because
                their solutions are lost and may be charged.
        """
        shared = settings(self._options, self.endpoint, params)
        if len(calls) == 1:
            return [await self._ask(calls[0], shared, params, seed)]
        replies = await asyncio.gather(*(self._ask(call, shared, params, seed) for call in calls), return_exceptions=True)
        return _all(replies)

    async def _ask(self, call: Request, shared: dict[str, Any], params: SamplingParams, seed: int) -> list[Generation]:
        path = path_for(call, self._options)
        own_seed = seed_for(call, seed) if self._options.seeds else None
        body = body_for(call, shared, path, own_seed)
        try:
            async with asyncio.timeout(self._options.timeout):
                # The response as it came: the library would build its own models of it, and only a few fields are used.
                response = await self._client.post(path, cast_to=httpx2.Response, body=body)
            return self._read(response.content, call, params, own_seed)
        except openai.APIStatusError as error:
            if is_too_long(error):
                return [_too_long(call.count, own_seed)] * call.count
            raise await self._status(error, path, call) from error
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise translate(error, self.endpoint) from error
        except ReplyTooLongError as error:
            raise EngineError(
                f"{self.endpoint}: the reply to {_name(call)} has more than {MOST_BYTES:,} bytes\n"
                "  nothing that was asked for is so long: name another base_url, or ask for fewer solutions at once with n"
            ) from error
        except (TimeoutError, BadReplyError) as error:
            raise self._unread(error) from error

    def _read(self, content: bytes, call: Request, params: SamplingParams, seed: int | None) -> list[Generation]:
        try:
            return read_reply(content, bounds_of(call, self._options, params), params.stop, seed)
        except BadUsageError as error:
            redact(error, self.endpoint)
            given = self.endpoint.clean(reply_id(content), 60)
            name = _name(call) + (f", id {given}" if given else "")
            raise UsageError(
                f"{self.endpoint}: the reply to {name} {self.endpoint.clean(str(error))}\n  {error.advice}",
                prompt_tokens=error.prompt,
                generated_tokens=error.generated,
            ) from error

    async def _status(self, error: openai.APIStatusError, path: str, call: Request) -> EngineError:
        if error.status_code != 404 and not is_filtered(error):
            return translate(error, self.endpoint, _name(call))
        redact(error, self.endpoint)
        if is_filtered(error):
            reason = self.endpoint.clean(message_of(error))
            return RefusedPromptError(f"{self.endpoint}: filters {_name(call)} ({error.status_code}): {reason}")
        return await explain_missing(self._client, self.endpoint, path, message_of(error))

    def _unread(self, error: Exception) -> EngineError:
        """Return the error for a reply that came too late or cannot be read."""
        if isinstance(error, TimeoutError):
            # Charged: the endpoint may have generated the whole reply before this side gave up.
            return TryAgainError(f"{self.endpoint}: no reply within {self._options.timeout:g} s", charged=True)
        redact(error, self.endpoint)
        return TryAgainError(f"{self.endpoint}: a reply that cannot be read: {self.endpoint.clean(str(error))}", charged=True)


def bounds_of(call: Request, options: OpenAIOptions, params: SamplingParams) -> Bounds:
    """Return the most that an honest reply to a call can report."""
    chat = path_for(call, options) == "/chat/completions"
    texts = [message["content"] for message in messages(call)] if chat else [sound(call.prompt)]
    return Bounds(
        choices=call.count,
        max_tokens=params.max_tokens,
        prompt_bytes=sum(len(text.encode()) for text in texts),
        messages=len(texts),
        hidden_prompt_tokens=hidden_tokens(options),
        bytes_per_token=options.bytes_per_token,
        texts=tuple(texts),
    )


def hidden_tokens(options: OpenAIOptions) -> int:
    """Return the prompt tokens that a request's messages do not show: the endpoint's own, and tools and the like in `extra_body`."""
    sent_along = len(json.dumps(options.extra_body)) if options.extra_body else 0
    return options.hidden_prompt_tokens + sent_along


def _all(replies: Sequence[list[Generation] | BaseException]) -> list[list[Generation]]:
    """Return all replies, or raise the first failure. A failure that a retry does not fix comes before one that it may."""
    failures = [reply for reply in replies if isinstance(reply, BaseException)]
    if not failures:
        return [reply for reply in replies if not isinstance(reply, BaseException)]
    failure = min(failures, key=lambda failure: isinstance(failure, TryAgainError))
    if isinstance(failure, UsageError):
        _count_all(failure, replies)
    if isinstance(failure, EngineError):
        failure.charged = len(failures) < len(replies) or any(not isinstance(f, EngineError) or f.charged for f in failures)
    raise failure


def _count_all(failure: UsageError, replies: Sequence[list[Generation] | BaseException]) -> None:
    """Add to a failure the tokens of the other calls of its batch, as far as they are known: all of them are lost with it."""
    for reply in replies:
        if isinstance(reply, list):
            prompt, generated = reply[0].num_prompt_tokens, sum(each.num_generated_tokens for each in reply)
        elif isinstance(reply, UsageError) and reply is not failure:
            prompt, generated = reply.prompt_tokens or 0, reply.generated_tokens or 0
        else:
            continue
        failure.prompt_tokens = (failure.prompt_tokens or 0) + prompt
        failure.generated_tokens = (failure.generated_tokens or 0) + generated


def _name(call: Request) -> str:
    return f"problem {call.problem_id}, draw {call.first_index}"


def _too_long(asked: int, seed: int | None) -> Generation:
    # No tokens: the endpoint refused the request, so it charges nothing.
    return Generation(text="", num_prompt_tokens=0, num_generated_tokens=0, finish_reason="error", sharing=asked, seed=seed)


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
    body: dict[str, Any] = {"model": options.model, options.max_tokens_field: params.max_tokens}
    body |= {name: value for name, value in drawn.items() if value != 1 or not endpoint.official}
    if params.top_k:  # not in OpenAI's API, so sent only where the study sets it
        body["top_k"] = params.top_k
    if params.stop:
        body["stop"] = list(params.stop)
    return body | options.extra_body

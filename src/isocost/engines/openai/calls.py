"""One call to an endpoint: build the request, send it, read the reply, translate every failure."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx2
import openai

from isocost.engines.base import Generation, Remark, Request, sound
from isocost.engines.openai.client import MOST_BYTES, ReplyTooLongError
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import explain, explain_missing, redact, refusal, translate
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.replies import BadReplyError, ErrorReplyError, read_reply, reply_id
from isocost.engines.openai.troubles import Trouble, from_status, page_title
from isocost.engines.openai.usage import BadUsageError, Bounds
from isocost.errors import EngineError, ModelError, TryAgainError, UsageError
from isocost.ids import seed_of
from isocost.records import SamplingParams

_OPENAI_STOPS = 4  # the limit that OpenAI documents; a request with more is refused


class Caller:
    """A sender of requests through one client, on that client's event loop."""

    def __init__(self, endpoint: Endpoint, client: openai.AsyncOpenAI, options: OpenAIOptions) -> None:
        self.endpoint = endpoint
        self._client, self._options = client, options
        self._answered = False  # True once a reply was read
        self._named: str | None = None  # the model's name in the last reply

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
            self._refuse_other_kinds(response)
            found = self._read(response.content, call, params, own_seed)
        except openai.APIStatusError as error:
            redact(error, self.endpoint)
            return await self._troubled(from_status(error), call, path, own_seed, error)
        except ErrorReplyError as error:
            redact(error, self.endpoint)
            return await self._troubled(error.trouble, call, path, own_seed, error)
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise translate(error, self.endpoint) from error
        except ReplyTooLongError as error:
            raise EngineError(
                f"{self.endpoint}: the reply to {_name(call)} has more than {MOST_BYTES:,} bytes\n"
                "  nothing that was asked for is so long: name another base_url, or ask for fewer solutions at once with n"
            ) from error
        except (TimeoutError, BadReplyError) as error:
            raise self._unread(error) from error
        self._answered = True
        return [self._remarked(each) for each in found]

    def _refuse_other_kinds(self, response: httpx2.Response) -> None:
        """Refuse a web page or a stream of events in the place of a reply: each request would bring the same.

        Raises:
            EngineError: it is one, and the endpoint never replied otherwise.
            TryAgainError: it is one, and the endpoint has replied before: a gateway's page may go away.
        """
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        begin = response.content[:5000].decode("utf-8", "replace")
        if (title := page_title(begin)) is not None:
            name = self.endpoint.clean(title, 80)
            what = f"replies with a web page{f' ({json.dumps(name, ensure_ascii=False)})' if name else ''}, not JSON"
            if self._answered:
                raise TryAgainError(f"{self.endpoint}: {what}", reason=what)
            raise refusal(
                f"{self.endpoint}: {what}\n  check base_url, which usually ends in /v1, and whether a proxy or a login is in between"
            )
        if kind == "text/event-stream" or begin.startswith("data:"):
            raise EngineError(
                f"{self.endpoint}: streams its reply, which was not asked for\n"
                "  switch streaming off where it is started, or set extra_body: {stream: false}"
            )

    async def _troubled(self, trouble: Trouble, call: Request, path: str, seed: int | None, error: Exception) -> list[Generation]:
        """Return failed solutions for a prompt that does not fit; raise isocost's error for every other trouble."""
        if trouble.is_too_long():
            told = f"too long ({trouble.status}): {self.endpoint.clean(trouble.message)}"
            return [_too_long(call.count, seed, told)] * call.count
        if trouble.status == 404:
            raise await explain_missing(self._client, self.endpoint, path, trouble.message) from error
        used = isinstance(error, ErrorReplyError) and error.used
        raise explain(trouble, self.endpoint, _name(call), used=used) from error

    def _remarked(self, found: Generation) -> Generation:
        """Add a remark to a solution from another model than the one that was asked for, or that answered before."""
        name, before = self.endpoint.clean(found.answered_by, 100), self._named
        if not name or name == before:
            return found
        self._named = name
        if before is None and is_name_of(name, self._options.model):
            return found
        text = f"the endpoint answers as {name!r}" + (f", before as {before!r}" if before else f", not as {self._options.model!r}")
        return replace(found, remarks=(*found.remarks, Remark(f"model {name}", text)))

    def _read(self, content: bytes, call: Request, params: SamplingParams, seed: int | None) -> list[Generation]:
        try:
            return read_reply(content, bounds_of(call, self._options, params), params.stop, seed, self._options.finish_reasons)
        except BadUsageError as error:
            redact(error, self.endpoint)
            given = self.endpoint.clean(reply_id(content), 60)
            name = _name(call) + (f", id {given}" if given else "")
            raise UsageError(
                f"{self.endpoint}: the reply to {name} {self.endpoint.clean(str(error))}\n  {error.advice}",
                prompt_tokens=error.prompt,
                generated_tokens=error.generated,
            ) from error

    def _unread(self, error: Exception) -> EngineError:
        """Return the error for a reply that came too late or cannot be read."""
        if isinstance(error, TimeoutError):
            # Charged: the endpoint may have generated the whole reply before this side gave up.
            told = f"no reply within {self._options.timeout:g} s"
        else:
            redact(error, self.endpoint)
            told = f"a reply that cannot be read: {self.endpoint.clean(str(error))}"
        return TryAgainError(f"{self.endpoint}: {told}", charged=True, reason=told)


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


def is_name_of(name: str, asked: str) -> bool:
    """Return True if a name is the one that was asked for, or the same with a folder, a tag or a date: gpt-4o-2024-08-06 for gpt-4o."""
    given, wanted = (text.lower().rpartition("/")[2] for text in (name, asked))
    return given == wanted or re.match(re.escape(wanted) + r"(-\d[\d-]*|-latest|:\w+|@\w+|\.gguf)$", given) is not None


def _too_long(asked: int, seed: int | None, failure: str) -> Generation:
    # No tokens: the endpoint refused the request, so it charges nothing.
    return Generation(
        text="", num_prompt_tokens=0, num_generated_tokens=0, finish_reason="error", sharing=asked, seed=seed, failure=failure
    )


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

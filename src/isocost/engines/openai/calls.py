"""One call to an endpoint: send it, read the reply, translate every failure."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

import httpx2
import openai

from isocost.engines.base import Generation, Request
from isocost.engines.openai.bodies import body_for, name_of, path_for, seed_for, settings
from isocost.engines.openai.client import MOST_BYTES, ReplyTooLongError
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import explain, explain_missing, redact, refusal, translate
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.reading import Reader
from isocost.engines.openai.replies import BadReplyError, ErrorReplyError, parsed
from isocost.engines.openai.troubles import Trouble, from_status, page_title
from isocost.errors import EngineError, TryAgainError, UsageError
from isocost.records import SamplingParams

_EVENTS = re.compile(r"\ufeff?\s*(:|(data|event|id|retry):)")  # how a stream of events begins, a comment included; JSON never does


class Caller:
    """A sender of requests through one client, on that client's event loop."""

    def __init__(self, endpoint: Endpoint, client: openai.AsyncOpenAI, options: OpenAIOptions) -> None:
        self.endpoint = endpoint
        self._client, self._options = client, options
        self._answered = False  # True once a reply was read
        self._reader = Reader(endpoint, options)

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
            found = self._reader.read(parsed(response.content), call, params, own_seed)
        except openai.APIStatusError as error:
            redact(error, self.endpoint)
            used = self._reader.uses(_body(error), call, params)
            raise await self._error(from_status(error), call, path, used=used) from error
        except ErrorReplyError as error:
            redact(error, self.endpoint)
            raise await self._error(error.trouble, call, path, used=error.used) from error
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise translate(error, self.endpoint) from error
        except ReplyTooLongError as error:
            raise EngineError(
                f"{self.endpoint}: the reply to {name_of(call)} has more than {MOST_BYTES:,} bytes\n"
                "  nothing that was asked for is so long: name another base_url, or ask for fewer solutions at once with n"
            ) from error
        except (TimeoutError, BadReplyError) as error:
            raise self._reader.unread(error) from error
        self._answered = True
        return [self._reader.remarked(each) for each in found]

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
        if kind == "text/event-stream" or _EVENTS.match(begin):
            raise EngineError(
                f"{self.endpoint}: streams its reply, which was not asked for\n"
                "  switch streaming off where it is started, or set extra_body: {stream: false}"
            )

    async def _error(self, trouble: Trouble, call: Request, path: str, *, used: bool) -> EngineError:
        """Return isocost's error for a trouble; for an address or a model that is not there, with those that are."""
        if trouble.status == 404 and not used:
            return await explain_missing(self._client, self.endpoint, path, trouble.message)
        return explain(trouble, self.endpoint, name_of(call), used=used)


def _body(error: openai.APIStatusError) -> Any:
    """Return the whole body of a reply with another status than 200, parsed; None if it cannot be read."""
    try:
        return parsed(error.response.content)
    except (BadReplyError, httpx2.HTTPError, httpx2.StreamError):
        return None


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

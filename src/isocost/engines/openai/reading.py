"""Read the replies of one endpoint: solutions with remarks, or isocost's errors. For single replies and lines of a batch alike."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from isocost.engines.base import Generation, Remark, Request
from isocost.engines.openai.bodies import bounds_of, name_of
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import redact
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.replies import read_reply, reply_id
from isocost.engines.openai.usage import BadUsageError, refuse_beyond, uses
from isocost.errors import EngineError, TryAgainError, UsageError
from isocost.records import SamplingParams

_TELLING = 12  # characters of a reply that two prompts hardly get by chance
_REMEMBERED = 512  # replies of an endpoint: more than are under way at once


class Reader:
    """A reader of one endpoint's replies, which knows under which name the endpoint answered last."""

    def __init__(self, endpoint: Endpoint, options: OpenAIOptions) -> None:
        self.endpoint, self._options = endpoint, options
        self._named: str | None = None  # the model's name in the last reply
        # Prompt, and solutions with their prompt tokens, of the last replies, by the endpoint's id.
        self._last: dict[str, tuple[str, list[tuple[str, int]]]] = {}

    def remarked(self, found: Generation) -> Generation:
        """Add a remark to a solution from another model than the one that was asked for, or that answered before."""
        name, before = self.endpoint.clean(found.answered_by, 100), self._named
        if not name or name == before:
            return found
        self._named = name
        if before is None and is_name_of(name, self._options.model):
            return found
        text = f"the endpoint answers as {name!r}" + (f", before as {before!r}" if before else f", not as {self._options.model!r}")
        return replace(found, remarks=(*found.remarks, Remark(f"model {name}", text)))

    def read(self, reply: Any, call: Request, params: SamplingParams, seed: int | None) -> list[Generation]:
        """Return the solutions of a reply, parsed and not checked yet.

        Raises:
            BadReplyError, ErrorReplyError: as `read_reply`.
            UsageError: the usage that it reports cannot be right.
        """
        try:
            found = read_reply(reply, bounds_of(call, self._options, params), params.stop, seed, self._options.finish_reasons)
        except BadUsageError as error:
            raise self._wrong_usage(error, reply, call) from error
        return self._mixed_up(found, reply_id(reply), call.prompt)

    def _mixed_up(self, found: list[Generation], given: str, prompt: str) -> list[Generation]:
        """Add a remark to a reply that another prompt got before: a connection that is out of step hands out each reply too late.

        An endpoint that gives all its replies the same id tells nothing by it, and one that takes the second for it may give two short
        answers the same.
        """
        texts = [(g.text, g.num_prompt_tokens) for g in found]
        before = self._last.pop(given, None)
        is_varied = bool(self._last)
        if given and found:
            self._last[given] = prompt, texts
            if len(self._last) > _REMEMBERED:
                del self._last[next(iter(self._last))]
        is_short = sum(len(text) for text, _ in texts) < _TELLING
        if before is None or not is_varied or is_short or before[0] == prompt or before[1] != texts:
            return found
        name = self.endpoint.clean(given, 60)
        text = f"two prompts got one and the same reply, id {name}: replies are mixed up, by the endpoint or a proxy"
        return [replace(found[0], remarks=(*found[0].remarks, Remark("mixed up", text))), *found[1:]]

    def uses(self, reply: Any, call: Request, params: SamplingParams) -> bool:
        """Return True if a reply with another status than 200 reports tokens: what an endpoint counts it may charge.

        Raises:
            UsageError: it reports more than was reserved for the request.
        """
        reported = reply.get("usage") if isinstance(reply, dict) else None
        try:
            refuse_beyond(reported, bounds_of(call, self._options, params))
        except BadUsageError as error:
            raise self._wrong_usage(error, reply, call) from error
        return uses(reported)

    def _wrong_usage(self, error: BadUsageError, reply: Any, call: Request) -> UsageError:
        redact(error, self.endpoint)
        given = self.endpoint.clean(reply_id(reply), 60)
        name = name_of(call) + (f", id {given}" if given else "")
        return UsageError(
            f"{self.endpoint}: the reply to {name} {self.endpoint.clean(str(error))}\n  {error.advice}",
            prompt_tokens=error.prompt,
            generated_tokens=error.generated,
        )

    def unread(self, error: Exception) -> EngineError:
        """Return the error for a reply that came too late or cannot be read."""
        if isinstance(error, TimeoutError):
            # Charged: the endpoint may have generated the whole reply before this side gave up.
            told = f"no reply within {self._options.timeout:g} s"
        else:
            redact(error, self.endpoint)
            told = f"a reply that cannot be read: {self.endpoint.clean(str(error))}"
        return TryAgainError(f"{self.endpoint}: {told}", charged=True, reason=told)


def is_name_of(name: str, asked: str) -> bool:
    """Return True if a name is the one that was asked for, or the same with a folder, a tag or a date: gpt-4o-2024-08-06 for gpt-4o."""
    given, wanted = (text.lower().rpartition("/")[2] for text in (name, asked))
    return given == wanted or re.match(re.escape(wanted) + r"(-\d[\d-]*|-latest|:\w+|@\w+|\.gguf)$", given) is not None

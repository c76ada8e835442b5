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
# Equal replies to different prompts, one after the other, of which a cache is suspected. Honest models repeat short answers, and greedy
# ones, such as judges, sentences too.
_IN_A_ROW = 6
_SAMPLED_LENGTH = 24  # characters of such a reply, where the study gives a temperature above 0
_LENGTH = 100  # of other replies, and of equal choices of one reply


class Reader:
    """A reader of one endpoint's replies, which knows under which name the endpoint answered last."""

    def __init__(self, endpoint: Endpoint, options: OpenAIOptions) -> None:
        self.endpoint, self._options = endpoint, options
        self._named: str | None = None  # the model's name in the last reply
        # Prompt, and solutions with their prompt tokens, of the last replies, by the endpoint's id.
        self._last: dict[str, tuple[str, list[tuple[str, int]]]] = {}
        self._doubled = ""  # the id of a reply that two prompts got, until that is told
        self._repeated, self._got_it = "", set[str]()  # the text of the last reply, and the prompts in a row that got it
        self._got_alike = set[str]()  # the prompts in a row whose choices were equal

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
        return self._repeating(self._mixed_up(found, reply_id(reply), call.prompt), call.prompt, params)

    def _mixed_up(self, found: list[Generation], given: str, prompt: str) -> list[Generation]:
        """Add a remark to a reply that another prompt got before: a connection that is out of step hands out each reply too late.

        An endpoint that gives all its replies the same id tells nothing by it, and one that takes the second for it may give two short
        answers the same. A repeat among the first replies is told with the next one that has another id.
        """
        texts = [(g.text, g.num_prompt_tokens) for g in found]
        before = self._last.pop(given, None)
        is_varied = bool(self._last)
        if given and found:
            self._last[given] = prompt, texts
            if len(self._last) > _REMEMBERED:
                del self._last[next(iter(self._last))]
        is_short = sum(len(text) for text, _ in texts) < _TELLING
        if before is not None and not is_short and before[0] != prompt and before[1] == texts:
            self._doubled = given
        if not self._doubled or not is_varied or not found:
            return found
        name, self._doubled = self.endpoint.clean(self._doubled, 60), ""
        text = f"two prompts got one and the same reply, id {name}: replies are mixed up, by the endpoint or a proxy"
        return _with_remark(found, "mixed up", text)

    def _repeating(self, found: list[Generation], prompt: str, params: SamplingParams) -> list[Generation]:
        """Add a remark where one prompt after another gets the same text, or a text as often as choices were asked for, whatever their ids.

        A cache in between that ignores prompts or seeds makes all draws one, and all of them are paid.
        """
        texts = {each.text for each in found if each.finish_reason != "error"}
        text = next(iter(texts)) if len(texts) == 1 else ""
        if text != self._repeated:
            self._repeated, self._got_it = text, set()
        if len(text) >= (_SAMPLED_LENGTH if params.temperature else _LENGTH) and len(self._got_it) < _IN_A_ROW:
            self._got_it.add(prompt)
            if len(self._got_it) == _IN_A_ROW:
                told = f"{_IN_A_ROW} different prompts in a row got one and the same text of {len(text):,} characters"
                return _with_remark(found, "one reply", f"{told}: something in between may answer from a cache")
        if len(found) > 1 and params.temperature != 0:
            if len(text) < _LENGTH:
                self._got_alike.clear()
            elif len(self._got_alike) < _IN_A_ROW:
                self._got_alike.add(prompt)
                if len(self._got_alike) == _IN_A_ROW:
                    told = f"all solutions of a reply are equal, for {_IN_A_ROW} prompts in a row"
                    return _with_remark(found, "equal choices", f"{told}: it may not sample, or answer from a cache; n: 1 asks one by one")
        return found

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
            told = f"no reply within {self._options.timeout:g} s, its timeout"
        else:
            redact(error, self.endpoint)
            told = f"a reply that cannot be read: {self.endpoint.clean(str(error))}"
        return TryAgainError(f"{self.endpoint}: {told}", charged=True, reason=told)


def _with_remark(found: list[Generation], kind: str, text: str) -> list[Generation]:
    return [replace(found[0], remarks=(*found[0].remarks, Remark(kind, text))), *found[1:]]


def is_name_of(name: str, asked: str) -> bool:
    """Return True if a name is the one that was asked for, or the same with a folder, a tag or a date: gpt-4o-2024-08-06 for gpt-4o."""
    given, wanted = (text.lower().rpartition("/")[2] for text in (name, asked))
    return given == wanted or re.match(re.escape(wanted) + r"(-\d[\d-]*|-latest|:\w+|@\w+|\.gguf)$", given) is not None

"""Lines of batch files: requests going out, replies and errors coming in. A line that comes in is hostile, like any reply."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from isocost.engines.base import Generation, Request
from isocost.engines.batches import NOT_RUN
from isocost.engines.openai.bodies import body_for, name_of, path_for, seed_for, settings
from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import explain
from isocost.engines.openai.options import OpenAIOptions
from isocost.engines.openai.reading import Reader
from isocost.engines.openai.replies import BadReplyError, ErrorReplyError
from isocost.engines.openai.troubles import Trouble, from_body
from isocost.errors import EngineError, NotRunError
from isocost.records import SamplingParams

_ENCODER = json.JSONEncoder(ensure_ascii=False)  # made once: a file has 50,000 lines
_ROOT = "/v1"  # of the url of a line, whatever the path of base_url is: providers with another path document it so


def url_of(request: Request, options: OpenAIOptions) -> str:
    """Return the `url` of a request's line."""
    return _ROOT + path_for(request, options)


class BatchLines:
    """Writes and reads the lines of one endpoint's batch files."""

    def __init__(self, endpoint: Endpoint, options: OpenAIOptions) -> None:
        self._endpoint, self._options, self._reader = endpoint, options, Reader(endpoint, options)
        self._shared: tuple[SamplingParams, dict[str, Any]] | None = None

    def write(self, custom_id: str, request: Request, params: SamplingParams, seed: int) -> bytes:
        """Return the line of a request for at most `n` solutions."""
        if self._shared is None or self._shared[0] is not params:
            self._shared = params, settings(self._options, self._endpoint, params)
        body = body_for(request, self._shared[1], path_for(request, self._options), self._seed(request, seed))
        line = {"custom_id": custom_id, "method": "POST", "url": url_of(request, self._options), "body": body}
        return _ENCODER.encode(line).encode() + b"\n"

    def read(self, line: Mapping[str, Any], request: Request, params: SamplingParams, seed: int) -> list[Generation]:
        """Return the solutions in a line of a result file; failed ones for a prompt that does not fit.

        Raises:
            NotRunError: the request was not run.
            EngineError: as `OpenAIEngine.generate`.
        """
        response, error, own_seed = line.get("response"), line.get("error"), self._seed(request, seed)
        status, body = _response(response)
        if status == 0:
            raise self._without_response(error, request)
        if status != 200:
            raise self._error(from_body(status, body), request, used=self._reader.uses(body, request, params))
        try:
            found = self._reader.read(body, request, params, own_seed)
        except ErrorReplyError as inside:
            raise self._error(inside.trouble, request, used=inside.used) from inside
        except BadReplyError as unread:
            raise self._reader.unread(unread) from unread
        return [self._reader.remarked(each) for each in found]

    def _without_response(self, error: Any, request: Request) -> Exception:
        trouble = from_body(0, error)
        if any(code in trouble.code.lower() for code in NOT_RUN):
            return NotRunError(f"{self._endpoint}: did not run {name_of(request)}: {self._endpoint.clean(trouble.text)}")
        return explain(trouble, self._endpoint, name_of(request))

    def _error(self, trouble: Trouble, request: Request, *, used: bool) -> EngineError:
        return explain(trouble, self._endpoint, name_of(request), used=used)

    def _seed(self, request: Request, seed: int) -> int | None:
        return seed_for(request, seed) if self._options.seeds else None


def _response(response: Any) -> tuple[int, Any]:
    """Return the status of a line's response, 0 without one, and its body. A reply that is there is not lost for the form of its status."""
    if not isinstance(response, dict):
        return 0, None
    given = response.get("status_code")
    if given is None:
        given = 200
    if isinstance(given, str) and re.fullmatch(r"[0-9]{3}", given):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or given not in range(1000):
        return 0, None
    return int(given), response.get("body")

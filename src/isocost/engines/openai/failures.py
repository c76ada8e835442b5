"""Translate every failure of an endpoint into isocost's errors: those that may be retried, and those that may have been charged."""

from __future__ import annotations

import asyncio
import json
import math
import ssl
import time
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from email.utils import parsedate_to_datetime

import httpx2
import openai

from isocost.engines.openai.endpoint import Endpoint
from isocost.errors import EngineError, TryAgainError

# Where the endpoint may have done the work before it failed, and so may charge for it.
_AGAIN = {408: True, 409: False, 425: False, 429: False, 500: True, 502: True, 503: False, 504: True, 529: False}
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
_TOO_LONG = (
    "context length",  # OpenAI, vLLM, SGLang
    "context_length",
    "context size",  # llama.cpp
    "context_size",
    "context window",
    "maximum model length",  # vLLM
    "input is too long",
    "prompt is too long",
    "string_above_max_length",  # OpenAI, a message of more than a million characters
)
_PATIENCE = 10.0  # seconds to list the models; the error is known already, the list only helps
_SHOWN = 5  # models that a message lists
_FILTERED = ("content_filter", "content_policy_violation", "data_inspection_failed", "invalid_prompt")  # Azure, LiteLLM, DashScope, OpenAI


def is_too_long(error: openai.APIStatusError) -> bool:
    """Return True if the endpoint refused a prompt that does not fit into the model's context."""
    if error.status_code == 413:  # the body is too large, whatever the message says
        return True
    if error.status_code not in (400, 422):
        return False
    text = f"{error.code} {error.type} {message_of(error)}".lower()
    return any(sign in text for sign in _TOO_LONG)


def is_filtered(error: openai.APIStatusError) -> bool:
    """Return True if the endpoint refused the content of a prompt, not the form of the request."""
    return error.status_code in (400, 422) and (error.code in _FILTERED or error.type in _FILTERED)


def refusal(message: str) -> EngineError:
    """Return the error for a request that the endpoint refused: it would refuse it again, and charges nothing."""
    error = EngineError(message)
    error.charged = False
    return error


def translate(error: openai.OpenAIError | httpx2.HTTPError, endpoint: Endpoint, name: str = "the request") -> EngineError:
    """isocost's error for the library's; `name` is what was asked.

    A prompt that is too long (`is_too_long`) or filtered (`is_filtered`), and a 404, are the caller's to tell apart first.
    """
    redact(error, endpoint)
    if isinstance(error, openai.APIStatusError):
        return _status(error, endpoint, name)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, httpx2.LocalProtocolError):
        return refusal(f"{endpoint}: the request cannot be sent: {endpoint.clean(str(cause))}")
    if (failed := _tls_failure(cause)) is not None:
        return refusal(f"{endpoint}: no secure connection: {endpoint.clean(str(failed))}\n  {_tls_advice(failed)}")
    never_sent = isinstance(cause, _NEVER_SENT)
    kind = "no connection" if never_sent else "the connection broke"
    return TryAgainError(f"{endpoint}: {kind}: {endpoint.clean(str(cause)) or type(cause).__name__}", charged=not never_sent)


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS failure behind an error if a retry would meet it again, else None."""
    seen = error
    while seen is not None:
        # The other side closed the connection during the handshake, as a restarting server does.
        if isinstance(seen, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return None
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _tls_advice(failed: ssl.SSLError) -> str:
    if isinstance(failed, ssl.SSLCertVerificationError):
        return "set base_url to the name in its certificate; for a certificate authority of your own, set SSL_CERT_FILE to its certificate"
    return "check that base_url names a port that speaks https; write http:// for one that does not"


def _status(error: openai.APIStatusError, endpoint: Endpoint, name: str) -> EngineError:
    status, reason = error.status_code, endpoint.clean(message_of(error)) or "no reason given"
    if status in (401, 403):
        return _refused_key(error, endpoint)
    if status == 429 and "insufficient_quota" in (error.code, error.type):
        return refusal(f"{endpoint}: the account has no quota left (429): {reason}\n  add to it, then go on with the run")
    if status == 402:
        return refusal(f"{endpoint}: asks for payment (402): {reason}\n  add to the account, then go on with the run")
    if status in _AGAIN or (status > 500 and status not in (501, 505)):
        wait = retry_after(error.response.headers, time.time)
        return TryAgainError(f"{endpoint}: {status}: {reason}", wait=wait, charged=_AGAIN.get(status, True))
    if 300 <= status < 400:
        return refusal(f"{endpoint}: redirects elsewhere ({status}), which is not followed\n  set base_url to where it is")
    advice = f"it was {name}: change what it objects to, in the model's section or in that prompt"
    return refusal(f"{endpoint}: refuses the request ({status}): {reason}\n  {advice}")


def _refused_key(error: openai.APIStatusError, endpoint: Endpoint) -> EngineError:
    """Return the error for a refused key. The endpoint's message is left out, because it often contains the key or half of it."""
    variable = endpoint.key_variable
    if endpoint.key is None:
        return refusal(
            f"{endpoint}: asks for a key ({error.status_code}), and ${variable} is not set\n  set it, or name another: api_key_env"
        )
    about = f": {endpoint.clean(message_of(error))}" if error.status_code == 403 else ""
    return refusal(
        f"{endpoint}: refuses the key in ${variable} ({error.status_code}){about}\n"
        "  set that variable to a key for this endpoint, or name another: api_key_env"
    )


def retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    """Return the seconds that a reply asks to wait.

    They are in `retry-after-ms`, or in `retry-after` as seconds or as a date by the endpoint's own clock.
    """
    in_ms = _number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return in_ms / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is not None or given is None:
        return seconds
    until = _date(given)
    sent = _date(headers.get("date"))
    return None if until is None else max(until - (now() if sent is None else sent), 0.0)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def message_of(error: openai.APIStatusError) -> str:
    """Return the endpoint's message: `message` where OpenAI-compatible endpoints put it, else the body as it came."""
    body = error.body
    inner = body.get("error", body) if isinstance(body, dict) else body
    found = next((inner[key] for key in ("message", "detail") if inner.get(key)), inner) if isinstance(inner, dict) else inner
    return found if isinstance(found, str) else str(found or "")


def redact(error: BaseException, endpoint: Endpoint) -> None:
    """Remove the key from an exception and its causes: a traceback prints the whole chain, and an endpoint may have quoted the key."""
    seen: BaseException | None = error
    while seen is not None:
        seen.args = tuple(endpoint.redacted(arg) if isinstance(arg, str) else arg for arg in seen.args)
        seen = seen.__cause__ or seen.__context__


async def explain_missing(client: openai.AsyncOpenAI, endpoint: Endpoint, path: str, message: str) -> EngineError:
    """Return the error for a 404, with the models that the endpoint lists instead."""
    offered = await _models(client, endpoint)
    about = endpoint.clean(message) or "not found"
    if not offered:
        return refusal(f"{endpoint}: no such model or address (404): {about}\n  check model and base_url, which usually ends in /v1")
    if endpoint.model in offered:
        other = "completions" if path.startswith("/chat") else "chat"
        return refusal(f"{endpoint}: does not offer {path} (404): {about}\n  set api: {other}")
    near = get_close_matches(endpoint.model, offered, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    more = f" and {len(offered) - _SHOWN} more" if len(offered) > _SHOWN else ""
    return refusal(f"{endpoint}: no such model (404)\n  {hint}it offers {', '.join(offered[:_SHOWN])}{more}")


async def _models(client: openai.AsyncOpenAI, endpoint: Endpoint) -> list[str]:
    """Return the names of the models at the endpoint; none where it does not list them."""
    try:
        async with asyncio.timeout(_PATIENCE):
            response = await client.get("/models", cast_to=httpx2.Response)
        listed = json.loads(response.content.decode())["data"]
        return [endpoint.clean(model["id"], 100) for model in listed if isinstance(model["id"], str)]
    except (openai.OpenAIError, httpx2.HTTPError, TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        return []

"""Translate every failure of an endpoint into isocost's errors: those that may be retried, and those that may have been charged."""

from __future__ import annotations

import asyncio
import json
import ssl
from difflib import get_close_matches

import httpx2
import openai

from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.parameters import advice_on
from isocost.engines.openai.troubles import Trouble, from_status
from isocost.errors import EngineError, IsocostError, RefusedPromptError, TryAgainError

# Where the endpoint may have done the work before it failed, and so may charge for it.
_AGAIN = {408: True, 409: False, 425: False, 429: False, 500: True, 502: True, 503: False, 504: True, 529: False}
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol)
_PATIENCE = 10.0  # seconds to list the models; the error is known already, the list only helps
_SHOWN = 5  # models that a message lists
_SHORTER = "lower sampling.max_tokens (of a judge grader.max_tokens or audit.max_tokens): with the prompt it has to fit into the context"


def refusal(message: str) -> EngineError:
    """Return the error for a request that the endpoint refused: it would refuse it again, and charges nothing."""
    error = EngineError(message)
    error.charged = False
    return error


def translate(error: openai.OpenAIError | httpx2.HTTPError, endpoint: Endpoint, name: str = "the request") -> EngineError:
    """isocost's error for the library's; `name` is what was asked.

    A 404 is the caller's to tell apart first.
    """
    redact(error, endpoint)
    if isinstance(error, openai.APIStatusError):
        return explain(from_status(error), endpoint, name)
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, httpx2.LocalProtocolError):
        return refusal(f"{endpoint}: the request cannot be sent: {endpoint.clean(str(cause))}")
    never_sent = isinstance(cause, _NEVER_SENT)
    failed = _tls_failure(cause)
    # On a connection that was made, a record may be damaged in transit, after the endpoint has worked: that is as if it had broken.
    if failed is not None and (never_sent or _is_of_certificates(failed)):
        return refusal(f"{endpoint}: no secure connection: {endpoint.clean(str(failed))}\n  {_tls_advice(failed)}")
    kind = "no connection" if never_sent else "the connection broke"
    if isinstance(cause, httpx2.DecodingError):  # it is compressed otherwise than its header says, or cut off
        kind = "a reply that cannot be read"
    return TryAgainError(f"{endpoint}: {kind}: {endpoint.clean(str(cause)) or type(cause).__name__}", charged=not never_sent)


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS failure behind an error if a retry would meet it again, else None."""
    seen = error
    while seen is not None:
        # The other side closed the connection during the handshake, as a restarting server does.
        if isinstance(seen, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return None
        # A handshake that waits for the other side has these in its context when it is cancelled at the time limit.
        if isinstance(seen, ssl.SSLError) and not isinstance(seen, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _is_of_certificates(failed: ssl.SSLError) -> bool:
    """Return True if a side refuses the other's certificate. With TLS 1.3 an endpoint does so after the client's handshake has ended."""
    return isinstance(failed, ssl.SSLCertVerificationError) or "CERTIFICATE" in str(failed)


def _tls_advice(failed: ssl.SSLError) -> str:
    if isinstance(failed, ssl.SSLCertVerificationError):
        return "set base_url to the name in its certificate; for a certificate authority of your own, set SSL_CERT_FILE to its certificate"
    if _is_of_certificates(failed):
        return "it asks for a certificate of the client, and none is sent: set base_url to a proxy that has one"
    return "check that base_url names a port that speaks https; write http:// for one that does not"


def explain(trouble: Trouble, endpoint: Endpoint, name: str, *, used: bool = False) -> EngineError:
    """Return the error for a trouble.

    Args:
        trouble: What the endpoint says.
        endpoint: The endpoint.
        name: What was asked.
        used: True if the reply reports tokens beside the error: they may be charged, whatever its status is.
    """
    if trouble.is_too_long():
        reason = f"too long ({trouble.status}): {endpoint.clean(trouble.message)}"
        error: EngineError = RefusedPromptError(f"{endpoint}: finds {name} {reason}\n  {_SHORTER}", reason=reason)
        error.charged = used
        return error
    error = _explained(trouble, endpoint, name)
    error.charged = error.charged or used
    return error


def _explained(trouble: Trouble, endpoint: Endpoint, name: str) -> EngineError:
    status, reason = trouble.status, endpoint.clean(trouble.message) or "no reason given"
    # Most are of the account or of the form of the request; what concerns one prompt comes first.
    if trouble.is_filtered():
        return RefusedPromptError(f"{endpoint}: refuses {name} ({status}): {reason}", reason=f"refused ({status}): {reason}")
    if status in (401, 403):
        return _refused_key(trouble, endpoint)
    if "insufficient_quota" in trouble.code:
        return refusal(f"{endpoint}: the account has no quota left ({status}): {reason}\n  add to it, then resume the run")
    if status == 402 or trouble.is_unpaid():
        return refusal(f"{endpoint}: asks for payment ({status}): {reason}\n  add to the account, then resume the run")
    if status == 0 or status in _AGAIN or (status > 500 and status not in (501, 505)):
        told = f"{status}: {reason}" if status else f"its reply is an error: {reason}"
        return TryAgainError(f"{endpoint}: {told}", wait=trouble.wait, charged=_AGAIN.get(status, True), reason=told)
    if status in (304, 305, 306):  # no redirects, though of their class
        return refusal(f"{endpoint}: replies with {status} and no answer\n  check base_url, and whether a cache or a proxy is in between")
    if 300 <= status < 400:
        return refusal(f"{endpoint}: redirects elsewhere ({status}), which is not followed\n  set base_url to where it is")
    if advice := advice_on(trouble):
        return refusal(f"{endpoint}: refuses the request ({status}): {reason}\n  {advice}")
    advice = f"it was {name}: change what it objects to, in the model's section or in that prompt"
    message = f"{endpoint}: refuses the request ({status}): {reason}\n  {advice}"
    if not trouble.is_of_a_prompt():
        return refusal(message)
    # All requests of a model differ in their prompts alone: if others are answered, this prompt is at fault.
    error = RefusedPromptError(message, reason=f"refused ({status}): {reason}", certain=False)
    error.charged = False
    return error


def _refused_key(trouble: Trouble, endpoint: Endpoint) -> EngineError:
    """Return the error for a refused key. The endpoint's message is left out, because it often contains the key or half of it."""
    variable = endpoint.key_variable
    if endpoint.key is None:
        return refusal(f"{endpoint}: asks for a key ({trouble.status}), and ${variable} is not set\n  set it, or name another: api_key_env")
    about = f": {endpoint.clean(trouble.message)}" if trouble.status == 403 else ""
    return refusal(
        f"{endpoint}: refuses the key in ${variable} ({trouble.status}){about}\n"
        "  set that variable to a key for this endpoint, or name another: api_key_env"
    )


def redact(error: BaseException, endpoint: Endpoint) -> None:
    """Remove the key from an exception and its causes: a traceback prints the whole chain, and an endpoint may have quoted the key."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, IsocostError):
            seen.rewrite(endpoint.redacted)
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

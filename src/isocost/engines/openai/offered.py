"""Explain a 404: the model's name, the path, or the address is wrong."""

from __future__ import annotations

import asyncio
import json
from difflib import get_close_matches

import httpx2
import openai

from isocost.engines.openai.endpoint import Endpoint
from isocost.engines.openai.failures import refusal
from isocost.errors import EngineError

_PATIENCE = 10.0  # seconds; the error is known already, the list only helps
_SHOWN = 5


async def explain_missing(client: openai.AsyncOpenAI, endpoint: Endpoint, path: str, said: str) -> EngineError:
    """Return the error for a 404, with the models that the endpoint lists instead."""
    offered = await _models(client, endpoint)
    about = endpoint.clean(said) or "not found"
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

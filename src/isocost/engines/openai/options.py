"""The options of a model behind an endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from isocost.engines.openai.usage import BYTES_PER_TOKEN, MOST_HIDDEN
from isocost.engines.options import Options
from isocost.records import FinishReason

OPENAI = "https://api.openai.com/v1"
_LONGEST_ADDRESS = 2000  # characters; servers and proxies refuse longer ones
_OURS = {"model", "prompt", "messages", "n", "seed", "stop", "temperature", "top_p", "max_tokens", "max_completion_tokens"}
_OTHER_REPLIES = {"stream", "echo"}  # the reply would be another than the one that is read
# Names, without case and separators, under which servers take a number of choices (1 is harmless) or a limit on tokens: what they multiply
# was reserved once under the limit.
_CHOICES = {"n", "bestof", "numreturnsequences", "numbeams", "beamwidth", "usebeamsearch", "candidatecount", "numcompletions", "numsamples"}
_TOKENS = {"npredict", "numpredict", "maxnewtokens", "maxoutputtokens", "maxtokenstosample", "maxgenlen", "maxlength", "maxtokens",
           "maxcompletiontokens", "maxgenerationlength", "maxdecodetokens"}  # fmt: skip
_NOT_SAMPLING = {"responseformat", "jsonschema", "guidedjson", "structuredoutputs", "tools", "functions", "metadata", "chattemplatekwargs"}
_WITHIN_LIMIT = {"reasoning", "thinking", "thinkingconfig"}  # budgets inside max_tokens


class OpenAIOptions(Options):
    """A model behind an OpenAI-compatible endpoint. See [engines.md](engines.md#openai).

    An endpoint may have defaults of its own for what is not sent. `vllm serve` takes them from the model's generation_config.json
    (a top_k, a repetition_penalty): start it with `--generation-config vllm`, or send them in `extra_body`.

    Attributes:
        model: Name of the model at the endpoint.
        base_url: Address of the API, usually ending in /v1.
        api_key_env: Environment variable that holds the key; an endpoint without keys needs none.
        concurrency: Largest number of requests in flight; a slow endpoint gets fewer.
        n: Largest number of solutions per request; they share one seed and the price of one prompt.
        seeds: Send a `seed` with each request.
        timeout: Seconds for one request, its whole reply included.
        api: `completions` sends plain text, `chat` a conversation; `auto` follows `chat` of the prompt.
        extra_body: Additional fields of every request; part of the engine's identity.
        max_tokens_field: The endpoint's name for the limit on tokens; null sends none, and a reply that is longer stops the run.
        finish_reasons: Meaning of finish reasons that isocost does not know, or knows otherwise: `{abort: length}`; values are `stop`,
            `length` and `error`.
        hidden_prompt_tokens: Prompt tokens that the endpoint itself adds to every request; more in its usage stop the run.
        bytes_per_token: Largest average of UTF-8 bytes per token of a reply; fewer tokens in its usage stop the run.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # an address may hold a password

    model: Annotated[str, Field(min_length=1)]
    base_url: str = OPENAI
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "OPENAI_API_KEY"
    concurrency: Annotated[int, Field(gt=0, le=10_000)] = 64
    n: Annotated[int, Field(gt=0, le=1024)] = 1
    seeds: bool = True
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    api: Literal["auto", "chat", "completions"] = "auto"
    extra_body: dict[str, JsonValue] = Field(default={})
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = "max_tokens"
    finish_reasons: dict[str, FinishReason] = Field(default={})
    hidden_prompt_tokens: Annotated[int, Field(ge=0, le=MOST_HIDDEN)] = 0
    bytes_per_token: Annotated[float, Field(gt=0, allow_inf_nan=False)] = BYTES_PER_TOKEN

    @field_validator("model")
    @classmethod
    def _a_name(cls, given: str) -> str:
        if not given.strip():
            raise PydanticCustomError("name", "no name of a model: it is empty")
        return given

    @field_validator("base_url")
    @classmethod
    def _an_address_and_no_more(cls, given: str) -> str:
        if len(given) > _LONGEST_ADDRESS:
            raise PydanticCustomError("address", f"no address of an endpoint: longer than {_LONGEST_ADDRESS:,} characters")
        try:
            parts = urlsplit(given.strip())
            usable = parts.scheme in ("http", "https") and _can_be_found(parts.hostname or "") and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        if not usable:
            raise PydanticCustomError("address", "no address of an endpoint; it looks like http://localhost:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise PydanticCustomError("address", "only scheme, host, port and path; a key comes from the environment, see api_key_env")
        return parts._replace(netloc=parts.netloc.rpartition("@")[2].lower()).geturl().rstrip("/")

    @field_validator("extra_body")
    @classmethod
    def _nothing_of_ours(cls, given: dict[str, JsonValue]) -> dict[str, JsonValue]:
        # `stream: false` asks for the reply that is read.
        if ours := sorted((_OURS | {key for key in _OTHER_REPLIES if given.get(key) is not False}) & given.keys()):
            raise PydanticCustomError("ours", f"{', '.join(ours)}: not for extra_body; what a study may say of it has a key of its own")
        if found := next(_multipliers(given), None):
            raise PydanticCustomError(
                "multiplies",
                f"{found}: not for extra_body; it multiplies what a request may cost: use n, sampling.max_tokens or samples_per_problem",
            )
        return given


def _can_be_found(host: str) -> bool:
    """Return False for a host name that no name server can know: empty, with a space, or longer than names can be (RFC 1035)."""
    return 0 < len(host) <= 253 and all(len(label) <= 63 for label in host.split(".")) and not re.search(r"\s", host)


def _multipliers(body: Mapping[str, JsonValue], where: str = "") -> Iterator[str]:
    """Yield the dotted paths of keys that multiply the choices or the tokens of a reply."""
    for key, value in body.items():
        plain = key.replace("_", "").replace("-", "").lower()
        if (plain in _CHOICES and not _is_one(value)) or (plain in _TOKENS and value is not None):
            yield where + key
        elif plain not in _NOT_SAMPLING | _WITHIN_LIMIT:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    yield from _multipliers(part, f"{where}{key}.")


def _is_one(value: JsonValue) -> bool:
    """Return whether a number of choices, or a switch, is harmless."""
    return value is None or value is False or (value == 1 and value is not True)

"""The endpoint, its key, and its name in messages."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from isocost.engines.openai.options import OpenAIOptions
from isocost.errors import ModelError, StudyError

# A shorter key is a placeholder such as "x" or "EMPTY". It is a part of ordinary words, which stay readable.
_SHORTEST_SECRET = 8
# Control, zero-width and bidirectional characters: in a message, they could overwrite or reorder lines of the terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of a model, with its key.

    Attributes:
        base_url: The API's address.
        model: The model's name there.
        key_variable: The environment variable for the key.
        key: The key, None where the variable is not set. Never part of a message.
    """

    base_url: str
    model: str
    key_variable: str
    key: str | None = field(repr=False)

    @property
    def host(self) -> str:
        """The host's name."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def official(self) -> bool:
        """True if it is OpenAI's own."""
        return self.host == "api.openai.com"

    @property
    def loopback(self) -> bool:
        """True if it is this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            address = ip_address(self.host)
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified  # 0.0.0.0 reaches this machine too

    def __str__(self) -> str:
        return f"{self.base_url}, model {self.model!r}"

    def clean(self, text: str, length: int = 200) -> str:
        """Return foreign text for a message: its first line, shortened, without control characters and without the key."""
        first = next((line for line in map(self._plain, text.splitlines()) if line), "")
        return first if len(first) <= length else first[: length - 3] + "..."

    def redacted(self, text: str) -> str:
        """Return a text without the key. A key shorter than `_SHORTEST_SECRET` is removed only where it is a whole word."""
        if not self.key:
            return text
        variable = f"${self.key_variable}"
        if len(self.key) >= _SHORTEST_SECRET:
            return text.replace(self.key, variable)
        return re.sub(rf"(?<![\w-]){re.escape(self.key)}(?![\w-])", lambda match: variable, text)

    def _plain(self, line: str) -> str:
        return self.redacted(_CONTROL.sub("", line)).strip()


def read_endpoint(options: OpenAIOptions) -> Endpoint:
    """Return the endpoint of an engine's options, with the key that is in the environment now.

    Raises:
        ModelError: the key cannot be sent, or there is none for OpenAI itself.
    """
    key = os.environ.get(options.api_key_env, "").strip() or None
    endpoint = Endpoint(base_url=options.base_url, model=options.model, key_variable=options.api_key_env, key=key)
    if key is None and endpoint.official:
        raise ModelError(f"{endpoint}: no key in ${options.api_key_env}\n  set that environment variable, or name another: api_key_env")
    if key is not None and not re.fullmatch(r"[!-~]+", key):  # an HTTP header takes printable ASCII only
        raise ModelError(f"${options.api_key_env}: holds a space or a character that no key has\n  set it to the key alone")
    return endpoint


def check_key(options: OpenAIOptions) -> None:
    """Refuse an endpoint whose key is named and not there. One on this machine, or that no key is said of, may need none.

    Raises:
        ModelError: as `read_endpoint`.
        StudyError: the variable that `api_key_env` names is not set.
    """
    endpoint = read_endpoint(options)
    if endpoint.key is None and not endpoint.loopback and "api_key_env" in options.model_fields_set:
        unset = f"${options.api_key_env} is not set"
        raise StudyError([f"api_key_env: {unset}\n  set that environment variable, or leave the key out if none is needed"])

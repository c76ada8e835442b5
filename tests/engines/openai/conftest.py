from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isocost.engines import load_engine
from isocost.engines.openai.engine import OpenAIEngine
from tests.engines.openai.server import Server

Asks = Callable[..., OpenAIEngine]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library would read from the environment of whoever runs the tests."""
    for name in ("API_KEY", "BASE_URL", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "CUSTOM_HEADERS"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)
    for scheme in ("HTTP", "HTTPS", "ALL"):
        monkeypatch.delenv(f"{scheme}_PROXY", raising=False)
        monkeypatch.delenv(f"{scheme.lower()}_proxy", raising=False)


@pytest.fixture
def asks() -> Iterator[Asks]:
    """Makes engines that ask a server (or an address) and closes them."""
    engines: list[OpenAIEngine] = []

    def make(server: Server | str, **options: Any) -> OpenAIEngine:
        url = server if isinstance(server, str) else server.url
        engine = load_engine("openai", {"model": "tiny", "base_url": url, **options}, base=Path())
        assert isinstance(engine, OpenAIEngine)
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.close()

"""A run directory, its pages, and a browser that looks at them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient

from isocost.records import Chosen
from isocost.viewer.app import viewer
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData
from tests.viewer.rundirs import write_run

PORT = 8123
TOKEN = "the-token"
ORIGIN = f"http://127.0.0.1:{PORT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A run directory with its pages open."""

    path: Path
    chosen: list[Chosen]
    client: TestClient

    def get(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, address: str, **form: str) -> str:
        """Send a form; where it leads to."""
        answer = self.client.post(address, data=form, headers={"origin": ORIGIN}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


def open_pages(path: Path, chosen: list[Chosen], labeller: str = "ann") -> Pages:
    client = TestClient(viewer(RunData(path), LabelBook(path, labeller), token=TOKEN, port=PORT), base_url=ORIGIN)
    assert client.get("/", params={"token": TOKEN}).status_code == 200
    return Pages(path=path, chosen=chosen, client=client)


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return open_pages(tmp_path, write_run(tmp_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A run directory served on a port of this machine."""

    path: Path
    chosen: list[Chosen]
    url: str


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    chosen = write_run(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        app = viewer(RunData(tmp_path), LabelBook(tmp_path, "ann"), token=TOKEN, port=port)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(path=tmp_path, chosen=chosen, url=f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join()

"""A run directory, its pages, and a browser that looks at them."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.testclient import TestClient

from isocost.records import Chosen
from isocost.viewer.app import viewer
from isocost.viewer.choosing import OpenRun
from isocost.viewer.labelbook import LabelBook
from isocost.viewer.rundata import RunData
from tests.conftest import CHROMIUM
from tests.viewer.rundirs import write_run

PORT = 8123
TOKEN = "the-token"
ORIGIN = f"http://127.0.0.1:{PORT}"
PREFIX = "/a-random-name"
BASE = ORIGIN + PREFIX  # a client's addresses begin below it


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A run directory with its pages open."""

    path: Path
    chosen: list[Chosen]
    client: TestClient

    def get(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return below(answer.text)

    def post(self, address: str, **form: str) -> str:
        """Send a form; where it leads to."""
        answer = self.client.post(address, data=form, headers={"origin": ORIGIN}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return location(answer.headers["location"])


def below(page: str) -> str:
    """Return a page with its addresses as they are below the prefix; every one of them has to have it."""
    links = re.findall(r'(?:href|src|action|formaction)="([^"#]*)', page)
    assert [link for link in links if not link.startswith(f"{PREFIX}/")] == []
    return page.replace(f'="{PREFIX}/', '="/')


def location(address: str) -> str:
    """Return an address to which an answer leads, below the prefix."""
    assert address.startswith(f"{PREFIX}/")
    return address.removeprefix(PREFIX)


def open_run(path: Path, labeller: str = "ann") -> OpenRun:
    return OpenRun(name=path.name, data=RunData(path), book=LabelBook(path, labeller))


def open_pages(path: Path, chosen: list[Chosen], labeller: str = "ann") -> Pages:
    client = TestClient(viewer([open_run(path, labeller)], token=TOKEN, port=PORT, prefix=PREFIX), base_url=BASE)
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
    with serving(tmp_path / "run") as run:
        yield run


@contextmanager
def serving(path: Path, prefix: str = PREFIX, texts: Sequence[str] = (), others: Sequence[Path] = ()) -> Iterator[Served]:
    """Serve a new run directory, under the prefix, on a free port; `texts` are the first chosen solutions, `others` more runs."""
    path.mkdir()
    chosen = write_run(path, texts=texts)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        app = viewer([open_run(each) for each in (path, *others)], token=TOKEN, port=port, prefix=prefix)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(path=path, chosen=chosen, url=f"http://127.0.0.1:{port}{prefix}")
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A sandbox of its own cannot be made by root in a container; the pages are ours.
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def context(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(20_000)
    context.new_page().goto(f"{served.url}/?token={TOKEN}")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.pages[0]


def press(page: Page, *keys: str) -> None:
    """Press keys that lead to another page, one after the other."""
    for key in keys:
        with page.expect_navigation():
            page.keyboard.press(key)

"""Which requests of a browser carry the cookie of the pages, and what it tells other servers of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.viewer.conftest import PREFIX, TOKEN, Served, press, serving
from tests.viewer.rundirs import labels

pytestmark = [pytest.mark.browser, pytest.mark.slow]
POSTING = """<form method=post action="{}"><input name=sample value="{}"><input name=verdict value=sound><button>go</button></form>"""


class Other:
    """Another server on 127.0.0.1 that writes down what it is sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.page = "<p>another server</p>"
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                other.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(other.page.encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def another() -> Iterator[Other]:
    other = Other()
    thread = threading.Thread(target=other.server.serve_forever)
    thread.start()
    try:
        yield other
    finally:
        other.server.shutdown()
        thread.join()
        other.server.server_close()


def test_another_server_is_sent_neither_cookie_nor_address(page: Page, context: BrowserContext) -> None:
    (cookie,) = context.cookies()
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (PREFIX, True, "Strict")
    with another() as other:
        for path in ("/", "/label", "/label/1", "/a", "/a-random", "/style.css"):
            page.goto(other.url + path)
        page.go_back()
        page.evaluate("fetch('/fetched', {credentials: 'include'})")
        for _, headers in other.seen:
            assert "cookie" not in headers
            assert PREFIX not in str(headers)
            assert TOKEN not in str(headers)
        assert len(other.seen) >= 7


def test_a_link_from_the_pages_tells_no_address(page: Page, served: Served) -> None:
    with another() as other:
        page.evaluate("url => { const a = document.createElement('a'); a.href = url; document.body.append(a); a.id = 'out'; }", other.url)
        with page.expect_navigation():
            page.evaluate("document.getElementById('out').click()")
        ((_, headers),) = [seen for seen in other.seen if seen[0] == "/"]
        assert {"referer", "cookie"}.isdisjoint(headers)


def test_two_viewers_in_one_browser_are_each_sent_their_own_cookie(
    page: Page, served: Served, context: BrowserContext, tmp_path: Path
) -> None:
    with serving(tmp_path / "second", prefix="/another-random-name") as second:
        sent: list[tuple[str, str]] = []

        def noted(request: Request) -> None:
            sent.append((request.url, request.all_headers().get("cookie", "")))

        page.goto(f"{second.url}/?token={TOKEN}")
        page.on("requestfinished", noted)
        ours, theirs = sorted(context.cookies(), key=lambda cookie: cookie["path"])
        for run, cookie in ((served, ours), (second, theirs)):
            page.goto(f"{run.url}/label/1")
            press(page, "a")
            assert page.url == f"{run.url}/label/2"
            assert len(labels(run.path)) == 1
            assert {value for url, value in sent if url.startswith(run.url)} == {f"{cookie['name']}={cookie['value']}"}


def test_no_request_of_the_pages_has_a_referrer_and_none_but_the_link_the_token(page: Page, served: Served) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(f"{served.url}/?show=never&sort=-level&page=1")
    press(page, "l", "a", "z")
    page.get_by_role("link", name="leave labelling").click()
    assert {"POST", "GET"} == {request.method for request in asked}
    for request in asked:
        assert "referer" not in request.all_headers()
        assert TOKEN not in request.url
        assert request.url.startswith(f"{served.url}/")


def test_filter_order_and_page_stay_in_the_address(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/?show=disagree&sort=-solved")
    count = page.locator("tbody tr").count()
    with page.expect_navigation():
        page.locator("tbody a").first.click()
    assert "show=disagree" in page.url
    press(page, "Escape")
    assert page.url == f"{served.url}/?show=disagree&sort=-solved"
    page.reload()
    assert page.locator("tbody tr").count() == count


def test_a_verdict_without_script_is_saved_though_no_origin_is_sent(browser: Browser, context: BrowserContext, served: Served) -> None:
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.all_headers().get("origin", "")) if request.method == "POST" else None)
    page.goto(f"{served.url}/label/1")
    page.get_by_role("button", name="sound", exact=True).click()
    assert page.url == f"{served.url}/label/2"
    assert len(labels(served.path)) == 1
    plain.close()


@pytest.mark.parametrize("policy", ["no-referrer", "unsafe-url"])
def test_a_form_of_another_port_is_refused_even_if_it_knows_the_address(page: Page, served: Served, policy: str) -> None:
    with another() as other:
        form = POSTING.format(f"{served.url}/label", served.chosen[0].sample_id)
        other.page = f"<meta name=referrer content={policy}>{form}"
        page.goto(other.url)
        with page.expect_navigation():
            page.get_by_role("button").click()
        expect(page.locator("body")).to_contain_text("another site")
    assert labels(served.path) == []

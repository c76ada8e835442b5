"""The report in a browser: short before anything is unfolded, in both themes and widths, open in print, and without a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from isocost.passrates.binning import BINS
from isocost.reporting import report
from tests.conftest import CHROMIUM
from tests.reporting.test_csv import rich

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    study = replace(rich(), pass_rates={name: (40, *[20] * (BINS - 2), 140) for name in ("weak", "strong")})
    path.write_text(report(study).html, encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "most"), [(1280, 4000), (360, 6000)])
def test_it_is_short_and_silent(browser: Browser, file: Path, scheme: str, width: int, most: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(file.as_uri())
    assert (requests, errors) == ([file.as_uri()], [])
    assert page.evaluate("document.documentElement.scrollHeight") < most
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1280:
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        captions = page.evaluate(
            "[...document.querySelectorAll('caption > span, figcaption')].map(each => "
            "[each.innerText, each.getBoundingClientRect().height / parseFloat(getComputedStyle(each).lineHeight)])"
        )
        assert len(captions) > 20
        assert [text for text, lines in captions if lines >= 2.6] == []  # two lines, and the padding of some
    page.close()


def test_print_opens_what_is_folded_and_links_lead_into_it(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(file.as_uri())
    assert not page.locator("#t-ledger").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#t-ledger").is_visible()
    assert page.locator("#g-covered").is_visible()
    page.close()

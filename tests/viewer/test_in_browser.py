"""The pages in a browser: the link opens them, and one key is one verdict. `test_pages_in_browser.py` has the rest."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.viewer.conftest import Served, press
from tests.viewer.rundirs import labels, verdicts

pytestmark = pytest.mark.browser


def test_the_link_leaves_no_token_in_the_address(page: Page, served: Served) -> None:
    assert page.url == f"{served.url}/"
    assert page.evaluate("document.cookie") == ""


def test_one_verdict_is_one_key(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label")
    press(page, "a", "x", "u", " ", "6")
    assert verdicts(served.path) == [("sound", None), ("unsound", None), ("unsure", None), ("skip", None), ("unsound", "grader error")]
    assert [line["sample_id"] for line in labels(served.path)] == [one.sample_id for one in served.chosen[:5]]
    expect(page.locator(".counter")).to_contain_text("labelled 4/6")
    press(page, "z")
    assert page.url == f"{served.url}/label/5"
    press(page, "Backspace")
    assert page.url == f"{served.url}/label/4"
    assert [verdict for verdict, _ in verdicts(served.path)[5:]] == ["undo", "undo"]

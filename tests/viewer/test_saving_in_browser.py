"""Notes and verdicts in a browser whose server goes away, or whose other tab was quicker; and small screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.viewer.conftest import Served, press
from tests.viewer.rundirs import labels

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def said(path: Path) -> list[tuple[str, str | None]]:
    return [(line["verdict"], line["note"]) for line in labels(path)]


def test_a_note_that_is_being_written_survives_walking_and_reloading_until_it_is_saved(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    expect(page.locator("#draft")).to_be_hidden()
    page.locator("textarea").fill("7 is not 8")
    expect(page.locator("#draft")).to_be_visible()
    page.keyboard.press("Escape")
    press(page, "j")
    expect(page.locator("textarea")).to_have_value("")
    press(page, "k")
    expect(page.locator("textarea")).to_have_value("7 is not 8")
    page.reload()
    expect(page.locator("textarea")).to_have_value("7 is not 8")
    expect(page.locator("#draft")).to_be_visible()
    press(page, " ")  # a skip has no note: it waits for the verdict
    page.goto(f"{served.url}/label/1")
    press(page, "x", "k")
    assert said(served.path) == [("skip", None), ("unsound", "7 is not 8")]
    expect(page.locator("textarea")).to_have_value("7 is not 8")
    expect(page.locator("#draft")).to_be_hidden()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_server_that_is_gone_leaves_the_page_and_what_was_typed(page: Page, served: Served) -> None:
    # Before the page is opened: chromium may send the requests of an open page past a route that was set a moment ago.
    page.route("**/label", lambda route: route.abort())
    page.goto(f"{served.url}/label/1")
    page.locator("textarea").fill("a long thought")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    complaint = page.get_by_role("alert")
    expect(complaint).to_contain_text("Not saved. isocost view does not answer. Try again; if it has ended, start it again with --port")
    expect(page.locator("textarea")).to_have_value("a long thought")
    assert page.url == f"{served.url}/label/1"
    assert labels(served.path) == []
    page.unroute("**/label")
    with page.expect_navigation():
        complaint.get_by_role("button").click()
    assert page.url == f"{served.url}/label/2"
    assert said(served.path) == [("unsound", "a long thought")]


def test_a_server_that_was_started_again_says_so_in_the_page_and_keys_work_after_it(
    context: BrowserContext, page: Page, served: Served
) -> None:
    page.goto(f"{served.url}/label/1")
    cookies = context.cookies()
    context.clear_cookies()
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("isocost view was started again: open the link that it printed")
    context.add_cookies(cookies)  # type: ignore[arg-type]
    press(page, "x")
    assert said(served.path) == [("unsound", None)]


def test_a_damaged_file_of_labels_is_said_in_the_page(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    (served.path / "audits" / "labels.jsonl").write_text("oops\n")
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("labels.jsonl:1: this line cannot be read as JSON")


@pytest.mark.parametrize("with_script", [True, False])
def test_a_second_tab_asks_before_it_changes_what_the_first_said(
    browser: Browser, context: BrowserContext, served: Served, *, with_script: bool
) -> None:
    other = browser.new_context(java_script_enabled=with_script)
    other.add_cookies(context.cookies())  # type: ignore[arg-type]
    first, second = context.pages[0], other.new_page()
    for tab in (first, second):
        tab.goto(f"{served.url}/label/1")
    press(first, "a")
    with second.expect_navigation():
        second.get_by_role("button", name="unsound: lucky", exact=True).click()
    expect(second.get_by_role("heading", level=1)).to_have_text("Changed meanwhile")
    expect(second.locator(".facts dd")).to_have_text(["sound", "unsound: lucky"])
    assert said(served.path) == [("sound", None)]
    second.get_by_role("button", name="change it to unsound").click()
    expect(second.get_by_role("heading", level=1)).to_contain_text("Solution 2")
    assert [line["reason"] for line in labels(served.path)] == [None, "lucky"]
    other.close()


def test_on_a_small_screen_ids_keep_their_end_strips_and_reasons_their_names_and_no_key_is_shown(
    browser: Browser, context: BrowserContext, served: Served
) -> None:
    small = browser.new_context(viewport={"width": 360, "height": 740})
    small.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = small.new_page()
    page.goto(f"{served.url}/")
    cell = page.locator("tbody td.id a").first
    cell.evaluate("a => { a.firstChild.textContent = 'lab-train-of-a-long-name-00464'; }")
    edges = cell.evaluate("""a => { const r = document.createRange(), t = a.firstChild.firstChild; const box = a.getBoundingClientRect();
        r.setStart(t, t.length - 1); r.setEnd(t, t.length); return r.getBoundingClientRect().right <= box.right + 1; }""")
    assert edges
    names = page.eval_on_selector(
        "tbody tr", "row => [...row.querySelectorAll('.strip')].map(s => getComputedStyle(s, '::before').content)"
    )
    assert names == ['"tern-1b"', '"heron-7b"']
    assert page.evaluate("document.querySelector('.legend').compareDocumentPosition(document.querySelector('table')) & 4")
    page.goto(f"{served.url}/label/1")
    expect(page.locator(".reasons > span")).to_be_visible()
    assert page.locator("main kbd:visible").count() == 0
    small.close()

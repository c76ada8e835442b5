"""The pages in a browser: keys, blindness, focus, widths, light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.viewer.conftest import PREFIX, TOKEN, Served, press, serving
from tests.viewer.rundirs import MODELS, labels, verdicts

ADDRESSES = ("/", "/problem?id=orchard-0003", "/label/1", "/label/done", "/agreement", "/nothing")
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_keys_walk_through_solutions_and_problems(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    press(page, "j", "j", "k")
    assert page.url == f"{served.url}/label/2"
    press(page, "n")
    assert page.url == f"{served.url}/label/3"
    press(page, "p")
    assert page.url == f"{served.url}/label/2"
    assert labels(served.path) == []


def test_the_audit_opens_by_its_key_once_there_is_a_verdict(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    page.keyboard.press("g")
    expect(page.locator("details")).to_have_count(0)
    press(page, "a", "k")
    expect(page.locator("details dl")).to_be_hidden()
    page.keyboard.press("g")
    expect(page.locator("details dl")).to_be_visible()
    page.keyboard.press("g")
    expect(page.locator("details dl")).to_be_hidden()


def test_keys_are_off_in_the_note_which_goes_with_the_verdict(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    page.keyboard.press("c")
    expect(page.locator("textarea")).to_be_focused()
    page.keyboard.type("max a zoo? 1 jug")
    page.keyboard.press("Backspace")
    assert labels(served.path) == []
    page.keyboard.press("Escape")
    expect(page.locator("textarea")).not_to_be_focused()
    press(page, "x")
    assert [(line["verdict"], line["note"]) for line in labels(served.path)] == [("unsound", "max a zoo? 1 ju")]


@pytest.mark.parametrize("chord", ["Control+a", "Alt+a", "Meta+a", "Control+z"])
def test_there_are_no_chords(page: Page, served: Served, chord: str) -> None:
    page.goto(f"{served.url}/label/1")
    page.keyboard.press(chord)
    press(page, "j")  # would come after what the chord did
    assert page.url == f"{served.url}/label/2"
    assert labels(served.path) == []


def test_a_key_held_down_or_pressed_twice_labels_one_solution(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    with page.expect_navigation():
        page.evaluate("""() => { for (const [key, repeat] of [["x", true], ["a", false], ["x", false], ["z", false], ["j", false]])
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key, repeat, bubbles: true, cancelable: true})); }""")
    assert page.url == f"{served.url}/label/2"
    assert verdicts(served.path) == [("sound", None)]


def test_space_presses_what_has_the_focus(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    page.get_by_role("button", name="unsound: lucky").focus()
    press(page, " ")
    assert verdicts(served.path) == [("unsound", "lucky")]


def test_the_keys_are_listed_by_a_key(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    for what in ("sound", "unsure", "skip: not now", "undo the last", "show the audit, once labelled"):
        expect(page.locator("#keys dd").filter(has_text=re.compile(f"^{what}$"))).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    assert page.url == f"{served.url}/label/1"


def test_all_is_labelled_by_buttons_without_script(browser: Browser, context: BrowserContext, served: Served) -> None:
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(f"{served.url}/")
    page.get_by_role("link", name="Label blind").click()
    for name in ("sound", "unsound: copied answer", "unsure", "skip", "sound", "sound", "unsound"):
        page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All labelled")
    assert [v for v, _ in verdicts(served.path)] == ["sound", "unsound", "unsure", "skip", "sound", "sound", "unsound"]
    plain.close()


def test_no_page_asks_another_host_or_complains(context: BrowserContext, served: Served) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for address in ADDRESSES[:-1]:
        page.goto(served.url + address)
    assert asked
    assert all(url.startswith(f"{served.url}/") for url in asked)
    assert complaints == []


def test_labelling_shows_no_model_and_leads_nowhere_but_out(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/label/1")
    for _ in served.chosen:
        content = page.content()
        assert not [model for model in MODELS if model in content or model in page.url]
        leading = page.eval_on_selector_all("a[href]", "links => links.map(a => a.pathname).filter(p => !p.includes('/label/'))")
        assert leading == [f"{PREFIX}/"]
        press(page, "u")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways_and_colours_follow_the_system(
    browser: Browser, context: BrowserContext, served: Served, width: int, scheme: str
) -> None:
    seen = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]
    seen.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = seen.new_page()
    for address in ADDRESSES:
        page.goto(served.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 26)")
        assert page.locator("h1").count() == page.locator("main").count() == 1, address
    seen.close()


LONG = (
    "A step of many: 1 + 1 = 2.\n" * 40 + "so $x = " + "a" * 80 + "$ and\n\n| a | b | c | d |\n|---|---|---|---|\n|" + " 123456789123 |" * 4
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_panel_of_verdicts_hides_nothing(browser: Browser, tmp_path: Path, scheme: str) -> None:
    with serving(tmp_path / "run", texts=[LONG]) as served:
        context = browser.new_context(viewport={"width": 360, "height": 640}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{served.url}/?token={TOKEN}")
        page.goto(f"{served.url}/label/1")
        assert page.evaluate("document.documentElement.scrollWidth") == 360  # long formulas and tables scroll by themselves
        assert page.locator(".reading td").first.bounding_box()["height"] < 40  # type: ignore[index]  # numbers are not broken up
        top = page.locator(".row.main").bounding_box()["y"]  # type: ignore[index]
        reasons = page.locator(".reasons").bounding_box()
        assert reasons is not None
        assert top - 8 < reasons["y"] + reasons["height"]  # no line of the solution between the two
        heights = page.eval_on_selector_all("button.reason", "all => all.map(each => each.getBoundingClientRect().height)")
        assert len(heights) == 6
        assert max(heights) < 32  # one line each
        page.locator("textarea").fill("a note of several lines " * 6)
        shown = page.locator("textarea").evaluate(
            "e => [e.getBoundingClientRect()].flatMap(r => [r.top + 4, r.bottom - 4]).map(y => document.elementFromPoint(180, y) === e)"
        )
        assert shown == [True, True]
        context.close()


def test_rows_are_as_high_as_they_should_be(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/")
    heights = page.eval_on_selector_all("tbody tr", "rows => rows.map(row => row.getBoundingClientRect().height)")
    assert len(heights) == 12
    assert all(28 <= height <= 32 for height in heights)


def test_the_list_is_one_tab_stop_with_a_visible_focus(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/")
    assert page.locator('tbody a[tabindex="0"]').count() == 1
    page.locator("thead a").last.focus()
    page.keyboard.press("Tab")
    stops = page.locator("tbody a")
    expect(stops.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    expect(stops.nth(2)).to_be_focused()
    style = page.eval_on_selector("tbody tr:focus-within", "row => getComputedStyle(row).outlineStyle + getComputedStyle(row).outlineWidth")
    assert style == "solid2px"
    page.keyboard.press("End")
    expect(stops.nth(11)).to_be_focused()
    page.keyboard.press("k")
    expect(stops.nth(10)).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('tbody')") is None
    page.keyboard.press("Shift+Tab")
    expect(stops.nth(10)).to_be_focused()
    press(page, "Enter")
    assert "/problem?id=orchard-0010" in page.url


def test_solutions_of_a_problem_are_walked_and_the_address_says_which(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/problem?id=orchard-0003")
    page.keyboard.press("j")
    first = page.locator("article").first
    expect(first).to_be_focused()
    assert page.url.endswith(f"#{first.get_attribute('id')}")
    page.keyboard.press("j")
    expect(page.locator("article").nth(1)).to_be_focused()
    press(page, "n")
    assert "id=orchard-0004" in page.url
    press(page, "Escape")
    assert page.url == f"{served.url}/"


@pytest.mark.parametrize("address", ["/", "/label/1"])
def test_every_button_and_link_shows_that_it_has_the_focus(page: Page, served: Served, address: str) -> None:
    page.goto(served.url + address)
    page.keyboard.press("Tab")
    for _ in range(12):
        shown = page.evaluate("""() => { const ringed = e => getComputedStyle(e).outlineStyle !== "none";
            const here = document.activeElement; return here === document.body || ringed(here) || ringed(here.closest("tr") || here); }""")
        assert shown, page.evaluate("document.activeElement.outerHTML")
        page.keyboard.press("Tab")

"""A solution in a browser: formulas are laid out, the answer has a box, r shows what was written, and nothing is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.viewer.conftest import TOKEN, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = "# Way\n\nAs $\\frac{1}{2} < 1$, the answer is \\boxed{42}. ![x](http://evil.example/a.png)\n"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_formulas_and_what_was_written(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    with serving(tmp_path / "run", texts=[TEXT]) as served:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        requests, errors = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(f"{served.url}/?token={TOKEN}")
        page.goto(f"{served.url}/label/1")
        fraction, box = page.locator("mfrac").bounding_box(), page.locator("menclose")
        assert fraction is not None
        assert fraction["height"] > fraction["width"]  # one above the other
        assert box.evaluate("each => getComputedStyle(each).borderTopStyle") == "solid"
        assert page.locator(".solution .reading").is_visible()
        assert not page.locator(".solution .written").is_visible()
        page.keyboard.press("r")
        assert page.locator(".solution .written").inner_text().strip() == TEXT.strip()
        assert not page.locator(".solution .reading").is_visible()
        page.reload()
        assert page.locator(".solution .written").is_visible()  # the choice holds
        page.keyboard.press("r")
        assert page.locator(".solution .reading").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert all(url.startswith("http://127.0.0.1:") for url in requests)
        assert errors == []
        page.screenshot(path=str(tmp_path / "page.png"))
        context.close()

"""Files of figures: the same bytes each time, in the page's colours, with ids of their own, and without anything that runs or loads."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from isocost.reporting.charts import canvas
from isocost.reporting.charts.palette import light

HOSTILE = "</svg><svg onload=alert(1)> & #0072b2 \u202e"


def line(axes: Axes) -> None:
    axes.plot([1, 2], [1, 3], color=light()["blue"], label="$a_1$ <script>")
    axes.axhspan(1, 2, color=light()["orange"], alpha=0.1)
    axes.legend()


@pytest.fixture(scope="module")
def figure() -> Figure:
    return canvas.draw(line, 2.0)


def test_colours_are_those_of_the_page(figure: Figure) -> None:
    svg = canvas.to_svg(figure, "one", "Title", "what it shows")
    assert "var(--blue)" in svg
    assert not set(re.findall(r"#[0-9a-f]{6}\b", svg)) & set(light().values())
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert "<text" not in svg  # outlines: the same on every machine
    assert "prefers-color-scheme" in canvas.svg_file(svg)


def test_two_figures_on_a_page_share_no_id(figure: Figure) -> None:
    pages = [canvas.to_svg(figure, key, "Title", "text") for key in ("one", "two")]
    ids = [set(re.findall(r' id="([^"]+)"', page)) for page in pages]
    assert not ids[0] & ids[1]
    for page, own in zip(pages, ids, strict=True):
        assert {name for pair in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page) for name in pair if name} <= own


def test_the_same_figure_has_the_same_bytes(figure: Figure) -> None:
    again = canvas.draw(line, 2.0)
    assert canvas.to_svg(figure, "one", "Title", "text") == canvas.to_svg(again, "one", "Title", "text")
    assert canvas.to_pdf(figure, "Title") == canvas.to_pdf(again, "Title")
    assert canvas.to_pdf(figure, "Title").startswith(b"%PDF")


def test_titles_stay_text(figure: Figure) -> None:
    root = ElementTree.fromstring(canvas.svg_file(canvas.to_svg(figure, "one", HOSTILE, HOSTILE)))
    texts = {child.tag.rpartition("}")[2]: child.text for child in root}
    assert texts["title"] == texts["desc"] == HOSTILE.replace("\u202e", "")
    assert not [each for each in root.iter() if each.tag.endswith("script") or any(name.startswith("on") for name in each.attrib)]


def test_a_users_settings_change_no_figure_and_none_of_them_is_changed(figure: Figure) -> None:
    plain = canvas.to_svg(figure, "one", "Title", "text")
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "none", "text.usetex": False, "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        assert canvas.to_svg(canvas.draw(line, 2.0), "one", "Title", "text") != ""
        assert dict(mpl.rcParams) == before
    assert canvas.to_svg(figure, "one", "Title", "text") == plain

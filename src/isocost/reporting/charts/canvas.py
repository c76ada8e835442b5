"""Figures without a window: made, drawn, and written as SVG for pages or as PDF for papers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from isocost.reporting.charts.palette import light, stylesheet
from isocost.reporting.escaping import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 5.6  # inches of a figure; pages scale it to their column
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # matplotlib brings it: the same figure on every machine
    "font.size": 10.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "isocost",
    "pdf.fonttype": 42,
    "axes.unicode_minus": True,
    "text.usetex": False,
    "text.parse_math": False,  # names are data: a dollar sign is a dollar sign
    "path.simplify": True,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Apply the settings of isocost's own figures, whatever a user's matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        yield


def draw(draws: Callable[[Axes], None], height: float) -> Figure:
    """Return a figure of this height in inches, drawn by a function of its axes."""
    with drawing():
        figure = blank_figure(height)
        draws(figure.axes[0])
        figure.set_layout_engine("none")  # its place is found: each file would find it anew
        return figure


def blank(height: float, width: float = WIDTH) -> Axes:
    """Return the empty axes of a figure of its own; sizes in inches."""
    return blank_figure(height, width).axes[0]


def blank_figure(height: float, width: float = WIDTH) -> Figure:
    """Return a figure with empty axes, which belongs to no window and to no global state; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=72)
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)  # type: ignore[union-attr, call-arg]
    figure.subplots()
    return figure


def to_pdf(figure: Figure, title: str) -> bytes:
    """Return a figure as PDF. The same figure gives the same bytes."""
    out = io.BytesIO()
    with drawing():
        figure.savefig(out, format="pdf", metadata={"Title": clean(title), "CreationDate": None, "Producer": None, "Creator": "isocost"})
    return out.getvalue()


def to_svg(figure: Figure, key: str, title: str, description: str) -> str:
    """Return a figure as an SVG element whose colours are those of the page around it.

    Args:
        figure: Drawn in colours of the light palette.
        key: Its name; ids start with it, so that several figures share a page.
        title: Its title, for readers of any kind.
        description: Its text alternative.
    """
    out = io.StringIO()
    with drawing():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(out.getvalue())
    _flatten(root)
    _prefix(root, key)
    shape = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "figure",
            "viewBox": shape,
            "role": "img",
            "aria-labelledby": f"{key}-title",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    named, described = ElementTree.Element("title", {"id": f"{key}-title"}), ElementTree.Element("desc")
    named.text, described.text = clean(title), clean(description)
    root[:0] = [named, described]
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", _coloured(text))


def svg_file(svg: str) -> str:
    """Make an SVG element a file: with a size, and with the palette, since no page is around it."""
    style = stylesheet().replace(":root", ".figure")
    opening, rest = svg.split(">", 1)
    width = 72 * WIDTH
    return f'{opening} width="{width:g}" style="background:var(--paper)"><style>{style}</style>{rest}\n'


def _flatten(root: ElementTree.Element) -> None:
    """Remove namespaces, the metadata, matplotlib's style block, and digits that nobody sees."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
        each.attrib = {name.rpartition("}")[2]: value for name, value in each.attrib.items()}
        for name, digits in (("d", 2), ("x", 2), ("y", 2), ("transform", 4)):
            if name in each.attrib:
                each.attrib[name] = _rounded(each.attrib[name], digits)


def _rounded(text: str, digits: int) -> str:
    return _NUMBER.sub(lambda found: f"{float(found[0]):.{digits}f}", text)


def _prefix(root: ElementTree.Element, key: str) -> None:
    for each in root.iter():
        for name, value in each.attrib.items():
            if name == "id":
                each.attrib[name] = f"{key}-{value}"
            elif name == "href" and value.startswith("#"):
                each.attrib[name] = f"#{key}-{value[1:]}"
            elif "url(#" in value:
                each.attrib[name] = value.replace("url(#", f"url(#{key}-")


def _coloured(svg: str) -> str:
    """Put the palette's variables in place of its light colours. Titles have no such words: `#` is data there, in another form."""
    head, end, drawn = svg.partition("</desc>")
    for name, colour in light().items():
        drawn = drawn.replace(colour, f"var(--{name})")
    return head + end + drawn

"""The report as one HTML file without scripts, and each figure as an SVG file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from isocost.records import Estimate
from isocost.reporting import drawing, shapes
from isocost.reporting.blocks import Document, Figure, Row, Table
from isocost.reporting.escaping import clean

LONGEST_TABLE = 60


def page(document: Document) -> str:
    """Render the whole report. All text is escaped; only SVG and style sheets of this package are not."""
    style = Markup(_resource("palette.css") + _resource("style.css") + _resource("figure.css"))
    return _template().render(document=document, style=style, strip=_strip, ruler=_ruler, drawn=_drawn, longest=LONGEST_TABLE)


@cache  # jinja2 takes as long to compile it as to fill it in
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize)
    environment.filters["unbroken"] = _unbroken
    return environment.from_string(_resource("template.html.j2"))


def figure_file(figure: Figure) -> str:
    """Make a figure an SVG file: `svg_file` of its drawing."""
    return svg_file(figure.svg)


def svg_file(svg: str) -> str:
    """Give a drawing its own style sheet: light or dark by the reader's setting, light in print."""
    style = _resource("palette.css").replace(":root", ".figure") + _resource("figure.css")
    opening, rest = svg.split(">", 1)
    size = f' width="{shapes.WIDTH}" style="background:var(--paper)"'
    return f"{opening}{size}><style>{style}</style>{rest}\n"


def _resource(name: str) -> str:
    return (files("isocost.reporting") / name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _unbroken(text: str) -> str:
    """Let a line break before the interval of an estimate, never inside it."""
    return text.replace(", ", ",\u00a0")


def _drawn(figure: Figure) -> Markup:
    return Markup(figure.svg)  # safe without escaping: `shapes` has escaped all text in it


def _strip(table: Table, row: Row) -> Markup:
    value = None if table.drawn is None else row.entries[table.drawn].value
    if table.axis is None or not isinstance(value, Estimate) or value.value is None:
        return Markup("")
    return Markup(drawing.strip(value, row.mark, table.axis))


def _ruler(table: Table) -> Markup:
    return Markup(drawing.ruler(table.axis, drawing.in_percent)) if table.axis else Markup("")

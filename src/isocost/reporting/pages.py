"""The report as one HTML file without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from isocost.records import Estimate
from isocost.reporting import strips
from isocost.reporting.blocks import Document, Figure, Row, Table
from isocost.reporting.charts.palette import stylesheet
from isocost.reporting.charts.ticks import in_percent
from isocost.reporting.escaping import clean
from isocost.reporting.glossary import key_of

LONGEST_TABLE = 60


def page(document: Document, drawings: Mapping[str, str]) -> str:
    """Render the whole report. All text is escaped; only SVG and style sheets of this package are not.

    Args:
        document: The report.
        drawings: The figures as SVG, by key.
    """
    style = Markup(stylesheet() + _resource("style.css"))

    def drawn(figure: Figure) -> Markup:
        return Markup(drawings[figure.key])  # safe without escaping: matplotlib draws text as outlines, and titles are escaped

    return _template().render(document=document, style=style, strip=_strip, ruler=_ruler, drawn=drawn, longest=LONGEST_TABLE)


@cache  # jinja2 takes as long to compile it as to fill it in
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize)
    environment.filters["unbroken"] = _unbroken
    environment.filters["unbroken_interval"] = lambda title: title.replace("95% interval", "95%\u00a0interval")
    environment.filters["term"] = key_of
    return environment.from_string(_resource("template.html.j2"))


def _resource(name: str) -> str:
    return (files("isocost.reporting") / name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _unbroken(text: str) -> str:
    """Let a line break before the interval of an estimate, never inside it."""
    return text.replace(", ", ",\u00a0")


def _strip(table: Table, row: Row) -> Markup:
    value = None if table.drawn is None else row.entries[table.drawn].value
    if table.axis is None or not isinstance(value, Estimate) or value.value is None:
        return Markup("")
    return strips.strip(value, row.mark, table.axis)


def _ruler(table: Table) -> Markup:
    return strips.ruler(table.axis, in_percent) if table.axis else Markup("")

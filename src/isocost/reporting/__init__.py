"""The report as strings: the findings of a study, their cost and their uncertainty. The caller stores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isocost.records import Results
from isocost.reporting import markdown, pages
from isocost.reporting.audits import audits
from isocost.reporting.background import background
from isocost.reporting.blocks import Document
from isocost.reporting.csvtables import table_csv
from isocost.reporting.curves import curves
from isocost.reporting.data import data
from isocost.reporting.escaping import oneline
from isocost.reporting.forecasts import forecasts
from isocost.reporting.headline import headline, support
from isocost.reporting.money import money
from isocost.reporting.policies import policies
from isocost.reporting.published import published
from isocost.reporting.students import students

__all__ = ["Report", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished report.

    Attributes:
        html: One self-contained page.
        markdown: The same content in Markdown; it names figures as `figures/NAME.svg`.
        figures: SVG text by name.
        tables: CSV text by name, of every table and every figure.
        headline: The answer in one sentence.
    """

    html: str
    markdown: str
    figures: Mapping[str, str]
    tables: Mapping[str, str]
    headline: str


def report(results: Results) -> Report:
    """Make the report, most important first. What the study does not have has no section."""
    sections = (
        students(results),
        data(results),
        policies(results),
        forecasts(results),
        curves(results),
        audits(results),
        published(results),
        money(results),
        background(results),
    )
    document = Document(
        study=results.study,
        headline=oneline(headline(results)),
        support=support(results),
        sections=tuple(section for section in sections if section is not None),
    )
    return Report(
        html=pages.page(document),
        markdown=markdown.page(document),
        figures={figure.key: pages.figure_file(figure) for figure in document.figures()},
        tables={table.key: table_csv(table) for table in document.tables()},
        headline=document.headline,
    )

"""The report as strings: the findings of a study, their cost and their uncertainty. The caller stores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from isocost.records import Results
from isocost.reporting import markdown, pages
from isocost.reporting.audits import audits, rates_in_use
from isocost.reporting.background import background
from isocost.reporting.blocks import Document
from isocost.reporting.charts import canvas
from isocost.reporting.csvtables import table_csv
from isocost.reporting.curves import curves
from isocost.reporting.data import data
from isocost.reporting.escaping import oneline
from isocost.reporting.forecasts import forecasts
from isocost.reporting.glossary import GLOSSARY
from isocost.reporting.headline import verdict
from isocost.reporting.money import money
from isocost.reporting.overview import lead, ledger, overview
from isocost.reporting.policies import policies
from isocost.reporting.published import published
from isocost.reporting.rounds import rounds, rounds_table
from isocost.reporting.students import students

__all__ = ["Report", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished report.

    Attributes:
        html: One self-contained page.
        markdown: The same content in Markdown; it names figures as `figures/NAME.svg`.
        figures: SVG files by name.
        papers: The same figures as PDF files by name; empty unless they were asked for.
        tables: CSV text by name, of every table and every figure.
        headline: The answer in two sentences.
        largest: The cell with the most solutions in its training set; "" if none has any.
    """

    html: str
    markdown: str
    figures: Mapping[str, str]
    papers: Mapping[str, bytes]
    tables: Mapping[str, str]
    headline: str
    largest: str


def report(results: Results, *, pdf: bool = False) -> Report:
    """Make the report, most important first. What the study does not have has no section.

    Args:
        results: What it shows.
        pdf: Whether to write the figures as PDF too.
    """
    found = (
        rounds(results),
        students(results),
        data(results),
        curves(results),
        policies(results),
        forecasts(results),
        audits(results),
        money(results),
        published(results),
        background(results),
    )
    sections = tuple(section for section in found if section is not None)
    first = lead(sections)
    document = Document(
        study=results.study,
        verdict=tuple(oneline(sentence) for sentence in verdict(results)),
        overview=rounds_table(results) or overview(results),
        lead=first,
        false_positives=rates_in_use(results),
        money=ledger(results),
        sections=tuple(replace(section, figures=tuple(each for each in section.figures if each is not first)) for section in sections),
        glossary=GLOSSARY,
    )
    figures = document.figures()
    drawn = {figure.key: canvas.draw(figure.draw, figure.height) for figure in figures}
    drawings = {figure.key: canvas.to_svg(drawn[figure.key], figure.key, figure.title, figure.alternative) for figure in figures}
    return Report(
        html=pages.page(document, drawings),
        markdown=markdown.page(document),
        figures={key: canvas.svg_file(drawing) for key, drawing in drawings.items()},
        papers={figure.key: canvas.to_pdf(drawn[figure.key], figure.title) for figure in figures} if pdf else {},
        tables={table.key: table_csv(table) for table in document.tables()},
        headline=" ".join(document.verdict),
        largest=_largest(results),
    )


def _largest(results: Results) -> str:
    """Return the cell with the most solutions in its training set, the last of equals: it follows what it is compared with."""
    kept = {cell.plan.cell.name: cell.n_kept for cell in reversed(results.cells) if cell.n_kept}
    return max(kept, key=lambda name: kept[name], default="")

"""The report in Markdown: the same content, with tables that can be pasted elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from isocost.reporting.blocks import Document, Entry, Figure, Section, Table
from isocost.reporting.escaping import markdown as safe

__all__ = ["page", "safe", "table_lines"]


def page(document: Document) -> str:
    """Format the whole report, in the order of the page. Figures are links to files in `figures/`, beside the report."""
    lines = [f"# {safe(document.study)}: isocost report", ""]
    for sentence in document.verdict:
        lines += [f"**{safe(sentence)}**", ""]
    if document.overview:
        lines += table_lines(document.overview)
    if document.lead:
        lines += _figure(document.lead)
    lines += [f"- Right answers of {safe(name)} with wrong reasoning: {safe(rate)}" for name, rate in document.false_positives]
    lines += [*(f"- {safe(name)}: {safe(amount)}" for name, amount in document.money), ""]
    for section in document.sections:
        lines += _section(section)
    lines += ["## Glossary", "", *(f"- **{safe(term.name)}**: {safe(term.text)}" for term in document.glossary)]
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {safe(section.title)}", "", safe(section.finding), "")
    for paragraph in section.paragraphs:
        yield from (safe(paragraph), "")
    for figure in section.figures:
        yield from _figure(figure)
    for table in section.tables:
        yield from table_lines(table)
    if section.notes:
        yield from (*(f"- {safe(note)}" for note in section.notes), "")


def _figure(figure: Figure) -> Iterator[str]:
    yield from (f"![{safe(figure.title)}](figures/{figure.key}.svg)", "")
    yield from (f"**{safe(figure.title)}.** {safe(figure.alternative)}", "")


def table_lines(table: Table) -> Iterator[str]:
    """Yield the lines of a table with its title."""
    group = bool(table.group_title)
    yield from (f"**{safe(table.title)}.** {safe(table.caption)}", "")
    yield _line([*([safe(table.group_title)] if group else []), *(safe(column.title) for column in table.columns)])
    yield _line([*(["---"] if group else []), *("---" if column.kind == "text" else "---:" for column in table.columns)])
    for row in table.rows:
        entries = [f"**{_text(entry)}**" if row.total and entry.text else _text(entry) for entry in row.entries]
        yield _line([*([safe(row.group)] if group else []), *entries])
    yield ""


def _text(entry: Entry) -> str:
    return safe(f"{entry.text} ({entry.remark})" if entry.remark else entry.text)


def _line(entries: list[str]) -> str:
    return f"| {' | '.join(entries)} |"

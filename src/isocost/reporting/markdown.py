"""The report in Markdown: the same content, with tables that can be pasted elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from isocost.reporting.blocks import Document, Entry, Figure, Section, Table
from isocost.reporting.escaping import markdown as safe


def page(document: Document) -> str:
    """Format the whole report. Figures are links to files in `figures/`, beside the report."""
    lines = [f"# {safe(document.study)}: isocost report", "", f"**{safe(document.headline)}**", ""]
    for sentence in document.support:
        lines += [safe(sentence), ""]
    for section in document.sections:
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {safe(section.title)}", "")
    for paragraph in section.paragraphs:
        yield from (safe(paragraph), "")
    for table in section.before:
        yield from _table(table)
    for figure in section.figures:
        yield from _figure(figure)
    for table in section.after:
        yield from _table(table)
    if section.notes:
        yield from (*(f"- {safe(note)}" for note in section.notes), "")


def _figure(figure: Figure) -> Iterator[str]:
    yield from (f"![{safe(figure.title)}](figures/{figure.key}.svg)", "")
    yield from (f"**{safe(figure.title)}.** {safe(figure.alternative)}", "")


def _table(table: Table) -> Iterator[str]:
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

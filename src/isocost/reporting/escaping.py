"""Escape text from users and models for each format but HTML, which jinja2 escapes."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# Control characters are not XML; bidirectional overrides and isolates can make a name read as another one.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean(text: str) -> str:
    """Remove characters that are invalid in XML or that reorder the text around them."""
    return _INVISIBLE.sub("", text)


def oneline(text: str) -> str:
    """Reduce text to one line without control characters, safe for a terminal."""
    return " ".join(clean(text).split())


def xml(text: str) -> Markup:
    """Escape text for SVG."""
    return escape(clean(text))


def markdown(text: str) -> str:
    """Escape text for a Markdown paragraph or table: no markup, HTML, link, new cell or new line.

    Brackets stay, because intervals use them. Only a bracket that would end a link's text, or start a link definition, is escaped.
    """
    flat = oneline(text)
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = re.sub(r"([\\`*|~])", r"\\\1", flat)
    flat = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", flat)
    return re.sub(r"\](?=[(\[:])" if flat.startswith("[") else r"\](?=[(\[])", r"]\\", flat)


def csv(text: str) -> str:
    """Escape text for CSV so that a spreadsheet does not read it as a formula."""
    text = clean(text)
    return f"'{text}" if text.startswith(_FORMULA) else text

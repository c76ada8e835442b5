"""Text from users and models, made harmless for each format. HTML is escaped by jinja2; this covers the rest."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# Control characters are not XML; bidirectional overrides and isolates can make a name read as another one.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean(text: str) -> str:
    """The text without characters that are invalid in XML or that reorder what stands around them."""
    return _INVISIBLE.sub("", text)


def oneline(text: str) -> str:
    """Text that a terminal may print: one line, no control characters."""
    return " ".join(clean(text).split())


def xml(text: str) -> Markup:
    """Text for SVG."""
    return escape(clean(text))


def markdown(text: str) -> str:
    """Text for a Markdown paragraph or table: no markup, no HTML, no link, no new cell, no new line.

    Brackets stay, because intervals are made of them; only what would turn them into a link, or a first one into a definition of one,
    is broken.
    """
    flat = oneline(text)
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = re.sub(r"([\\`*|~])", r"\\\1", flat)
    flat = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", flat)
    return re.sub(r"\](?=[(\[:])" if flat.startswith("[") else r"\](?=[(\[])", r"]\\", flat)


def csv(text: str) -> str:
    """Text for CSV: a spreadsheet must not read it as a formula."""
    text = clean(text)
    return f"'{text}" if text.startswith(_FORMULA) else text

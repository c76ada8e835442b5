"""Replace lone surrogates, so that text encodes as UTF-8."""

from __future__ import annotations


def sound(text: str) -> str:
    """Return a text that encodes as UTF-8: lone surrogates become question marks."""
    return text if text.isascii() else text.encode(errors="replace").decode()

"""Texts that can be written."""

from __future__ import annotations


def sound(text: str) -> str:
    """A text that UTF-8 can hold: halves of characters (lone surrogates) become question marks."""
    return text if text.isascii() else text.encode(errors="replace").decode()

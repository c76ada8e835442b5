"""Text of figures: short enough for its place, without characters that reorder the text around them."""

from __future__ import annotations

from isocost.reporting.escaping import oneline


def shortened(words: str, longest: int = 44) -> str:
    """Return text as one line, cut off where it is longer than `longest` characters."""
    words = oneline(words)
    return words if len(words) <= longest else words[: longest - 1] + "…"

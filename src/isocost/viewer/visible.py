"""Text of models and users on a page: what cannot be seen is made visible, nothing is dropped in silence."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\x7f]")
# C1 controls; marks, overrides and isolates that reorder text; characters of no width; tags; what is no character at all.
_HIDDEN = re.compile(
    "[\x80-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_DELETE = 0x7F


def visible(text: str) -> str:
    """The text with control characters as their pictures (`␛`) and other hidden ones as `[U+202E]`; line ends and tabs stay.

    Escaping for HTML is jinja's; this is for what escaping leaves: characters that vanish, reorder the text around them, or are not valid.
    """
    lines = text.replace("\r\n", "\n")
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", _CONTROL.sub(_picture, lines))


def first_line(text: str, most: int) -> str:
    """One line for a row of a table: white space folded, cut at `most` characters."""
    flat = visible(" ".join(text[: 4 * most].split()))
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "␡" if code == _DELETE else chr(0x2400 + code)

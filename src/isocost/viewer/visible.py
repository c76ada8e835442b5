"""Make invisible characters in text of models and users visible; none is dropped silently."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\x7f]")
# C1 controls; marks, overrides and isolates that reorder text; zero-width characters; tags; noncharacters and surrogates.
_HIDDEN = re.compile(
    "[\x80-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_DELETE = 0x7F


def visible(text: str) -> str:
    """Replace control characters by their pictures (`␛`) and other hidden ones by `[U+202E]`; line ends and tabs stay.

    jinja escapes HTML. This replaces characters that escaping leaves: those that vanish, reorder the text around them, or are invalid.
    """
    lines = text.replace("\r\n", "\n")
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", _CONTROL.sub(_picture, lines))


def first_line(text: str, most: int) -> str:
    """Reduce text to one line for a row of a table: white space collapsed, cut off at `most` characters."""
    # Cut before splitting, because a text may be very long and a row shows only its beginning.
    flat = visible(" ".join(text[: 4 * most].split()))
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "␡" if code == _DELETE else chr(0x2400 + code)

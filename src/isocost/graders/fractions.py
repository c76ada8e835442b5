"""Fractions of one character, such as the half sign, in digits."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = "\u00bc\u00bd\u00be" + "".join(map(chr, range(0x2150, 0x215F)))
_IN_DIGITS: dict[int, str] = {ord(sign): unicodedata.normalize("NFKC", sign).replace("\u2044", "/") for sign in _SIGNS}
_IN_DIGITS[0x2044] = "/"  # the fraction slash
_BEHIND_DIGIT = re.compile(rf"(?<=\d)[ ]?(?=[{_SIGNS}])")


def with_plain_fractions(text: str) -> str:
    """Return the text with fractions of one character in digits: "2\u00bd" becomes "2 1/2"."""
    return text if text.isascii() else _BEHIND_DIGIT.sub(" ", text).translate(_IN_DIGITS)

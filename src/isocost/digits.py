"""Conversion of whole numbers of thousands of digits. Python's own conversions refuse more than 4,300 digits."""

from __future__ import annotations

import re

_CHUNK = 4000  # digits per conversion; below Python's limit of 4,300, with room
_CHUNK_BITS = 13_000  # a number of as many bits has fewer digits than a chunk
MOST_DIGITS = 40_000  # longest number that is converted; the time is quadratic in it, a few milliseconds here

_WHOLE = re.compile(r"\$?\s*+(?P<sign>[-+\u2212]?)\s*+\$?(?P<digits>\d{1,3}(?:(?:,|\{,\}|\\[,!;: ]|,\\!| )\d{3})+|\d+)(?:\.0*)?\$?\.?")


def json_int(digits: str) -> int | str:
    """Return the number of a JSON literal, or the literal itself if Python cannot convert it. For `json.loads(parse_int=...)`."""
    return int(digits) if len(digits) <= _CHUNK else digits


def to_int(digits: str) -> int:
    """Return the value of decimal digits.

    Raises:
        ValueError: there are more than `MOST_DIGITS`, or other characters.
    """
    if len(digits) > MOST_DIGITS:
        raise ValueError("too many digits")
    value = 0
    for start in range(0, len(digits), _CHUNK):
        chunk = digits[start : start + _CHUNK]
        value = value * 10 ** len(chunk) + int(chunk)
    return value


def to_digits(value: int) -> str:
    """Return the decimal digits of a whole number, with a minus sign if it is negative."""
    if value.bit_length() <= _CHUNK_BITS:  # the power below takes longer than all else that is done with a short answer
        return str(value)
    chunks, rest, unit = [], abs(value), 10**_CHUNK
    while rest >= unit:
        rest, chunk = divmod(rest, unit)
        chunks.append(str(chunk).rjust(_CHUNK, "0"))
    return ("-" if value < 0 else "") + str(rest) + "".join(reversed(chunks))


def whole_number(text: str) -> str | None:
    """Return sign and digits of a text that is one whole number with separators, in one spelling; None for any other text."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    digits = re.sub(r"\D", "", match["digits"]).lstrip("0") or "0"
    # \d matches the digits of other scripts too.
    if not digits.isascii():
        return None
    return f"-{digits}" if match["sign"] in ("-", "\u2212") and digits != "0" else digits

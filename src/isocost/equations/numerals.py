"""The value of a written number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from isocost.equations.symbols import VULGAR

_LARGEST_EXPONENT = 30  # of scientific notation; bounds the size of values
_SHORTEST = 4  # shortest text of a one-place decimal that may be a rounded fraction: 33.3, but not 0.3
_DENOMINATOR = 12  # largest denominator of a fraction that is rounded to a few places
_LONG = 10  # decimal places from which a calculator must have printed the number
_GROUPED = re.compile(r"[1-9]\d{0,2}\.\d{3}")

Number = int | Fraction


@dataclass(slots=True)
class Numeral:
    """A number as written.

    Attributes:
        value: Its value.
        normal: Its text without separators.
        places: Decimal places.
        operations: Operators within it, as in a fraction.
        european: The number if the dot separates thousands, as in much of Europe; None if it cannot.
    """

    value: Number
    normal: str
    places: int = 0
    operations: int = 0
    european: Numeral | None = None


def numeral(form: str, text: str) -> Numeral | None:
    """Read a number token. None if its value is too large or its denominator zero."""
    if form != "number":
        return _FORMS[form](text)
    if text.isdigit():
        return Numeral(int(text), text)
    digits = text.translate(_SEPARATORS).rstrip(".")
    if digits.isdigit():
        return Numeral(int(digits), digits)
    mantissa, _, exponent = digits.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    value: Number = Fraction(int(whole + decimals), 10 ** len(decimals))
    if exponent:
        return _scientific(value, int(exponent))
    tail = decimals.rstrip("0")
    whole = whole or "0"
    european = Numeral(int(whole + decimals), whole + decimals) if _GROUPED.fullmatch(digits) else None
    return Numeral(value, f"{whole}.{tail}" if tail else whole, places=len(decimals), european=european)


def simplest(written: Numeral) -> Numeral:
    """Return the simplest fraction that the decimal may have been rounded or cut off from: 2/3 for 0.67; itself if there is none."""
    value, places = Fraction(written.value), written.places
    if places < 2 and len(written.normal) < _SHORTEST:
        return written
    near = value.limit_denominator(max(_DENOMINATOR, 10 ** (places // 2 - 1)))
    allowed = Fraction(16 if places >= _LONG else 1, 10**places)
    if abs(near - value) >= allowed:
        return written
    return Numeral(near, written.normal, places=places)


def _scientific(value: Number, exponent: int) -> Numeral | None:
    if abs(exponent) > _LARGEST_EXPONENT:
        return None
    value *= Fraction(10) ** exponent
    return Numeral(value, str(value))


def _fraction(text: str) -> Numeral | None:
    top, bottom = (int(digits.strip("{ }")) for digits in _PARTS.findall(text))
    return Numeral(Fraction(top, bottom), f"{top}/{bottom}", operations=1) if bottom else None


def _mixed(text: str) -> Numeral | None:
    whole, top, bottom = (int(digits) for digits in re.findall(r"\d+", text))
    if not 0 < top < bottom:
        return None
    return Numeral(whole + Fraction(top, bottom), f"{whole}+{top}/{bottom}", operations=1)


def _vulgar(text: str) -> Numeral:
    part, whole = VULGAR[text[-1]], text[:-1].strip()
    return Numeral(int(whole or 0) + part, f"{int(whole)}+{part}" if whole else str(part), operations=1)


def _repeating(text: str) -> Numeral:
    written, _, period = text.rstrip("}").partition("\\overline{")
    whole, _, decimals = written.partition(".")
    shift = 10 ** len(decimals)
    value = Fraction(int(whole + decimals or "0"), shift) + Fraction(int(period), (10 ** len(period) - 1) * shift)
    return Numeral(value, f"{whole or 0}.{decimals}({period})")


_FORMS = {"fraction": _fraction, "mixed": _mixed, "vulgar": _vulgar, "repeating": _repeating}
_PARTS = re.compile(r"\{ ?\d+ ?\}|\d")
_SEPARATORS = str.maketrans("", "", ",{}\\!…")

"""Decimal commas and separators of thousands, read by what the number itself shows: `1.234,50`, `1.234.567`, `1'234.5`, `1 234,5`."""

from __future__ import annotations

import re

_ALONE = r"(?<![\w.,'])"  # the number begins here
_END = r"(?![\w]|[.,']\d)"
_SHOWN = re.compile(
    rf"{_ALONE}(?:"
    r"(?P<dots>\d{1,3}(?:\.\d{3})+),(?P<decimals>\d+)"  # 1.234,50
    r"|(?P<groups>\d{1,3}(?:\.\d{3}){2,})"  # 1.234.567
    r"|(?P<spaces>\d{1,3}(?: \d{3})+),(?P<after>\d{1,2})"  # 1 234,5
    r"|(?P<marks>\d{1,3}(?:['\u2019]\d{3})+)(?:\.(?P<part>\d+))?"  # 1'234.5
    rf"){_END}"
)
_INDIAN = re.compile(rf"{_ALONE}(\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?){_END}")  # 1,23,456: to others a list
_COMMA = re.compile(rf"{_ALONE}(?<![(\[{{])(?:(0),(\d+)|(\d+),(\d{{1,2}}|\d{{4,}})){_END}")  # 12,5: to others a list
_TEX_COMMA = re.compile(r"(?<=\d)\{,\}(?=\d)(?!\d{3}(?!\d))")  # 12{,}5, but not 1{,}234
_EVIDENCE = re.compile(r"\d[.,' \u2019]\d")


def plain_separators(text: str, *, one_number: bool = False) -> str:
    """Return the text with its numbers in English notation, without separators of thousands where these were others.

    Args:
        text: The text.
        one_number: Also read what would otherwise be a list of numbers: `12,5`, `1,23,456`.
    """
    if "{,}" in text:
        text = _TEX_COMMA.sub(".", text)
    if not _EVIDENCE.search(text):
        return text
    text = _SHOWN.sub(_english, text)
    if one_number and "," in text:
        text = _INDIAN.sub(lambda match: match[1].replace(",", ""), text)
        text = _COMMA.sub(lambda match: f"{match[1] or match[3]}.{match[2] or match[4]}", text)
    return text


def indian_number(text: str) -> str | None:
    """Return the digits of a text that is one number with Indian grouping; None for any other."""
    return text.replace(",", "") if _INDIAN.fullmatch(text) else None


def _english(match: re.Match[str]) -> str:
    whole = next(group for group in (match["dots"], match["groups"], match["spaces"], match["marks"]) if group)
    part = match["decimals"] or match["after"] or match["part"]
    return re.sub(r"\D", "", whole) + (f".{part}" if part else "")

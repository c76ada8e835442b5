"""Cuts prose into the tokens of the arithmetic in it: numbers, signs, words, and breaks between which nothing belongs together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

_MOST_DIGITS = 30  # characters of a number
_DEEPEST = 12  # nested parentheses

Kind = Literal["number", "op", "open", "close", "equals", "percent", "money", "word", "break", "unreadable"]

_LEXER = re.compile(
    r"""(?P<fraction>\\[dt]?frac\{\d{1,15}\}\{\d{1,15}\})
    | (?P<unit>\\(?:text|mathrm)\{[^{}\\$]{0,40}\})
    | (?P<break>\n|\\\\|\\[()\[\]]|\$\$|[-=]{1,3}>|(?:step|part|case|equation)[ ]\d{1,4}\b|\.(?!\d)|[,;:!?"'“”‘’`~\#—…•|\[\]→⇒])
    | (?P<op>\*\*|[-+*/^×✕·⋅∙÷−–](?!\ ?[^\W\d_]{2})|\\(?:times|cdot|div)(?![a-z])|[xX](?=[ ]{0,3}[\d(.$€£]))
    | (?P<equals>&?=(?![=>]))
    | (?P<gap>[^\S\n]+|\\(?:left|right)(?![a-z])|\\[,;!])
    | (?P<percent>\\?%|per[ ]?cent\b)
    | (?P<number>\d+(?:[,:.]\d+)*|\.\d+)
    | (?P<word>[^\W\d_]\w*(?:['’/-][^\W\d_]\w+)*|/[ ]?[^\W\d_]{2}\w*)
    | (?P<money>\\?\$|[€£¢])
    | (?P<open>\()
    | (?P<close>\))
    | (?P<unreadable>.)""",
    re.VERBOSE | re.IGNORECASE,
)
_KINDS: dict[str | None, Kind] = {"fraction": "number", "unit": "word"}  # of the groups that are not named for their kind
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d*)(?:\.\d+)?")
_OPERATORS = {
    "×": "*",
    "✕": "*",
    "·": "*",
    "⋅": "*",
    "∙": "*",
    "x": "*",
    "\\times": "*",
    "\\cdot": "*",
    "÷": "/",
    "\\div": "/",
    "−": "-",
    "–": "-",
    "**": "^",
}


@dataclass(slots=True)
class Token:
    """A token and where it stands in the text."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def operator(self) -> str | None:
        """One of `+-*/^`, however it is written; None of a token that is no operator."""
        text = self.text.lower()
        return _OPERATORS.get(text, text) if self.kind == "op" else None


def tokenize(text: str) -> list[Token]:
    """The tokens of a text without its gaps and markup; parentheses are in pairs, each around one expression or a part of it."""
    tokens: list[Token] = []
    for match in _LEXER.finditer(text):
        kind = _kind(match, text, tokens[-1] if tokens else None)
        if kind is not None:
            tokens.append(Token(kind, match[0], match.start(), match.end()))
    _pair(tokens)
    return tokens


def is_sign(tokens: list[Token], i: int) -> bool:
    """Whether the token at i is a minus directly before a number, and so the number's sign."""
    if i + 1 >= len(tokens) or tokens[i].operator != "-":
        return False
    return tokens[i].end == tokens[i + 1].start and tokens[i + 1].kind in {"number", "open", "money"}


def _kind(match: re.Match[str], text: str, before: Token | None) -> Kind | None:
    """The kind of a match, or None where it is passed over."""
    group, word, rest = match.lastgroup, match[0], text[match.end() : match.end() + 20]
    if group == "gap":
        return None
    if group == "number":
        return "number" if _NUMBER.fullmatch(word) and len(word) <= _MOST_DIGITS else "unreadable"
    if group == "word":
        is_name = word.startswith("/") or (word.isalpha() and len(word) > 1) or any(mark in word for mark in "'’/-")
        return "word" if is_name or (word in "aA" and text[match.start() - 1 : match.start()].isspace()) else "unreadable"
    if word == "**" and not (before is not None and before.kind in {"number", "close"} and re.match(r" ?[\d(]", rest)):
        return None  # bold type
    if word in {"-", "*", "+", "–"} and (before is None or before.kind == "break") and rest[:1].isspace():
        return "break"  # a bullet
    if word == "\n" and ((before is not None and before.kind == "equals") or rest.lstrip(" \t&").startswith("=")):
        return None  # an equation set over lines
    return _KINDS.get(group, cast(Kind, group))


def _pair(tokens: list[Token]) -> None:
    """Turn each parenthesis into a break that has no partner, lies too deep, or encloses an equation, a break or another such one."""
    open_at: list[int] = []
    broken: set[int] = set()
    for i, token in enumerate(tokens):
        if token.kind == "open":
            open_at.append(i)
            if len(open_at) > _DEEPEST:
                broken.add(i)
        elif token.kind == "close":
            opened = open_at.pop() if open_at else None
            if opened is None:
                token.kind = "break"
            elif opened in broken:
                tokens[opened].kind = token.kind = "break"
        if token.kind in {"equals", "break"}:
            broken.update(open_at[-1:])
    for i in open_at:
        tokens[i].kind = "break"

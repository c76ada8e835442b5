"""Quotation marks, emphasis and code spans around an answer, and the label before it, as in `So in total: **$12**.`"""

from __future__ import annotations

import re

_CLOSING = {
    '"': '"',
    "'": "'",
    "`": "`",
    "*": "*",
    "_": "_",
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u2018": "\u2019",
    "\u201a": "\u2018\u2019",
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab",
    "\u2039": "\u203a",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
}
_STOPS = ".\u3002"
_SIGN_IN_WORDS = re.compile(r"(?i)^(?:\\(?:text|mbox)\s*+\{\s*+)?(?:negative|minus)\b\s*+\}?\s*+(?=\$?\.?\d|\\frac)")
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|sl|sc|up|normal)?|mbox|emph|math(?:rm|bf|it|sf|tt)|boldsymbol)\s*\{([^{}]*)\}")
MOST_LAYERS = 8  # "**`42`**" has three
# Words and a colon or an arrow. A label has no digits and no mathematics, so `a:b = 3:4` and `f: x` have none.
_LABEL = re.compile(r"\s*(?:[-*>•#]+\s+)?(?=[^:\n]*[^\W\d_]{2})[^\d:=$\\<>{}\n]{2,60}(?::|=>|->|→|⇒|：)\s*(?=\S)")


def undecorated(text: str) -> str:
    """Return the text without what is wrapped around the whole of it."""
    if text[:1].isalnum():
        return text.strip()
    for _ in range(MOST_LAYERS):
        text = text.strip()
        closing = _CLOSING.get(text[:1])
        if closing is None:
            return text
        inner = text.rstrip(_STOPS) if text[-1] in _STOPS else text
        mark, end = text[0], inner[-1:]
        if len(inner) < 3 or end not in closing:
            return text
        content = inner[1:-1]
        # Inside, the mark may only be one more layer of itself (**42**): in "'a' and 'b'" it closes before the end.
        if mark in content.strip(mark + end) or end in content.strip(mark + end) or not content.strip(mark + end):
            return text
        text = content
    return text


def with_signs(text: str) -> str:
    """Return a text that is one number with its sign in words, "negative 5", with `-` instead; another text as it is."""
    return _SIGN_IN_WORDS.sub("-", text) if text[:1] in "\\nNmM" else text


def without_text(text: str) -> str:
    r"""Return the text without the LaTeX commands that set words: `New York` of `\\textbf{New York}`."""
    return _TEXT.sub(r"\1", text) if "\\" in text else text


def without_label(line: str) -> str:
    """Return what follows a label that a line begins with, else the line."""
    found = _LABEL.match(line)
    return line[found.end() :] if found else line


_CLOSED_LABEL = re.compile(r"\s*(?:\*{1,3}|_{1,2}|</(?:b|i|em|strong|u)>)\s+(?=\S)")


def within_braces(text: str) -> str:
    r"""Return what follows a label without the marks that close around the label or around both: `} 4` of `\\text{Answer:} 4`, `4}`."""
    if "}" in text:
        depth, kept = 0, []
        for position, character in enumerate(text):
            escaped = text[position - 1 : position] == "\\"
            depth += (character == "{" and not escaped) - (character == "}" and not escaped)
            if depth < 0:
                depth = 0
            else:
                kept.append(character)
        text = "".join(kept)
    closed = _CLOSED_LABEL.match(text) if text[:1] in "*_<" else None
    return text[closed.end() :] if closed else text

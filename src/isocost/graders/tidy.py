"""Bring an answer to one way of writing: what does not change its value goes, and plain notation becomes LaTeX."""

from __future__ import annotations

import re

from isocost.graders.extract import brace_pairs

_REPLACED = {
    "\N{MINUS SIGN}": "-",
    "\N{INFINITY}": r"\infty ",
    "\N{GREEK SMALL LETTER PI}": r"\pi ",
    "\N{MULTIPLICATION SIGN}": r"\times ",
    "\N{SQUARE ROOT}": r"\sqrt ",
    "\N{LESS-THAN OR EQUAL TO}": r"\le ",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ge ",
    "\N{NOT EQUAL TO}": r"\ne ",
    "\N{ELEMENT OF}": r"\in ",
    "\N{UNION}": r"\cup ",
    "\N{DEGREE SIGN}": "",
    "<=": r"\le ",
    ">=": r"\ge ",
    "!=": r"\ne ",
    "**": "^",
}
_BOLD = re.compile(r"\*\*(?=[^*\s][^*]*\*\*)|(?<=[^*\s])\*\*\s*$|^\s*\*\*")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<!\\)\$|\\[()]|\\\[|\\\](?!\w)", ""),  # math delimiters
        (r"\\[$]|[€£¥₹]", ""),
        (r"\\(?:left|right|bigg?l?|bigg?r?|Bigg?l?|Bigg?r?)(?=[\s()\[\]|.\\{}])", ""),
        (r"(?<!\\)\\!\s*", ""),
        (r"(?<!\\)\\[,;: ]|\\q?quad|~", " "),
        (r"\\\\\s*(?=\\end\s*\{)", ""),  # a row separator after the last row
        (r"\\[dtc]frac", r"\\frac"),
        (r"\\(?:mbox|textbf|textnormal|textrm|textit|mathrm|mathbf|mathit|rm)(?=\s*\{)", r"\\text"),
        (r"\\leq(?:slant)?(?![a-zA-Z])|\\leqq", r"\\le "),
        (r"\\geq(?:slant)?(?![a-zA-Z])|\\geqq", r"\\ge "),
        (r"\\lt(?![a-zA-Z])", "<"),
        (r"\\gt(?![a-zA-Z])", ">"),
        (r"\\neq(?![a-zA-Z])", r"\\ne "),
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)(?=.*\))", r" \\cdot \\frac{\\pi}{180}"),  # inside a function a degree has a value
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\\degree\b", ""),
        (r"\\?%|(?<=\d)\s*(?:percent|pct)\b", ""),
        (r"(?<=\d)\{,\}(?=\d)", ","),
        (r"^\s*\\text\s*\{\s*(\d[^{}]*|\(?[A-Za-z]\)?)\s*\}\s*$", r"\1"),  # a number or a choice's letter set as text
        (r"\+\s*-", "-"),
        (r"\bsqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"(?<![\\a-zA-Z])exp\s*\(([^()]*)\)", r"e^{\1}"),
        (r"(?<![\\a-zA-Z])(pi|sin|cos|tan|log|ln)(?![a-zA-Z])", r"\\\1 "),
        (r"\^\s*\(([^()]*)\)", r"^{\1}"),
        (r"(?<=[\w)])\s*\*\s*(?=[\w(\\])", r" \\cdot "),
    )
)
# A unit in words after a number or a closing bracket. Short words right after a digit stay, since 3xy is a product.
_UNIT_TEXT = re.compile(r"(?<=[\w)}\]])\s*\\text\s*\{\s*(?!and\b|or\b)[^{}]*\}\s*(?:\^\s*\{?[23]\}?)?\s*$")
_UNIT_WORDS = re.compile(r"(-?[\d.,/]*\d)(?:\s+(?!and\b|or\b)[A-Za-z]{3,}|[A-Za-z]{4,})(?:\s+(?!and\b|or\b)[A-Za-z]+)*(?:\^?[23])?")


def tidy(answer: str) -> str:
    """The answer without delimiters, layout, units, currency, percent and degree signs; ASCII mathematics becomes LaTeX."""
    text = _BOLD.sub("", _unboxed(answer.strip()))
    for old, new in _REPLACED.items():
        text = text.replace(old, new)
    if "\\begin" not in text:  # in a matrix two backslashes end a row, elsewhere one was escaped once too often
        text = re.sub(r"\\\\(?=[a-zA-Z])", r"\\", text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = re.split(r"\\approx", text)[0]
    text = " ".join(text.split()).rstrip(".,;\\ ")
    text = _UNIT_TEXT.sub("", text)
    if unit := _UNIT_WORDS.fullmatch(text):
        text = unit[1]
    return text.strip()


def _unboxed(text: str) -> str:
    """`\\boxed{x}` becomes x wherever it stands."""
    while match := re.search(r"\\(?:boxed|fbox)\s*\{", text):
        end = brace_pairs(text).get(match.end() - 1)
        if end is None:
            return text[: match.start()] + text[match.end() :]
        text = text[: match.start()] + text[match.end() : end] + text[end + 1 :]
    return text

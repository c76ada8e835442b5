"""Bring an answer to one way of writing: what does not change its value goes, and plain notation becomes LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

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
    "\N{DEGREE SIGN}": r"^\circ ",
    "\N{EMPTY SET}": r"\emptyset ",
    "\N{SUPERSCRIPT TWO}": "^2",
    "\N{SUPERSCRIPT THREE}": "^3",
    "\N{VULGAR FRACTION ONE HALF}": r"\frac{1}{2}",
    "\N{VULGAR FRACTION ONE QUARTER}": r"\frac{1}{4}",
    "\N{VULGAR FRACTION THREE QUARTERS}": r"\frac{3}{4}",
    "\N{FULLWIDTH PERCENT SIGN}": "%",
    "\N{FULLWIDTH COMMA}": ",",
    "\N{IDEOGRAPHIC COMMA}": ",",
    "\N{DIVISION SIGN}": r"\div ",
    "\N{MIDDLE DOT}": r"\cdot ",
    "\N{DOT OPERATOR}": r"\cdot ",
    "\N{RATIO}": ":",
    "\N{EN DASH}": "-",
    "<=": r"\le ",
    ">=": r"\ge ",
    "!=": r"\ne ",
    "**": "^",
}
_BOLD = re.compile(r"\*\*(?=[^*\s][^*]*\*\*)|(?<=[^*\s])\*\*\s*$|^\s*\*\*")
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
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
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)\s*(?:\\text\s*\{\s*C\s*\}|C\b)", r"\\text{celsius}"),
        (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|\\degrees?\b", r"\\text{degrees}"),
        (r"\\text\s*\{\s*(?:percent|pct|\\?%)\s*\}|\\?%|(?<=[\d)}])\s*(?:percent|pct)\b", r"\\%"),
        (r"(?<=\d)\{,\}(?=\d)", ","),
        (r"^(-?\d{1,3}(?: \d{3})+)$", lambda match: match[1].replace(" ", "")),
        (r"\\(?:var)?nothing|\\emptyset|\\\{\s*\\\}", r"\\emptyset"),
        (r"(?<![\\a-zA-Z])infinity(?![a-zA-Z])", r"\\infty "),
        (r"^\s*\\text\s*\{\s*(\d[^{}]*|\(?[A-Za-z]\)?)\s*\}\s*$", r"\1"),  # a number or a choice's letter set as text
        (r"\+\s*-", "-"),
        (r"\bsqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"(?<![\\a-zA-Z])exp\s*\(([^()]*)\)", r"e^{\1}"),
        (r"(?<![\\a-zA-Z])(pi|sin|cos|tan|log|ln)(?![a-zA-Z])", r"\\\1 "),
        (r"\^\s*\(([^()]*)\)", r"^{\1}"),
        (r"(?<=[\w)])\s*\*\s*(?=[\w(\\])", r" \\cdot "),
    )
)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?|[A-Za-z]")
_ESCAPED = re.compile(r"\\\\(?=[a-zA-Z])")


@lru_cache(maxsize=65536)
def tidy(answer: str) -> str:
    """The answer without delimiters, layout and currency; ASCII mathematics becomes LaTeX, and units and percent signs stand behind it as
    `\\text{cm}` and `\\%`.
    """
    if _PLAIN.fullmatch(answer):
        return answer
    text = _BOLD.sub("", _unboxed(answer.strip()))
    for old, new in _REPLACED.items():
        text = text.replace(old, new)
    if "\\\\begin" in text:  # escaped once too often, as by a JSON writer
        text = text.replace("\\\\", "\\")
    elif "\\begin" not in text:  # in a matrix two backslashes end a row
        text = _ESCAPED.sub(r"\\", text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = text.partition("\\approx")[0]
    return " ".join(text.split()).rstrip(".,;\\ ")


def _unboxed(text: str) -> str:
    """`\\boxed{x}` becomes x wherever it stands."""
    while match := re.search(r"\\(?:boxed|fbox)\s*\{", text):
        end = brace_pairs(text).get(match.end() - 1)
        if end is None:
            return text[: match.start()] + text[match.end() :]
        text = text[: match.start()] + text[match.end() : end] + text[end + 1 :]
    return text

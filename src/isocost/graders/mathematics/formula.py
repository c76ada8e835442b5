"""The final answer of a mathematical solution: a box, a phrase, a bare answer, or else the last formula or number."""

from __future__ import annotations

import re

from isocost.graders.decoration import undecorated, without_label
from isocost.graders.extract import extract_answer, final_text, last_number, lone_number
from isocost.graders.joining import with_english_joints
from isocost.graders.mathematics.mixed import as_fraction, with_mixed_numbers
from isocost.graders.mathematics.qualifiers import is_qualified, without_qualifier
from isocost.graders.mathematics.separators import plain_separators

LONGEST_BARE = 300  # characters of an answer without any text around it
LONGEST_END = 10_000  # characters at the end of a text without a marked answer, where a formula counts as the answer

# Bounded, because an unclosed delimiter would otherwise be searched to the end of the text, once for each.
_SPAN = re.compile(r"\$\$(.{1,1000}?)\$\$|\\\[(.{1,1000}?)\\\]|\\\((.{1,1000}?)\\\)|\$([^$\n]+)\$", re.DOTALL)
_MARKUP = re.compile(r"\\text\s*\{[^{}]*\}|\\(?:begin|end)\s*\{\w+\*?\}(?:\s*\{[lcr|\s]*\})?|\\[a-zA-Z]+")
# An answer in two to four words, such as "no real solutions".
_FEW_WORDS = re.compile(r"[A-Za-z]+(?: [A-Za-z]+){1,3}[.!]?")
_FRACTIONS = str.maketrans({"\u00bd": " 1/2", "\u00bc": " 1/4", "\u00be": " 3/4"})
# Introductions of a bare answer: "So it is 5", "I think x is 5".
_INTRODUCED = re.compile(
    r"(?i)^(?:(?:so|thus|hence|then|therefore|maybe)\b,?\s*)?(?:(?:it|that|this|[a-z])(?:\s+is|'s)\s+(?=\S)|(?:we|i)\s+(?:get|have|think|believe)\s+)?"
)
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_STATEMENT = re.compile(r"\s*[A-Za-z]{2}")
_OTHER_AMOUNT = re.compile(
    r"(?i)\b(?:half|quarters?|thirds?|twice|double|triple|factorial|mod|modulo|base|choose|below|under|over|above|no|without|every|each|per)\b"
)
_RATIO = re.compile(r"(?i)\bratio\b[^.\n\d]{0,80}(\d+(?:\.\d+)?(?: to \d+(?:\.\d+)?)+)\W*$")
_WORD = re.compile(r"\b(?!and\b|or\b)[A-Za-z]{2,}\b")
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u03ff\u2100-\u214f]")  # letters beyond Latin, Greek and letterlike symbols


def final_formula(generation: str) -> str | None:
    """Return the text of the final answer, or None. Linear in the text, as `extract_answer` is."""
    found = extract_answer(generation)
    if found is None:
        return _unmarked(final_text(generation).strip())
    if found.marker == "phrase" and not _is_bare(found.text):
        text = with_mixed_numbers(plain_separators(found.text), as_fraction)
        number = lone_number(text, first=bool(re.match(r"\$?-?\d", text)))
        return _span(text) or (number[0] if number else text)
    return found.text


def _unmarked(text: str) -> str | None:
    """Return the whole text if it is no more than an answer, else its last formula or number."""
    line = _INTRODUCED.sub("", text)
    if len(line) <= LONGEST_BARE and "\n" not in line:
        line = undecorated(without_label(without_qualifier(line)))
        if _is_bare(line) or _FEW_WORDS.fullmatch(line):
            return line
        if ratio := _RATIO.search(line):
            return ratio[1]
    return _span(text) or last_number(with_mixed_numbers(text.translate(_FRACTIONS), as_fraction))


def _is_bare(text: str) -> bool:
    """Return True if a text is an answer alone, as typed into a form: one line without running prose."""
    if "\n" in text or len(text) > LONGEST_BARE:
        return False
    outside = _MARKUP.sub(" ", with_english_joints(text))
    return len(_WORD.findall(outside)) <= 2 and not _OTHER_SCRIPT.search(outside)


def _span(text: str) -> str | None:
    """Return the last formula, unless a plain number follows it."""
    text = text[-LONGEST_END:]
    spans = list(_SPAN.finditer(text))
    while len(spans) > 1 and is_qualified(text[spans[-2].end() : spans[-1].start()]):  # "$f(x) = 2x$ for all $x > 0$"
        text = text[: spans.pop().start()]
    if not spans:
        return None
    number = last_number(text[spans[-1].end() :])
    if number:
        return number
    found = [next(group for group in span.groups() if group).strip() for span in spans]
    return next((formula for formula in reversed(found) if len(formula) > 1 or formula.isdigit()), found[-1])  # "$f(x) = 2x$ for all $x$"


def stated_number(answer: str) -> str | None:
    """Return the only number of an answer that is a statement in words, such as "there are 5 such numbers"; None for any other answer."""
    plain = _TEXT.sub(r" \1 ", answer)
    if "\\" in plain or "=" in plain or not _STATEMENT.match(plain) or _OTHER_AMOUNT.search(plain):
        return None
    number = lone_number(plain, first=False)
    return number[0] if number and len(re.findall(r"\d[\d.,]*", plain)) == 1 else None

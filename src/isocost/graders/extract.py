"""Find the final answer in a solution: `#### 12`, a box, `The answer is 12.`, `Answer: 12`, or else the last number.

The last `####` or box wins over phrases, because phrases also occur in running text ("the answer is not yet known").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from isocost.graders.amounts import has_date, is_partial
from isocost.graders.asides import without_remarks
from isocost.graders.clauses import answer_part
from isocost.graders.decoration import undecorated, within_braces
from isocost.graders.joining import CONNECTIVES
from isocost.graders.mathematics.separators import plain_separators
from isocost.graders.numerals import NUMBER, joined_before, last_match, with_powers_of_ten
from isocost.graders.phrases import MOST_PHRASES, is_explanation, is_statement, last_phrases
from isocost.graders.replies import reply_text
from isocost.graders.sentences import sentence_end

Marker = Literal["hash", "boxed", "phrase"]

LONGEST = 100_000  # characters read, from the end, where the final answer is; every later step is linear in this

# Also \beginboxed{12}, and \boxed 12 without braces.
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{|\\beginboxed\s*\{|\\boxed\s+(?=[^\s{])")
_SCALE = re.compile(r" (?:hundred|thousand|[mb]illion|trillion)\b|:00\b")
LONGEST_TAIL = 2000  # characters read after "the answer is"
FIRST_TAIL = 64  # characters from the end that are searched first for the last number
_MORE_DIGITS = re.compile(r"\d(?:[\d,]*\d)?")  # the rest of a number at the limit, so that it is not cut in two
_WORD = re.compile(r"[^\s$.,]+")  # the content of \boxed without braces
PERCENT_BEHIND = r" \%"  # that was behind a box; a space before it, because boxes rarely have one
_FURTHER = "7"  # a character that would be part of an unfinished number, letter or formula
LONGEST_BLANK = 40  # characters of a box that may be layout only
_BLANK = re.compile(r"\\(?:text|mbox)\s*\{\s*\}|\\(?:[,;:! ]|q?quad\b)|[\s$~]")
_BETWEEN_WORDS = re.compile(r"[A-DF-Za-df-z] (?=[A-Za-z])")  # not of `1e 5`
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_HASH = re.compile(r"####[ \t]*([^\n]*)|<answer>([^<]*)</answer>")  # GSM8K's marker, and that of R1-style prompts
_JSON_VALUE = re.compile(r'\s*(?:"((?:[^"\\\n]|\\.)+)"|([^,}\s"\[{][^,}\n]*))\s*[,}\n]')  # of {"answer": "7"}
# At the end of an answer: ":)", an emoji, the "###" that closes a heading
_EMOTICONS = re.compile(r"(?:\s++(?:[:;]-?[)(DP]|#+)|\s*+[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f])++\s*$")
_RUN = re.compile(r"\s{2,}")
_DISPLAY = re.compile(r"\$\$[^$]+\$\$|\\\[(?:[^\\]|\\(?!\]))+\\\]")
# Text between two boxes that joins them into one answer: a comma or a word for "and", perhaps a unit, a name or a label, and no other word.
_LABELLED = r"(?:(?:for|of|in)\s+[\w()' ]{1,30}?|[A-Za-z]\w{0,15})"
_CONNECTED = re.compile(
    rf"(?:{_LABELLED}\s*,?\s*(?:{CONNECTIVES})|(?:(?:for|of)\s+\w{{1,15}})?\s*[,;、]\s*(?:{CONNECTIVES})?|(?:{CONNECTIVES}))?"
    r"\s*(?:\(?[a-zA-Z\d]{1,3}\)|[a-zA-Z](?:_?\d)?\s*[:=])?"
)
# A percent sign right behind a box
_PERCENT = re.compile(r"\s*(?:\\[,;:! ]\s*)?(?:\$|\\[)\]])?\s*(?:\\?%|\\(?:text|mbox|mathrm)\s*\{\s*(?:\\?%|percent)\s*\}|percent\b)")
_UNEQUAL = r"\\(?:neq?|leq?(?:slant)?|geq?(?:slant)?|lt|gt)(?![a-zA-Z])|[\u2260\u2264\u2265<>]"
MODULO = r"(?:\\[bp]?mod(?![a-zA-Z])|\bmod(?:ulo)?\b)"
# A number beside such a word is not the answer by itself: "at least 5", "5 or 6", "root 5".
_CHANGED = re.compile(
    r"(?i)\b(?:not|cannot|less|fewer|more than|greater|at least|at most|between|or|root|negative|minus|plus|times|squared|cubed|neither"
    rf"|unknown)\b|{MODULO}|n't\b|\\pm(?![a-zA-Z])|\u00b1|{_UNEQUAL}"
)
_INEQUALITY = re.compile(rf"(?<!>)(?:{_UNEQUAL})\s*\$?\s*$")
_NOT = r"(?:\bis|\bwas|\bcan|\bcould)(?:\s*not|n['\u2019]t)(?:\s+be)?"
# The end of a sentence that takes a final answer back, and the word before such an answer. "is not an integer" takes nothing back, and
# "is incorrect" may answer a question for what is incorrect.
_TAKEN_BACK = re.compile(
    rf"(?i)[\s$*_`\"'\u201d\u2019)\]]*(?:{_NOT}\s+(?:the|our|my|your)\s+(?:(?:final|correct|right|true|actual|required|desired)\s+)*answer\b"
    r"|\bis\s+(?:the|a)\s+(?:wrong|incorrect)\s+answer\b)"
)
_DENIED = re.compile(r"(?i)(?:\b(?:can)?not|\bnever|n['\u2019]t)(?:\s+(?:be|equal|exceed|reach))?(?:\s+to)?[\s$*({]*$")
_MODULUS = re.compile(rf"(?i){MODULO}[\s$({{]*$")
MOST_SIGNS = 20  # characters before a number that may hold an inequality sign or `not`
LONGEST_GAP = 60  # characters between two boxes of one answer
MOST_WORDS = 80  # characters after an answer that may take it back
_OPERATORS = tuple("+-*/^_(,[{\\<>|")  # right before a number that is a part of a formula
_SIDE_BY_SIDE = re.compile(r"[\s;|&]*|[\"']\s*,\s*[\"']")
_AFTER = tuple("+-*/^_)]}\\<>|")  # right after it
_LAYOUT = re.compile(r"\\(?:text|mbox)\s*\{([^{}]*)\}|\\q?quad\b|\\[,;!()]|\$|\b[a-zA-Z](?:_\{?\w+\}?)?\s*=\s*$")


class Extracted(NamedTuple):
    """The text of a final answer and the kind of marker that it was found by. It is a tuple because every sample has one."""

    text: str
    marker: Marker


# A text without a marked answer is read again by other rules.
@lru_cache(maxsize=1)
def final_text(generation: str) -> str:
    """Return the part of a generation that is searched, as `reply_text` does, and at most `LONGEST` characters of it."""
    return reply_text(generation)[-LONGEST:]


def extract_answer(generation: str) -> Extracted | None:
    """Return the marked final answer of a solution, or None where nothing is marked.

    Several boxes joined by "and" or a comma are one answer. A last box that is empty or cut off is an answer without text. A box that is
    taken back ("\\boxed{5} is not the answer") does not count; if all are, and nothing else is stated after them, the answer has no text.
    """
    text = final_text(generation)
    boxes = list(_boxes(text)) if "boxed" in text or "\\fbox" in text else []
    line = _last_line(text)
    if line and (not boxes or line[0] > boxes[-1][0]):
        return Extracted(_bare(line[1]), "hash")
    last = boxes[-1] if boxes else None
    while boxes and _is_taken_back(text, *boxes[-1]):
        boxes.pop()
    if boxes:
        return Extracted(_bare(boxes[0][2] if len(boxes) == 1 else _join(text, boxes)), "boxed")
    return _phrase(text) if last is None else _phrase(text[last[1] :]) or Extracted("", "boxed")


def is_stated(extract: Callable[[str], str | None], generation: str, answer: str) -> bool:
    """Return True if a text that was cut off marks its answer, and a further character cannot be part of it ("the answer is 1" of 12)."""
    return extract_answer(generation) is not None and extract(generation + _FURTHER) == answer


def _bare(text: str) -> str:
    """Return a stripped text without decoration. Nearly all answers begin with a digit or a letter, and have none."""
    return text if text[:1].isalnum() else undecorated(text)


def last_number(generation: str) -> str | None:
    """Return the last number of a text, with sign and thousands separators; None where there is none, or it is no answer."""
    for tail in tails(without_remarks(final_text(generation))):
        plain = with_powers_of_ten(plain_separators(tail))
        if match := last_match(plain):
            return None if is_no_answer(plain, match) else _whole(plain, match)
    return None


def _whole(text: str, number: re.Match[str]) -> str:
    """Return a number with what belongs to it: the base of a power, the other part of a ratio, the word "million", full hours."""
    before, scale = joined_before(text, number.start()), _SCALE.match(text, number.end())
    return f"{before}{number[0]}{'}' if '{' in before else ''}{scale[0] if scale else ''}"


def tails(text: str) -> Iterator[str]:
    """Yield longer and longer suffixes of a text, the whole text last, so that a match at the end is found without reading the rest.

    Each suffix begins at a word after a space, outside of braces. No number is cut in two there, and no decoration that is removed.
    """
    size = FIRST_TAIL
    while size < len(text):
        word = _BETWEEN_WORDS.search(text, len(text) - size)
        if word and text.rfind("{", 0, word.end()) <= text.rfind("}", 0, word.end()):
            yield text[word.end() :]
        # Growing fourfold keeps the total work within 4/3 of the last suffix, so the search stays linear.
        size *= 4
    yield text


def is_denied(text: str) -> bool:
    """Return True if words change or deny a number beside them: "not 5", "at least 5", "4 or 5"."""
    return _CHANGED.search(text) is not None


def is_bound(before: str) -> bool:
    """Return True if an inequality sign stands right before a number: it is a bound, no value."""
    return _INEQUALITY.search(before[-MOST_SIGNS:]) is not None


def is_no_answer(text: str, number: re.Match[str]) -> bool:
    """Return True if the last number of a text is a modulus ("mod 5") or taken back ("not 5", "5 is not the answer")."""
    before, after = text[max(0, number.start() - MOST_SIGNS) : number.start()], text[number.end() : number.end() + MOST_WORDS]
    folded = before.lower()
    if "mod" in folded and _MODULUS.search(before):
        return True
    if ("ot" in folded or "t " in folded or "never" in folded) and _DENIED.search(before):
        return True
    return _TAKEN_BACK.match(after) is not None


def _is_taken_back(text: str, start: int, end: int, content: str) -> bool:
    """Return True if the words beside a box say that it is not the answer. "not" right before a word may be a part of it."""
    if _TAKEN_BACK.match(text[end : end + MOST_WORDS]):
        return True
    return any(map(str.isdigit, content)) and _DENIED.search(text[max(0, start - MOST_SIGNS) : start]) is not None


def lone_number(text: str, *, first: bool) -> re.Match[str] | None:
    """Return the number that a sentence gives as its answer: the first or the last in it, if it stands among words only.

    None where words change or deny it ("not 5", "at least 5", "4 or 5"), where it is a part of a formula, or one of a list ("4; 5", "4 5").
    """
    if is_denied(text):
        return None
    matches = [match for match in NUMBER.finditer(text) if any(character.isdigit() for character in match[0])]
    if not matches or (not first and len(matches) > MOST_PHRASES):
        return None
    match = matches[0 if first else -1]
    before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
    pair = matches[:2] if first else matches[-2:]
    if len(pair) > 1 and _SIDE_BY_SIDE.fullmatch(text, pair[0].end(), pair[1].start()):
        return None
    if match[0][0] in "+-" and before[-1:].isalnum():
        return None  # x^2 + 5
    if re.match(r"\.\d", after) or re.match(r"[A-Za-z](?![A-Za-z])", text[match.end() :]):
        return None  # 2.5.3, 5x
    if has_date(text) or is_partial(text[: match.start()], text[match.end() :]):
        return None
    is_part = before[-1:] in _OPERATORS or (after[:1] in _AFTER and not after.startswith("- ")) or after[:1] == "!"
    return None if is_part else match


def _last_line(text: str) -> tuple[int, str] | None:
    """Return (start, content) of the last `####` or `<answer>` with content.

    Lines are searched from the end, because most solutions have one.
    """
    if "<answer>" in text:
        found = [(match.start(), content) for match in _HASH.finditer(text) if (content := (match[1] or match[2] or "").strip())]
        return found[-1] if found else None
    line = len(text)
    while (last := text.rfind("####", 0, line)) >= 0:
        line = text.rfind("\n", 0, last) + 1
        start, end = text.find("####", line), text.find("\n", last)
        if content := text[start + 4 : end if end >= 0 else None].strip():
            return start, content
    return None


def _phrase(text: str) -> Extracted | None:
    for match in last_phrases(text):
        if is_explanation(text, match):
            continue
        if display := _DISPLAY.match(text, match.end()):
            return Extracted(display[0], "phrase")
        end = _MORE_DIGITS.match(text, match.end() + LONGEST_TAIL - 1)
        tail = text[match.end() : end.end() if end else match.end() + LONGEST_TAIL]
        if match[0].count('"') == 1 and (value := _JSON_VALUE.match(tail)):
            return Extracted(_bare((value[1] or value[2]).replace("\\\\", "\\").strip()), "phrase")
        # Single spaces, because patterns of clauses would divide a long run of them in every way.
        tail = _RUN.sub(" ", within_braces(tail[: sentence_end(tail)])).rstrip(" .")
        tail = answer_part(tail, stated=is_statement(match)).rstrip(".").strip()
        if tail and not tail[-1].isalnum():
            tail = _EMOTICONS.sub("", tail) or tail
        if tail:
            return Extracted(_bare(tail), "phrase")
    return None


def _boxes(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, content) of every outermost box. The content is "" of an empty box and of one that never closes.

    A percent sign right behind a box belongs to it.
    """
    pairs: dict[int, int] | None = None
    position = 0
    while match := _BOX.search(text, position):
        position = match.end()
        if not match[0].endswith("{"):  # \boxed 12: TeX would box one character, but the writer means the word
            word = _WORD.match(text, match.end())
            if word:
                yield match.start(), word.end(), word[0]
            continue
        end = _closing(text, match.end() - 1) if pairs is None else pairs.get(match.end() - 1)
        if end is None and pairs is None:
            pairs = brace_pairs(text)  # hostile text may open very many boxes, and a search per box would take quadratic time
        if end is None:
            yield match.start(), position, ""
            continue
        content, position = text[match.end() : end].strip(), end + 1
        content = content if content[:1].isalnum() or not _is_blank(content) else ""
        if content and "%" not in content and (percent := _PERCENT.match(text, position, position + MOST_SIGNS)):
            content, position = f"{content}{PERCENT_BEHIND}", percent.end()
        yield match.start(), position, content


def _is_blank(content: str) -> bool:
    """Return True if a box has layout only."""
    return len(content) <= LONGEST_BLANK and not _BLANK.sub("", content)


def _closing(text: str, start: int) -> int | None:
    """Return the position where the brace at `start` closes, as in `brace_pairs`."""
    depth = 0
    for match in _BRACE.finditer(text, start):
        depth += 1 if match[0] == "{" else -1 if match[0] == "}" else 0
        if not depth:
            return match.start()
    return None


def brace_pairs(text: str) -> dict[int, int]:
    """Return the position where each opening brace closes; escaped braces are text. One pass, because hostile text may open very many."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            waiting.append(match.start())
        elif match[0] == "}" and waiting:
            pairs[waiting.pop()] = match.start()
    return pairs


def _join(text: str, boxes: list[tuple[int, int, str]]) -> str:
    # From the last box back: an earlier box counts only while it is joined to the later ones, else it was an intermediate result.
    parts = [boxes[-1]]
    for box in reversed(boxes[:-1] if boxes[-1][2] else ()):
        gap = _LAYOUT.sub(lambda match: match[1] or "", text[box[1] : parts[0][0]]).strip()
        if not box[2] or len(gap) > LONGEST_GAP or not _CONNECTED.fullmatch(gap):
            break
        parts.insert(0, box)
    distinct = list(dict.fromkeys(content for _, _, content in parts))
    return ", ".join(distinct)

"""The end of a sentence. The full stop of an abbreviation or an initial does not end one: Dr. Who, St. Louis, J. K. Rowling."""

from __future__ import annotations

import re

# An exclamation mark before a sentence to the reader is no factorial: "20! Great job."
_STOP = re.compile(
    r"\.(?=\s|\*|$)|[。।]|\n"
    r"|!(?=\s+(?:Great|Good|Nice|Well done|Hope|Hooray|Hurray|Congratulations|Thanks?|Yay|Excellent|Awesome|Happy|Enjoy|Wow)\b)"
)
# Before a name or a number only: "12 Main St. It is old" are two sentences.
_BEFORE_NAMES = re.compile(
    r"(?:^|[\s(\"'$*_\u201c])(?:Drs?|Mrs?|Ms|Mx|St|Ste|Mt|Ft|Prof|Pres|Gov|Sen|Rep|Rev|Fr|Hon|Gen|Col|Maj|Capt|Cmdr|Lt|Sgt|Cpl|Messrs|No"
    r"|Nos|Vol|Ch|Fig|Eq)$"
)
_TITLE = re.compile(r"(?:^|[\s(\"'$*_\u201c])(?:Drs?|Mrs?|Ms|Mx|Prof|Messrs)$")
_ANYWHERE = re.compile(r"(?:^|[\s(\"',$*_\u201c])(?:e\.g|i\.e|vs|cf|approx|ca)$")
_INITIAL = re.compile(r"(?:^|[\s(\"'*_\u201c.])[A-Z]$")
_LETTERS = re.compile(r"(?:^|[\s(\"'*_\u201c])(?:[A-Za-z]\.)+[A-Za-z]$")  # U.S, p.m
_NAME = re.compile(r"\s+(?:[A-Z][\w'\u2019-]+|\d)")
_INITIALS = re.compile(r"\s*(?:[A-Z]\.\s*)+[A-Z][a-z'\u2019-]")
_OPENER = re.compile(
    r"\s+(?:The|This|That|These|Those|There|It|Its|He|She|They|We|I|You|If|In|On|At|As|A|An|And|But|Or|So|Then|Thus|Hence|Therefore|Because"
    r"|Since|For|From|To|By|With|Note|Notice|Let|Also|Here|However|Finally|Now|Not|No|Yes|All|Each"
    r"|Both|My|Our|Your|His|Her|Their|First|Second|Next|After|Before|Hope|Please|Check|Final|Answer|Explanation|Reason|Option)\b"
)
MOST_STOPS = 20  # of abbreviations that are passed over
_BEFORE = 12  # characters before a full stop that an abbreviation can have


def sentence_end(text: str) -> int:
    """Return the position where the first sentence or line of a text ends."""
    for count, stop in enumerate(_STOP.finditer(text)):
        if stop[0] != "." or count >= MOST_STOPS or not _is_abbreviated(text, stop.start()):
            return stop.start()
    return len(text)


def _is_abbreviated(text: str, stop: int) -> bool:
    """Return True if a full stop belongs to an abbreviation or an ellipsis, and the sentence goes on after it."""
    before, after = text[max(0, stop - _BEFORE) : stop], text[stop + 1 : stop + 1 + 80]
    if before[-1:] == ".":  # "41... no, 42", "1 + 2 + ... + n"
        return not after.lstrip(" ")[:1].isupper()
    if _TITLE.search(before) and _NAME.match(after):  # Dr. No
        return True
    if not before[-1:].isalpha() or not after.strip() or after[:1] == "\n" or _OPENER.match(after):
        return False
    if _ANYWHERE.search(before):
        return True
    if _LETTERS.search(before):  # 8 p.m. on Monday, U.S. Steel
        return before[-1:].isupper() or after.lstrip()[:1].islower()
    if not _NAME.match(after) and not _INITIALS.match(after):
        return False
    if _BEFORE_NAMES.search(before):
        return True
    # A lone letter at the beginning may be an option: "B. Dogs". One after a name, or before another initial, is none.
    return _INITIAL.search(before) is not None and ((stop > 1 and _is_name_before(text[: stop - 1])) or _INITIALS.match(after) is not None)


def _is_name_before(text: str) -> bool:
    words = text.split()
    return bool(words) and (words[-1][:1].isupper() and (len(words[-1]) > 2 or words[-1].endswith(".")))

"""Phrases that introduce an answer, such as "the answer is".

The pattern is tried only at one of its words: most of a text has none of them, and a search by the full pattern is slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

MOST_PHRASES = 20  # from the last one back; a bound, because text may repeat the phrase without end
LAST_PIECE = 250  # characters that are searched first

PHRASE = re.compile(
    r"(?i)(?:\b(?:answer|result|antwort|r[ée]ponse|respuesta|risposta|resposta|ответ)\b(?:\*\*)?(?:[ \t]+(?:to|of|for)\b[^.\n:=]{0,60})?"
    r"[ \t]*(?:\b(?:is|are|ist|lautet|est|es|è|é)\b|:|=|(?=\$|\\[(\[]))|(?:答案|答え)\s*(?:是|为|為|は|[:：]))(?:\*\*)?[ \t]*:?\s*"
)
ASCII_WORDS = ("answer", "result", "antwort", "reponse", "respuesta", "risposta", "resposta")
OTHER_WORDS = ("réponse", "ответ", "答案", "答え")
# Letters that match one of the words' letters under (?i), but that `lower` maps to another; the first one also changes the length.
ODD_CASES = "\u0130\u0131\u017f\u1c80\u1c82\u1c84\u1c85"


def last_phrases(text: str) -> Iterator[re.Match[str]]:
    """Yield the last matches of `PHRASE`, the last one first. The text is searched in pieces from its end; most often one is enough."""
    left, end = MOST_PHRASES, len(text)
    for start in _cuts(text):
        found = list(_between(text, start, end))[-left:]
        yield from reversed(found)
        left, end = left - len(found), start
        if not left:
            return


def _cuts(text: str) -> Iterator[int]:
    """Yield the starts of the pieces, each after a full stop, because no phrase contains one."""
    size = LAST_PIECE
    while size < len(text):
        stop = text.rfind(".", 0, len(text) - size)
        if stop < 0:
            break
        yield stop + 1
        size = 4 * (len(text) - stop)
    yield 0


def _between(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the matches that begin in a piece."""
    piece = text[start:end]
    # With these letters the positions in the lowered text are not those in the text: the slow search is right.
    if not piece.isascii() and any(letter in piece for letter in ODD_CASES):
        yield from takewhile(lambda match: match.start() < end, PHRASE.finditer(text, start))
        return
    matched = start
    for place in _places(piece):
        if start + place >= matched and (match := PHRASE.match(text, start + place)):
            matched = match.end()
            yield match


def _places(text: str) -> list[int]:
    """Return the positions where one of the words begins, perhaps inside a longer word."""
    lowered = text.lower()
    places: list[int] = []
    for word in ASCII_WORDS if text.isascii() else ASCII_WORDS + OTHER_WORDS:
        place = lowered.find(word)
        while place >= 0:
            places.append(place)
            place = lowered.find(word, place + len(word))
    return sorted(places)

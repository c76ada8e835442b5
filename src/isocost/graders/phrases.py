"""Phrases that introduce an answer, such as "the answer is".

The pattern is tried only at one of its words: most of a text has none of them, and a search by the full pattern is slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

MOST_PHRASES = 20  # from the last one back; a bound, because text may repeat the phrase without end
LAST_PIECE = 250  # characters that are searched first

_WORDS = (
    r"answer|result|antwort|antwoord|svar|r[ée]ponse|respuesta|risposta|resposta|odpowied[źz]|odpov[ěe][ďd]|r[ăa]spuns(?:ul)?|cevap|jawaban(?:nya)?"
    r"|đáp (?:án|số)|ответ|απάντηση"
)
_IS = (
    r"is|are|(?:seems|appears|turns out|ought|has) to be|(?:would|should|must|will) be|ist|lautet|est"
    r"|es|è|é|este|je|jest|är|adalah|là|είναι"
)
# Of scripts without spaces, or whose words take endings
_DENSE_WORDS = "答案|答え|解答|结果|結果|정답|답|결과|الإجابة|الاجابة|الجواب|النتيجة|پاسخ|جواب|उत्तर|উত্তর|תשובה|คำตอบ"
_DENSE_IS = "是|为|為|は|이|은|는|가|هي|هو|है|হল|হলো|היא|คือ|[:：=]"
PHRASE = re.compile(
    rf"(?i)(?:\b(?:{_WORDS})\b(?:\*\*|[\"'](?=\s?:))?"
    rf"(?:[ \t]+(?:to|of|for)\b[^.\n:=]{{0,60}}?)?[ \t]*(?:\b(?:{_IS})\b|=>|→|[:：=]|(?=\$|\\[(\[]))"
    rf"|\bans(?:\.[ \t]*:?|[ \t]?[:=])|(?:{_DENSE_WORDS})(?:\*\*)?\s*(?:{_DENSE_IS})|答\s*[:：])(?:\*\*)?[ \t]*[:：]?\s*"
)
ASCII_WORDS: tuple[str, ...] = (
    "ans",  # also of "answer"
    "result",
    "antwort",
    "antwoord",
    "svar",
    "reponse",
    "respuesta",
    "risposta",
    "resposta",
    "odpowiedz",
    "odpoved",
    "raspuns",
)
ASCII_WORDS += ("cevap", "jawaban")
OTHER_WORDS = (
    "réponse",
    "odpowiedź",
    "odpověď",
    "odpoveď",
    "odpověd",
    "răspuns",
    "đáp ",
    "ответ",
    "απάντηση",
    "答",
    *_DENSE_WORDS.split("|"),
)
# Letters that match one of the words' letters under (?i), but that `lower` maps to another; the first one also changes the length.
# The words before a phrase that make it a part of an explanation: "10, because the result is 4 more"
_EXPLAINS = re.compile(r"(?<=[\w$})%])(?:\s*[,(]\s*|\s+)(?:because|since|as|which|where|while|whereas)\s+(?:[A-Za-z]+\s+){0,3}(?:\*\*)?$")
_MOST_BEFORE = 60  # characters before a phrase that hold them
_ENDS = re.compile(r"[.\n]\s|[。।\n]")
ODD_CASES = "\u03c2\u03d6\u0130\u0131\u017f\u1c80\u1c82\u1c84\u1c85"


def is_statement(phrase: re.Match[str]) -> bool:
    """Return True if a phrase ends with a verb, as "the answer is"; False of "Answer:"."""
    return phrase[0].rstrip(" \t\n*")[-1:] not in ":：=>→."


def is_explanation(text: str, phrase: re.Match[str]) -> bool:
    """Return True if a phrase explains an answer of its sentence: "The answer is 10, as the result is 4 more"."""
    begins = phrase.start()
    words = _EXPLAINS.search(text, max(0, begins - _MOST_BEFORE), begins)
    if words is None:
        return False
    before = text[max(0, words.start() - LAST_PIECE) : words.start()]
    sentence = _ENDS.split(before)[-1]
    return any(sentence[place:] and PHRASE.match(sentence, place) for place in _places(sentence))


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

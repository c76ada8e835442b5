"""The part of a sentence that is the answer: "10" of "10 because the price is 4 dollars", or of "the total is 10, and Bob has 3".

A clause that begins after the answer explains it, or adds another statement. A statement that gives the answer itself ("the total is 10")
comes before it. All patterns are bounded, and the sentence is, so the work is linear in the text.
"""

from __future__ import annotations

import re

from isocost.graders.asides import without_aside
from isocost.graders.spelled import NUMBER_WORD, leading_number

# Words that may stand between "the answer is" and a value, and a name that the value is given to
_LEAD = r"(?:(?:about|approximately|around|roughly|exactly|only|just|simply|equal\s+to|a\s+total\s+of|negative|minus)\s+)*"
_VALUE = re.compile(rf"(?i)[\s*_`\"'(\[{{]*{_LEAD}(?:[a-z]\w?\s*=\s*)?(?:[-+\u2212]?\s?[$€£¥₹]?\s?[-+\u2212]?\.?\d|\$|\\[a-z(\[{{])")
_EMPTY_LEAD = re.compile(r"(?i)\s*(?:(?:exactly|only|just|simply|equal\s+to|a\s+total\s+of)\s+)+")
_CONJUNCTIONS = (
    r"because|since|as\s+(?:much|many|well)\s+as|(?<!much )(?<!many )(?<!well )as(?!\s+(?:much|many|well)\b)|which|while|whereas|although"
    r"|though|so(?!\s+(?:much|many)\b)|thus|hence|therefore"
    r"|that\s+is|namely|meaning"
)
_PLAIN = re.compile(rf"\s*[-+]?\$?\d[\d,.]*(?:\s(?!(?:where|when|but|not|is|{_CONJUNCTIONS})\b)[a-z]++)?[\s.]*")
_INSTEAD = r"(?:\s*,\s*(?:(?:and|but)\s+)?|\s+(?:and|but)\s+)not\b|\s*,?\s+(?:rather\s+than|instead\s+of|as\s+opposed\s+to)\b"
_AFTER_VALUE = re.compile(
    rf"(?:\s*[,;(\[]\s*|(?<!times)(?<!twice)(?<!same)\s+(?:[-\u2013\u2014]+\s+)?)(?:(?:{_CONJUNCTIONS})\b|i\.?e\.)|{_INSTEAD}"
)
_AFTER_NUMBER = re.compile(r"(?:\s*[,;(]\s*|\s+)(?:where|when|but)\b")  # after a formula these may belong to it: `2x + c, where c = 3`
_AFTER_WORDS = re.compile(rf"\s*[,;(]\s*(?:(?:{_CONJUNCTIONS}|where|but)\b|i\.?e\.)|\s+because\b|{_INSTEAD}")
_VERB = r"(?:is|are|was|were|has|have|had|will|would|can|equals?|gets?|costs?|makes?|gives?|leaves?)\b"
# Another statement: joined, with a subject in words. `and y = 4` and "and 4 are left" are none.
_COORDINATE = re.compile(
    r"(?:\s*[,;]\s*(?:(?:and|but|so|yet)\s+)?|\s+\(\s*|\s+(?:and|but)\s+|\s+[-\u2013\u2014]+\s+)"
    rf"[A-Za-z][A-Za-z'\u2019-]{{1,30}}\s+(?:[A-Za-z][A-Za-z'\u2019-]{{0,30}}\s+){{0,7}}?{_VERB}"
)
# Behind a number: the number in words, the calculation, or a remark
_ASIDE = re.compile(
    rf"(?i)\s+\(\s*(?:(?:{NUMBER_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{NUMBER_WORD}))*\s*"
    r"|[^()=]{1,60}=[^()=]{1,60}"
    r"|(?:not|rounded|to\s+the\s+nearest|from|using|by|see|check|note|after|assuming)\b[^()]{0,100})\)"
)
_NUMBER = re.compile(r"[\s*_`\"'(]*[-+\u2212]?\s?\\?[$€£¥₹]?\s?[-+\u2212]?[\d.,/]*\d(?:\\?%|\\?\$|\s|\b[A-Za-z]{2,}\b|\b[mshgl]\b)*")
_CURRENCY = re.compile(r"[\s*_`\"'(]*[-+\u2212]?\$\s?[\d.,]*\d(?:\s+[A-Za-z]{2,})*\s*")
_HAS_VALUE = re.compile(r"[\d$\\]")
_GIVEN = re.compile(r"(?:\b(?:is|are|was|were|equals?)\b|[=:])[^=:]*[\d$\\]")  # a statement that gives a value
_GIVEN_BY = re.compile(r"\b(?:is|are|was|were|has|have|had|can|will)\b")
_IS = re.compile(r"\bis\b(?:\s+equal to)?:?\s")
# A statement in which a condition or another clause has begun
_OTHER_CLAUSE = re.compile(r"\b(?:if|when|where|that|which|whose|who|because|but|while|since|so|unless|and(?!\s+[$\\]?\d))\b|[,;:(]\s")
# "16 bars are shared by 8 children, so each gets 16/8 = 2", "since there were 60 boys, there were 160 - 60 = 100 girls": what follows is
# the answer. "10, so 10 - 3 = 7 are left" is not such a sentence: it begins with a value that is no subject.
_RESULT = re.compile(r"(?:[,;]\s*|\s)(?:so|thus|hence|therefore)\b[^=]*=\s*[-+\u2212]?\s?\\?[$€£¥₹]?\s?[-+\u2212]?\.?\d")
_VALUE_AS_SUBJECT = re.compile(
    r"\s*[^\sA-Za-z,;:]+(?:\s+(?!(?:so|thus|hence|therefore|which|and|but|because|since|as)\b)[A-Za-z'\u2019-]+){1,4}?"
    r"\s+(?:is|are|was|were|has|have|had|will|can|costs?|makes?|gives?)\b"
)
_CALCULATION = re.compile(r"\d\s*(?:[-+*/×÷\u2212]|\\?%?\s+(?:plus|minus|times|of|divided\s+by)\b)")
_GIVES_REASON = re.compile(r"(?i)\s*(?:since|because|as|if|when|after)\b")
_WHICH_VALUE = re.compile(r"\s*,?\s+which\s+(?:is|equals|makes|gives)\s+(?=[-+\u2212]?\s?\\?[$€£¥₹]?\s?\.?\d)")
_SUBJECT = re.compile(r"(?:the|a|an|this|that|these|its|his|her|their|our|my|it|there)\b")
_ROUNDED = re.compile(
    r"\s*,?\s+(?:which|that)\s+(?:rounds|is\s+rounded)\s+(?:(?:up|down|off)\s+)?to\s+(?=[-+\u2212]?\s?\\?[$€£¥₹]?\s?\.?\d)"
)
# "not 41 but 42", "not London but Paris"
_NOT_BUT = re.compile(
    r"(?i)\s*not\s+(?!only\b|just\b|merely\b|simply\b)([^.;:]{1,60}?),?\s+but\s+(?:rather\s+|instead\s+|actually\s+)?"
    r"(?!(?:it|that|this|he|she|they|we|i|you|there|close|not|more|less|nearly|almost)\b)(?=\S)"
)
# "41... no, actually 42"
_ELLIPSIS = re.compile(r"\s*[-+]?\\?[$€£¥₹]?\d[\d.,]*?\d?\s?(?:\.{2,}|\u2026)\s(?=[a-z])")  # "5... which is good"
_CORRECTED = re.compile(
    r"(?i)\s*(?:\.{2,}|\u2026|[,;\u2014\u2013-]++)\s*(?:no|wait|oops|sorry|actually|correction|i\s+mean|or\s+rather|make\s+that|scratch\s+that)\b"
    r"(?:[\s,:;.!\u2026\u2014\u2013]*+\b(?:no|wait|oops|sorry|actually|i\s+mean|rather|it's|it\s+is|that's|make\s+(?:it|that)|(?:it\s+)?should\s+be)\b)*+"
    r"[\s,:;.!\u2026\u2014\u2013]*+(?=[-+]?\s?\\?[$€£¥₹]?\s?\.?\d|\$|\\[a-z(])"
)
_IN_BRACKETS = re.compile(r"\s*(?:[A-Za-z]+\s*)?\(\s*([-+]?\s?\\?[$€£]?\s?\d[\d,]*)\s*\)")  # seven (7)
# How a value was found: "20, obtained by 4*5", "20 after subtracting 5"
_FOUND_BY = re.compile(
    r"\s*[,;]\s*(?:obtained|found|calculated|computed|derived|given\s+by|leaving|using)\b|\s+(?:by|after|from)\s+(?:\w+ly\s+)?[a-z]{2,}ing\b"
    r"|\s+using\b|\s+obtained\b"
)
_WHICH_IS = re.compile(r",?\s*which\s+(?:is|are)\s+(?=[A-Z])")


def answer_part(sentence: str, *, stated: bool) -> str:
    """Return the answer in the rest of a sentence that introduces one.

    Args:
        sentence: What follows "the answer is" or "Answer:".
        stated: True after a verb: what follows is the answer, hardly a sentence of its own ("The answer is Life is Beautiful").
    """
    if _PLAIN.fullmatch(sentence):  # most answers, in a third of the time
        return sentence.strip()
    sentence = _corrected(sentence)
    is_value = _VALUE.match(sentence) is not None
    if _GIVES_REASON.match(sentence) or (_RESULT.search(sentence) and (not is_value or _VALUE_AS_SUBJECT.match(sentence))):
        return _behind_subject(sentence).strip()
    if is_value:
        return _behind_calculation(_of_value(sentence)).strip()
    if _HAS_VALUE.search(sentence):
        return _behind_subject(_of_statement(sentence)).strip()
    return _of_words(sentence, stated=stated).strip()


def _corrected(sentence: str) -> str:
    """Return a sentence from the answer on that it corrects itself to: "not 41 but 42", "41... no, actually 42", "seven (7)"."""
    if "but" in sentence and (instead := _NOT_BUT.match(sentence)):
        is_value = _HAS_VALUE.search(instead[1]) is not None
        if is_value == (_VALUE.match(sentence, instead.end()) is not None) and (is_value or not _GIVEN_BY.search(sentence, instead.end())):
            sentence = sentence[instead.end() :]
    while found := _CORRECTED.search(sentence):
        sentence = sentence[found.end() :]
    if (".." in sentence or "\u2026" in sentence) and (ended := _ELLIPSIS.match(sentence)):
        sentence = ended[0].rstrip(" .\u2026")
    if "(" in sentence and (number := leading_number(sentence.lstrip(" *_"))) and (digits := _IN_BRACKETS.match(number[1])):
        same = re.sub(r"[^\d-]", "", digits[1]) == str(number[0]) and "(" not in number[1][digits.end() :]
        return f"{digits[1]} {number[1][: digits.start(1) - 1].strip()}{number[1][digits.end() :]}" if same else sentence
    return sentence


def _of_value(sentence: str) -> str:
    """Return a value at the beginning of a sentence, with its unit, without the clauses after it."""
    found = _WHICH_VALUE.search(sentence)
    if found and not _NUMBER.fullmatch(sentence[: found.start()].replace("$", "")) and _CALCULATION.search(sentence[: found.start()]):
        sentence = sentence[found.end() :]  # "50% of 20, which is 10"
    if found := _ROUNDED.search(sentence):
        sentence = sentence[found.end() :]  # "19.8, which rounds to 20"
    lead = _EMPTY_LEAD.match(sentence)
    text = _cut(sentence[lead.end() :] if lead else sentence, (_AFTER_VALUE, _COORDINATE, _FOUND_BY))
    for place in _AFTER_NUMBER.finditer(text):
        if _NUMBER.fullmatch(text[: place.start()].replace("$", "")):
            text = text[: place.start()]
            break
    if ")" in text or "]" in text:
        text = without_aside(text)
    aside = _ASIDE.search(text) if ")" in text else None
    is_aside = aside is not None and _NUMBER.fullmatch(text[: aside.start()].replace("$", "")) is not None
    return text[: aside.start()] + text[aside.end() :] if aside and is_aside else text


def _behind_calculation(text: str) -> str:
    """Return the value of "2 + 3 is 5" or "20% of 50 is 10", else the text."""
    found = list(_IS.finditer(text))
    if not found or _OTHER_CLAUSE.search(text[: found[-1].start()]) or not _VALUE.match(text, found[-1].end()):
        return text
    return text[found[-1].end() :]


def _of_statement(sentence: str) -> str:
    """Return the statement that gives a value, as "the total is 10", without the clauses after it."""
    for pattern in (_AFTER_VALUE, _COORDINATE):
        for place in pattern.finditer(sentence):
            before = sentence[: place.start()]
            if _GIVEN.search(before) and _is_closed(before):
                sentence = before
                break
    return sentence


def _behind_subject(sentence: str) -> str:
    return _IS.split(sentence)[-1]


def _of_words(sentence: str, *, stated: bool) -> str:
    """Return an answer in words. A subject in lower case makes it a statement: "the capital is Paris"; capitals may be a title."""
    subject = _SUBJECT.match(sentence if stated else sentence[:1].lower() + sentence[1:])
    if subject and (apposition := _WHICH_IS.search(sentence)):  # the capital of France, which is Paris
        sentence = sentence[apposition.end() :]
        return _cut(sentence, (_AFTER_WORDS,))
    text = _cut(sentence, (_AFTER_WORDS,))
    return _behind_subject(text) if subject else text


def _cut(text: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    """Return the text up to the first clause after the answer."""
    for pattern in patterns:
        for place in pattern.finditer(text):
            before = text[: place.start()]
            if before.strip() and _is_closed(before):
                text = before
                break
    return text


def _is_closed(before: str) -> bool:
    """Return True if no formula and no brace is left open, so that a clause can begin here."""
    if before.count("{") - before.count("\\{") > before.count("}") - before.count("\\}"):
        return False
    return (before.count("$") - before.count("\\$")) % 2 == 0 or _CURRENCY.fullmatch(before) is not None

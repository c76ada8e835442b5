"""Words beside a number that make it another answer: `multiples of 5`, `all but 5`, `5 doubled`, `5 too small`.

The words after a number may name what is counted: any noun or unit, with adjectives or participles before it (`5 wrong answers`). Modifiers
without such a word change the number or judge it (`5 wrong`). Before a number stands a verb, a noun or nothing: it may not be the object of
a preposition (`square of 5`, `up to 5`), unless the phrase gives a value (`a total of 5`, `equal to 5`).
"""

from __future__ import annotations

import re

LONGEST_BESIDE = 80  # characters on each side that are read

_ADJECTIVES = (
    "small|large|big|little|great|high|low|long|short|tall|wide|deep|near|far|late|early|fast|slow|heavy|light|young|old|cheap|close|few"
    "|good|bad|strong|weak"
)
_COMPARED = r"(?:bigg|larg|earli|lat|heavi|clos|wid)(?:er|est)|(?:worse|worst|better|best|lesser|least|less|fewer|farther|further)"
# Words that say something about a number, not what is counted. They are nouns of no quantity by themselves.
_MODIFIERS = re.compile(
    rf"(?:{_ADJECTIVES})(?:er|est)?|{_COMPARED}"
    r"|negative|positive|wrong|incorrect|inaccurate|false|invalid|inverse|opposite|reciprocal|reverse|imaginary|infinite|impossible"
    r"|undefined|insufficient|excessive|exclusive|twice|thrice|double|triple|quadruple|even|odd|prime|almost|backwards|upwards|downwards"
    r"|[a-z]+(?:less|ous)|[a-z]{3,}ed|[a-z]{3,}ly"
)
_NOUNS = re.compile(
    r"(?:hundr|s|w|br|st|sp)eed|hundred|shed|sled|seed|reed|bed|unless|family|jelly|belly|lily|fly|july|(?:dai|week|month|year|hour)ly"
)
_FORGIVEN = re.compile(
    r"approximately|exactly|precisely|only|roughly|respectively|correctly|needed|required|used|unused|earned|saved|expected"
)
_ALWAYS = re.compile(r"\b(?:too|except|below|beneath)\b")
_AFTER = re.compile(r"[\s*_$}\\]*(?:text\s*\{)?\s*((?:[A-Za-z]+[ -]?)+)")
_WORD = re.compile(r"[a-z]+")

_SKIPPED = r"(?:(?:the|an?|exactly|only|just|about|approximately|roughly|around|number|numbers|value|values)\s+)*"
_MEASURES = (
    "total|sum|value|amount|average|mean|median|maximum|minimum|area|volume|length|width|height|perimeter|radius|weight|cost|price|answer"
    "|result|probability|distance|speed|rate|age|score|count|profit|loss|product|difference|quotient|remainder|slope|degree|temperature"
    "|consists|consist|composed|made|mass|salary|balance|discount|solution|output|measure|depth|fee|bill"
)
_REACHES = (
    r"equal|equals|equivalent|(?:add|sum|come|work|amount|boil|lead|round|tend|total|correspond|round|convert|point|get|go|went)(?:s|ed|ing|es)?"
    r"|(?:simplif|evaluat|reduc|converg|came)\w*|according|close|closest|up"
)
_GIVES_VALUE = re.compile(
    rf"(?:\b(?:{_MEASURES})\s+of|(?<!up )\b(?:{_REACHES})(?:\s+(?:down|out|up))?\s+to"
    rf"|\b(?:increas|decreas|ris|rose|grow|grew|drop|fall|fell|chang|differ|shrink|shrank|reduc)\w*\s+by)\s+{_SKIPPED}$"
)
_UP_TO = re.compile(rf"(?<!adds )(?<!add )(?<!sums )(?<!sum )(?<!adding )\bup\s+to\s+{_SKIPPED}$")
_OBJECT = re.compile(
    r"(?:^|(?<![a-z]))(?:of|to|than|except|excepting|except\s+for|but|without|besides|until|till|before|from|over|under|above|below|beyond|past"
    r"|against|versus|plus|minus|times|twice|thrice|double|triple|half|cube|square|root|negative"
    rf"|(?:exclud|omitt|remov|ignor|skipp|lack|miss|exceed|preced|follow)ing)\s+{_SKIPPED}$"
)
# These change a bare number (`divided by 5`, `containing 5`), and introduce what is counted (`into 5 pieces`, `working 5 hours`).
_OBJECT_IF_BARE = re.compile(
    r"(?:^|(?<![a-z]))(?:by|into|through"
    r"|(?!(?:giv|leav|mak|gett|total|totall|equal|equall|be|yield|hav|obtain|remain|earn|cost|need|pay|tak|spend|winn|weigh|scor|sav|sell)ing)"
    rf"[a-z]{{3,}}ing)\s+{_SKIPPED}$"
)
_TIME = re.compile(rf"(?:^|(?<![a-z]))(?:after|within)\s+{_SKIPPED}$")
_TIME_UNIT = re.compile(r"\s*(?:\\?text\s*\{)?\s*(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|mins?|hrs?|secs?)\b")


def changes_behind(words: str) -> bool:
    """Return True if the words right after a number change it or judge it, instead of naming what is counted."""
    words = words[:LONGEST_BESIDE].casefold()
    return _ALWAYS.search(words) is not None or _only_modifies(words)


def is_changed(before: str, after: str) -> bool:
    """Return True if a number between these texts is changed or judged by the words next to it.

    Args:
        before: The text before the number.
        after: The text after it; it counts up to the first punctuation mark.
    """
    found = _AFTER.match(after[:LONGEST_BESIDE])
    if found and changes_behind(found[1]):
        return True
    before = _plain(before[-LONGEST_BESIDE:])
    if _TIME.search(before):
        return _TIME_UNIT.match(after.casefold()[:LONGEST_BESIDE]) is None
    if _UP_TO.search(before):
        return True
    is_object = _OBJECT.search(before) is not None or (found is None and _OBJECT_IF_BARE.search(before) is not None)
    return is_object and _GIVES_VALUE.search(before) is None


def _only_modifies(words: str) -> bool:
    """Return True if a phrase has modifiers and nothing that they modify."""
    modified = False
    for word in _WORD.findall(words):
        if _FORGIVEN.fullmatch(word):
            continue
        if word == "than":
            return modified
        if not _MODIFIERS.fullmatch(word) or _NOUNS.fullmatch(word):
            return False
        modified = True
    return modified


def _plain(text: str) -> str:
    r"""Return a text in lower case without `\\text{}` and marks, with one space after each word."""
    return " ".join(re.sub(r"\\(?:text|mbox|textbf|mathrm|boxed)\s*\{|[\s*_$({}\\]", " ", text).casefold().split()) + " "

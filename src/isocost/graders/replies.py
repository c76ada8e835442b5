"""The part of a generation that can hold an answer: after the reasoning, before the end of the turn, without invisible characters.

Models mark their reasoning in many ways, and servers leave the marks and the tokens that end a turn in the text. Everything here is linear
in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque

from isocost.records import Delimiters

# Names of reasoning in tags: <think>, <seed:think>, <thinking>, <think:opensource>.
_NAMED = r"(?:think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratchpad|antthinking|in(?:ner|ternal)_monologue)"
_TAG = rf"(?:\w{{1,20}}:)?{_NAMED}(?::[\w-]{{1,40}})?>"
# (opens, closes), after the angle bracket.
_ANGLED_PAIRS = (
    (_TAG, f"/{_TAG}"),
    (rf"\|(?:begin_of_|start_)?{_NAMED}\|>", rf"\|(?:/|end_of_|end_){_NAMED}\|>"),  # Cohere, Sky-T1, Solar
    (r"\|channel\|>\s*(?!final)\w+", r"\|channel\|>\s*final[^<]{0,60}(?:<\|message\|>)?|\|content\|>"),  # gpt-oss; Solar
    (r"\|channel>", r"channel\|>"),  # Gemma
    (r"unused94>", r"unused95>"),  # MedGemma
    (r"\|im_start\|>think", r"\|im_start\|>answer"),  # s1
)
_OTHER_PAIRS = (
    (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
    (r"◁think▷", r"◁/think▷"),  # Kimi
    # gpt-oss, where the server has dropped the special tokens and left the names of the channels
    (r"\A\s*(?:assistant)?analysis(?=[A-Z\d\"'$\\(])|assistant(?:analysis|commentary)(?=\S)", r"assistantfinal"),
    (r"Here is my thought process:|Here are my reasoning steps:", r"Here is my response:|\[BEGIN FINAL RESPONSE\]"),  # Granite, Apriel
)


def _marks(pairs: tuple[tuple[str, str], ...], first: str, flags: int = 0) -> re.Pattern[str]:
    opens, closes = ("|".join(sides) for sides in zip(*pairs, strict=True))
    # In quotation marks or backticks a mark is only mentioned, as in a program's string.
    return re.compile(rf"{first}(?:(?<!['\"`]{first})(?P<open>{opens})|(?P<close>{closes})(?!['\"]|`(?!`)))", flags)


# The angle bracket comes first, because a pattern that begins with a character is searched fast.
_ANGLED, _OTHERS = _marks(_ANGLED_PAIRS, "<", re.IGNORECASE), _marks(_OTHER_PAIRS, "")

# Tokens that begin or end a turn, of any family: <|im_end|>, <｜end▁of▁sentence｜>, </s>, <end_of_turn>, [EOS].
_ROLE = r"(?:\s*(?:assistant|model|final)\b(?=\s|<))?"
_TOKEN = (
    r"(?:<[|｜](?=[^\s<>|｜]{0,40}[A-Za-z_▁]{3})[^\s<>|｜]{3,40}[|｜]>"
    r"|<(?i:/?s|/?[be]os|pad|unk|eo[dtu]|end_of_\w{1,20}|start_of_turn|endoftext|unused\d{1,4}|extra_id_\d{1,4})>"
    rf"|\[(?:EOS|/?INST|END FINAL RESPONSE)\]|\[e~\[){_ROLE}"
)
_TOKENS = re.compile(_TOKEN)
# Not in the middle of a line, as in `text.split("</s>")`; of those with bars, which no program has at a margin, also at its beginning.
_TOKENS_IN_CODE = re.compile(rf"(?<!['\"]){_TOKEN}(?=[ \t]*(?:\n|\Z|<))|(?<![^\n])(?=<[|｜]){_TOKEN}")

# The beginnings of all marks and tokens that have a bracket
# After a digit only a prefix of a name: not <<3*4=12>>, as GSM8K writes calculations.
_ANGLE, _BRACKET = re.compile(r"<(?:[/|｜]|[^\W\d]|\w{1,20}:)"), re.compile(r"\[(?:/?THINK|/?INST|EOS|BEGIN FINAL|END FINAL|e~)")
_CHANNELS = tuple(margin + "analysis" for margin in ("", " ", "\n", "\n\n"))

_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
_INVISIBLE_IN_CODE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")  # others are letters of some scripts
_GROUPING = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f](?=\\d{3}(?!\\d))")  # a space that keeps the digits of one number together
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
# A hyphen, dash or minus sign right before a number is its sign, unless it is subtracted or ends a range: "10\u20135", "10 \u20135".
_MINUS = re.compile(r"(?<![\w)\]}.%°])(?<!\d\$)(?<!\d )(?<![)\]}%] )[\u2010-\u2013\u2212\ufe63\uff0d\u2796](?=[$€£¥₹]?\.?\d)")
_SIGNS = str.maketrans({"\u066b": ".", "\u066c": ",", "\u066a": "%", "\uff0e": "."})  # Arabic separators and percent, full-width stop


def after_delimiters(text: str, delimiters: Delimiters) -> str:
    """Return the text after the last `close` of a model's own delimiters; "" where reasoning is not closed."""
    _, found, rest = text.rpartition(delimiters.close)
    unclosed = not found if delimiters.open is None else delimiters.open in rest
    return "" if unclosed else rest


def after_reasoning(text: str) -> str:
    """Return the text after the last mark that closes reasoning; "" where reasoning is opened and not closed."""
    patterns = (*([_ANGLED] if _has_angles(text) else []), *([_OTHERS] if _has_others(text) else []))
    found = [match for marks in patterns for match in deque(marks.finditer(text), maxlen=1)]
    if not found:
        return text
    last = max(found, key=lambda match: match.end())
    return text[last.end() :] if last["close"] else ""


def _has_angles(text: str) -> bool:
    """Return True if a text may have marks or tokens in angle brackets. Nearly all have none, and a search by the patterns is slow."""
    return "<" in text and _ANGLE.search(text) is not None


def _has_others(text: str) -> bool:
    """Return True if a text may have other marks or tokens."""
    return (
        ("[" in text and _BRACKET.search(text) is not None)
        or "assistant" in text
        or ("Here " in text and ("Here is my " in text or "Here are my " in text))
        or text.startswith(_CHANNELS)
        or (not text.isascii() and "\u25c1" in text)
    )


def reply_text(generation: str) -> str:
    """Return the reply to read an answer from: its own turn after the reasoning, in plain characters."""
    text = generation if _is_bare(generation) else _own_turn(generation, _TOKENS)
    return text if text.isascii() else plain_characters(text)


def _is_bare(text: str) -> bool:
    """Return True if a text has neither marks nor tokens, as nearly all have."""
    return not (("<" in text and _ANGLE.search(text) is not None) or _has_others(text))


def program_text(generation: str) -> str:
    """Return the reply to find a program in. Its characters stay as they are, but for invisible ones that no program means."""
    text = generation if _is_bare(generation) else _own_turn(generation, _TOKENS_IN_CODE)
    return text if text.isascii() else _INVISIBLE_IN_CODE.sub("", text)


def plain_characters(text: str) -> str:
    """Return the text without invisible characters, with the digits of all scripts and the signs of numbers in ASCII."""
    if text.isascii():
        return text
    text = _GROUPING.sub("", _INVISIBLE.sub("", text))
    text = _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)
    return _MINUS.sub("-", _SPACES.sub(" ", text).translate(_SIGNS))


def _own_turn(generation: str, tokens: re.Pattern[str]) -> str:
    """Return the text after the reasoning, up to the token that ends the turn; what follows is another turn, made up by the model."""
    text, start = after_reasoning(generation), 0
    for match in tokens.finditer(text):
        if text[start : match.start()].strip():
            return text[start : match.start()]
        start = match.end()
    return text[start:]

"""Splits prose into tokens of arithmetic: numbers, signs, runs of words, and breaks, across which nothing belongs together."""

from __future__ import annotations

import re
from typing import Literal, cast

from isocost.equations.symbols import COMMANDS, OPERATORS, PLAIN, VULGAR

_MOST_DIGITS = 30  # longest number
_DEEPEST = 12  # nested brackets
_BRACKETS = ("open", "close")
_PAIRS = {")": "(", "}": "{", "]": "["}

Kind = Literal[
    "number", "op", "power", "root", "over", "bang", "open", "close", "equals", "percent", "money", "of", "word", "break", "unreadable"
]

# Quantifiers are possessive, and every failure has an alternative that takes the same characters. So no place is read more than a few
# times, and hostile text cannot cause backtracking.
_LETTER = rf"[^\W\d_⁰¹²³⁴⁵⁶⁷⁸⁹{''.join(VULGAR)}]"
_WORD = rf"(?:{_LETTER}{{2,}}+(?![\d_])(?:['’/-]{_LETTER}++(?![\d_]))*+|(?<=\s)[aAI](?=\s))"
_GROUP = r"(?:\{\ ?\d{1,15}\ ?\}|\d)"
_LEXER = re.compile(
    rf"""\ ?+(?:(?P<gap>[^\S\n]++|(?:[^\S\n]*+(?:\\\\|\n)){{1,4}}+(?=[^\S\n]*+&?[^\S\n]*+=(?![=>]))
        |\\[,;!:\ ]|\\(?:{COMMANDS["gap"]})(?![a-zA-Z]))
    | (?P<vulgar>(?:\d{{1,6}}\ ?)?[{"".join(VULGAR)}])
    | (?P<mixed>\d{{1,6}}\ \d{{1,3}}/\d{{1,3}}(?![\d/,:]|\.\d))
    | (?P<repeating>\d{{0,9}}\.\d{{0,15}}\\overline\{{\d{{1,15}}\}})
    | (?P<number>(?:\d{{1,3}}(?:(?:,|\{{,\}}|,\\!|\\,)\d{{3}})++(?!\d)|\d++)(?:\.\d++(?:\.{{3}}(?!\.)|…)?)?(?:[eE][-+]?\d{{1,2}}(?!\w))?
            (?![,:.]\d)
        |\.\d++(?:\.{{3}}(?!\.))?(?![,:.]\d))
    | (?P<garbled>\d[\d,:.]*+\w*+|(?<=\d\ ):\ (?=\d))
    | (?P<of>of(?:\ (?:the|that|this|those|these|his|her|their|its|all))?(?!\w))
    | (?P<equals>(?:&\ ?)?={{1,2}}(?![=>]))
    | (?P<word>and(?=\ \$?\(?\d{{1,3}}/\d)|{_WORD}(?:\ (?!of\b|and\ [\d$(]){_WORD})*+|/\ ?{_LETTER}{{2,}}+
        |\\(?:text|textrm|mathrm|mbox|textit|textbf)\{{[^{{}}\\$=\d]{{0,60}}\}}|\^\{{?\\circ\}}?|°)
    | (?P<op>\*\*|[-+*/^–](?!{_LETTER}{{2}})|\\(?:times|cdot|div|ast)(?![a-zA-Z])|[xX](?=\ {{0,3}}[\d(.$€£\\]))
    | (?P<power>[⁰¹²³⁴⁵⁶⁷⁸⁹]++)
    | (?P<percent>\\?%)
    | (?P<money>\\?\$(?!\$)|[€£¢₹¥₩])
    | (?P<fraction>\\[dtc]?frac\ ?{_GROUP}\ ?{_GROUP})
    | (?P<over>\\[dtc]?frac(?=\ ?\{{))
    | (?P<root>\\sqrt(?=\ ?[\{{\d])|√|sqrt(?=\())
    | (?P<break>\n(?:[^=\n]*+(?<![-+*/×÷x^&\\\d)\ \t])\n(?![^\S\n]*+(?:&?[^\S\n]*+=|[-+*/×÷]|\\\\)))*+
        |\\\\|\\[()\[\]]|\$\$|[-=]{{1,3}}>|[!<>:]=|\.(?!\d)|[,;:?"'“”‘’`~\#—…•|<>≈≠≤≥≡→⇒]|\\(?:{COMMANDS["break"]})(?![a-zA-Z]))
    | (?P<bang>!)
    | (?P<open>[(\[{{])
    | (?P<close>[)\]}}])
    | (?P<unreadable>[^\W\d]\w*+|\\[a-zA-Z]++|.))""",
    re.VERBOSE | re.DOTALL,
)
_KINDS: dict[str | None, Kind] = {form: cast(Kind, form) for form in _LEXER.groupindex}
_KINDS |= {"vulgar": "number", "mixed": "number", "repeating": "number", "fraction": "number", "garbled": "unreadable"}
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")


class Token:
    """A token with its place in the text. `text` of an operator is one of `+-*/^`, however it is written."""

    __slots__ = ("end", "form", "kind", "start", "text")

    def __init__(self, kind: Kind, form: str, text: str, start: int) -> None:
        self.kind, self.form, self.text, self.start, self.end = kind, form, text, start, start + len(text)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text without gaps and markup. Brackets are in pairs, each around one expression or a part of it."""
    if not text.isascii():
        # One character for each, so that positions stay.
        text = _OTHER_DIGIT.sub(lambda digit: str(int(digit[0])), text.translate(PLAIN))
    tokens: list[Token] = []
    brackets = False
    for match in _LEXER.finditer(text):
        form = match.lastgroup or "unreadable"
        if form == "gap":
            continue
        token = Token(_KINDS[form], form, match[form], match.start(form))
        if form in _JUDGED and not _JUDGED[form](token, tokens, text):
            continue
        brackets = brackets or form in _BRACKETS
        tokens.append(token)
    if brackets:
        _pair(tokens)
    return tokens


def is_sign(tokens: list[Token], i: int) -> bool:
    """Return True if the token at i is a minus directly before a number, and so the number's sign."""
    if i + 1 >= len(tokens) or tokens[i].kind != "op" or tokens[i].text != "-":
        return False
    is_near = tokens[i].end == tokens[i + 1].start or (i > 0 and tokens[i - 1].kind in {"equals", "open"})
    return is_near and tokens[i + 1].kind in {"number", "open", "money", "over", "root"}


def _is_number(token: Token, tokens: list[Token], text: str) -> bool:
    """Return True, and mark digits that are not a number as unreadable."""
    if sum(map(str.isdigit, token.text)) > _MOST_DIGITS or (token.text[0] == "0" and token.text[1:2].isdigit()):
        token.kind = "unreadable"  # "0730 hours" is a time
    return True


def _is_break(token: Token, tokens: list[Token], text: str) -> bool:
    """Return False within an equation that is set over several lines."""
    return not (token.text[0] == "\n" and tokens and tokens[-1].kind in {"equals", "op"})


def _is_operator(token: Token, tokens: list[Token], text: str) -> bool:
    """Return False if the sign is not a token, such as bold type. A bullet becomes a break."""
    sign, before = token.text, tokens[-1] if tokens else None
    if sign == "**":
        is_power = before is not None and before.kind in {"number", "close"} and re.match(r" ?[\d(]", text[token.end : token.end + 2])
        if not is_power:
            return False
    after = text[token.end : token.end + 3]
    if sign in {"-", "*", "–"} and after[:1].isspace():
        if before is None or before.kind == "break":
            token.kind, token.form = "break", "bullet"
        elif sign != "*" and after[1:].isalpha() and len(after) == 3:
            token.form = "dash"
    if sign != "–":  # it may be a dash: the start of an expression needs to know that
        token.text = OPERATORS.get(sign, sign)
    return True


# Checks of tokens after matching: they need the tokens before, which a regular expression cannot see.
_JUDGED = {"number": _is_number, "op": _is_operator, "break": _is_break}


def _pair(tokens: list[Token]) -> None:
    """Turn a bracket into a break if it has no partner, is nested too deeply, or encloses an equation, a break or such a bracket."""
    open_at: list[int] = []
    broken: set[int] = set()
    for i, token in enumerate(tokens):
        if token.kind == "open":
            open_at.append(i)
            if len(open_at) > _DEEPEST:
                broken.add(i)
        elif token.kind == "close":
            opened = open_at.pop() if open_at else None
            if opened is None:
                token.kind = "break"
            elif opened in broken or tokens[opened].text != _PAIRS[token.text]:
                tokens[opened].kind = token.kind = "break"
        if token.kind in {"equals", "break"}:
            broken.update(open_at[-1:])
    for i in open_at:
        tokens[i].kind = "break"

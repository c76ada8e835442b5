r"""Normalise the notation of an answer: decoration without value is removed, and plain notation becomes LaTeX.

Units, percent signs and currencies stay, as text after the number: `\\text{cm}`, `\\%`, `\\text{dollars}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from isocost.graders.decoration import undecorated
from isocost.graders.extract import brace_pairs
from isocost.graders.joining import with_english_joints
from isocost.graders.mathematics.arguments import with_braces
from isocost.graders.mathematics.mixed import in_latex, with_mixed_numbers
from isocost.graders.mathematics.qualifiers import whole_parameter, without_qualifier
from isocost.graders.mathematics.separators import plain_separators
from isocost.graders.mathematics.vectors import with_vectors

_CHARACTERS = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{PLUS-MINUS SIGN}": r"\pm ",
        "\N{MULTIPLICATION SIGN}": r"\times ",
        "\N{DIVISION SIGN}": r"\div ",
        "\N{MIDDLE DOT}": r"\cdot ",
        "\N{DOT OPERATOR}": r"\cdot ",
        "\N{FRACTION SLASH}": "/",
        "\N{RATIO}": ":",
        "\N{SQUARE ROOT}": r"\sqrt ",
        "\N{INFINITY}": r"\infty ",
        "\N{GREEK SMALL LETTER PI}": r"\pi ",
        "\N{GREEK SMALL LETTER THETA}": r"\theta ",
        "\N{LESS-THAN OR EQUAL TO}": r"\le ",
        "\N{GREATER-THAN OR EQUAL TO}": r"\ge ",
        "\N{NOT EQUAL TO}": r"\ne ",
        "\N{ALMOST EQUAL TO}": r"\approx ",
        "\N{ELEMENT OF}": r"\in ",
        "\N{UNION}": r"\cup ",
        "\N{EMPTY SET}": r"\emptyset ",
        "\N{DOUBLE-STRUCK CAPITAL R}": r"\mathbb{R}",
        "\N{DEGREE SIGN}": r"^\circ ",
        "\N{VULGAR FRACTION ONE HALF}": r"\frac{1}{2}",
        "\N{VULGAR FRACTION ONE THIRD}": r"\frac{1}{3}",
        "\N{VULGAR FRACTION TWO THIRDS}": r"\frac{2}{3}",
        "\N{VULGAR FRACTION ONE QUARTER}": r"\frac{1}{4}",
        "\N{VULGAR FRACTION THREE QUARTERS}": r"\frac{3}{4}",
        "\N{FULLWIDTH PERCENT SIGN}": "%",
        "\N{FULLWIDTH COMMA}": ",",
        "\N{IDEOGRAPHIC COMMA}": ",",
        "\N{FULLWIDTH LEFT PARENTHESIS}": "(",
        "\N{FULLWIDTH RIGHT PARENTHESIS}": ")",
        "\N{FULLWIDTH COLON}": ":",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{PRIME}": "'",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{CENT SIGN}": r"\text{cents}",
    }
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_OPERATORS = {"...": r"\ldots ", "<=": r"\le ", ">=": r"\ge ", "!=": r"\ne ", "**": "^"}
_CURRENCIES = {"\\$": "dollars", "€": "euros", "£": "pounds sterling", "¥": "yuan", "₹": "rupees"}
_BOLD = re.compile(r"\*\*(?=[^*\s][^*]*\*\*)|(?<=[^*\s])\*\*(?=\s*[.,;:!]?\s*$)|^\s*\*\*")
_QUOTED = re.compile(r'\s*\{\s*"(?:final_)?answer"\s*:\s*"?([^"{}]*)"?\s*\}\s*|\s*`+([^`]*)`+\s*')
_LABEL = re.compile(r"(?i)^\s*(?:\\text(?:bf)?\s*\{\s*)?(?:the\s+)?(?:final\s+)?answer\s*(?:is\b\s*:?|:)\s*\}?\s*:?\s*(?=\S)")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?|[A-Za-z]")
_NESTED = re.compile(r"\([^()]*+\)|\[[^\[\]]*+\]")
_SEPARATED = re.compile(r'[,;:|"]|\\(?:mid|[lr]?vert|choose|over|atop|rm|bf|cal)(?![a-z])')
_ESCAPED = re.compile(r"\\\\(?=[a-zA-Z])")
_DEGREES = r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-z]))"
_FUNCTION = r"\\(?:sin|cos|tan|cot|sec|csc)(?:\s*\^\s*\{?-?\d\}?)?"
_ORDINAL = "(?:st|nd|rd|th)"
_AMOUNT = r"(?<![\d.,])(-?\s*[\d.,]*+(?<=\d)(?:\s*(?:\\text\s*\{\s*)?(?:hundred|thousand|[mbtr]+illion)\s*\}?)?)"
_BASE_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_BASES = {word: str(base) for base, word in enumerate(_BASE_WORDS, 2)}


def _repeating_decimal(match: re.Match[str]) -> str:
    r"""Return 0.1\overline{6} as a fraction."""
    whole, steady = match[1], match[2] or ""
    period = "".join(filter(str.isdigit, next(group for group in match.groups()[2:] if group)))
    nines = 10 ** len(period) - 1
    return f"\\frac{{{int(whole + steady) * nines + int(period)}}}{{{nines * 10 ** len(steady)}}}"


def _arc(match: re.Match[str]) -> str:
    """Return degrees, minutes and seconds of arc as degrees: 45\N{DEGREE SIGN} 30' is 91/2 degrees. Sixty minutes or more are none."""
    if int(match[2]) >= 60 or Fraction(match[3] or 0) >= 60:
        return match[0]
    degrees = int(match[1]) + Fraction(match[2]) / 60 + Fraction(match[3] or 0) / 3600
    return f"\\frac{{{degrees.numerator}}}{{{degrees.denominator}}}\\text{{degrees}}"


def _infinity(match: re.Match[str]) -> str:
    """Return a sign and infinity; the sign may be a word."""
    return ("-" if (match[1] or "").lower() in ("-", "negative", "minus") else "") + "\\infty "


def _ratio(match: re.Match[str]) -> str:
    """Return `3 to 4` as 3:4."""
    return ":".join(re.findall(r"\d+(?:\.\d+)?", match[1]))


def _without_points(match: re.Match[str]) -> str:
    r"""Return `all real numbers except 2` as `\\mathbb{R} \\setminus \\{2\\}`."""
    points = match[1].strip()
    if points.endswith("}") and points.count("{") < points.count("}"):  # closes a \text that has been read
        points = points[:-1]
    points = points.removeprefix("\\{").removesuffix("\\}")
    return f"\\mathbb{{R}} \\setminus \\{{{points}\\}}"


_Replacement = str | Callable[[re.Match[str]], str]
# The order of the rules matters: layout goes first, so that names and quantities are matched without it.
_LAYOUT: tuple[tuple[str, _Replacement], ...] = (
    (r"\\\\\s*\[\s*-?[\d.]+\s*[a-z]{2}\s*\]", r"\\\\"),  # a row's end with extra space
    (r"(?<!\\)\$|\\[()]|\\\[|\\\](?!\w)", ""),  # delimiters of formulas
    (r"\\(?:left|right|[bB]igg?[lr]?)(?=[\s()\[\]|.\\{}])", ""),  # sizes of brackets
    (r"\\(?:large|Large|LARGE|huge|Huge|small|normalsize|displaystyle|textstyle|boldsymbol|bm|bf|limits)(?![a-zA-Z])", ""),
    (r"\\(?:text)?color\s*\{\w{1,20}\}|\\(?:tag|phantom|label)\s*\{[^{}]*\}|\\(?:begin|end)\s*\{(?:aligned|align\*?|equation\*?)\}", ""),
    (r"(?<!\\)\\!\s*", ""),
    (r"(?<!\\)\\[,;: ]|\\q?quad|~", " "),  # spaces of TeX
    (r"\\\\\s*(?=\\end\s*\{)", ""),  # a row's end after the last row
    (r"\\lbrace(?![a-z])", r"\\{"),
    (r"\\rbrace(?![a-z])", r"\\}"),
    (r"\\right\.", ""),
    (r"(?:\\left|\\right|\\mid)?\\[lr]?vert(?![a-z])", "|"),
    (r"\\langle(?![a-z])", "("),
    (r"\\rangle(?![a-z])", ")"),
)
_ALL_REALS = r"(?:all\s+(?:the\s+)?(?:real\s+numbers|reals)|\\mathbb\s*\{?\s*R\s*\}?)(?:\s+[a-z])?"
_EXCEPT = r"(?:except(?:\s+for)?|excluding|other\s+than|but|apart\s+from|without)"
_NAMES: tuple[tuple[str, _Replacement], ...] = (
    (r"\\(?:[dtc]|s|nice)frac(?![a-z])", r"\\frac"),  # and \sfrac, \nicefrac
    (r"\\operatorname\s*\{([a-z]{2,10})\}", r"\\\1 "),
    (r"\\tg(?![a-z])", r"\\tan "),
    (r"\\ctg(?![a-z])", r"\\cot "),
    (r"\\arctg(?![a-z])", r"\\arctan "),
    (r"\\lg(?![a-z])", r"\\log_{10}"),
    (
        r"(\\[A-Za-z]++)?\\(?:mathrm|mathbf|mathit|rm)\s*(?:\{\s*([A-Za-z])\s*\}|\s([A-Za-z])(?![A-Za-z]))",
        lambda match: f"{match[1] or ''}{' ' * bool(match[1])}{match[2] or match[3]}",  # \times\mathbf{a} is \times a
    ),
    (r"\\(?:mbox|text(?:bf|normal|rm|it|sf|tt|sl)|emph|math(?:rm|bf|it|sf|tt)|rm)(?=\s*\{)", r"\\text"),
    (r"\\leq(?:slant)?(?![a-zA-Z])|\\leqq", r"\\le "),
    (r"\\geq(?:slant)?(?![a-zA-Z])|\\geqq", r"\\ge "),
    (r"\\bmod(?![a-z])", r"\\mod "),
    (r"\\lt(?![a-zA-Z])", "<"),
    (r"\\gt(?![a-zA-Z])", ">"),
    (r"\\neq(?![a-zA-Z])", r"\\ne "),
    (r"\\prime(?![a-z])", "'"),  # a derivative, as are the carets below
    (r"\^\s*\{?\s*('+)\s*\}?", r"\1"),
    (r"\\(?:var)?nothing|\\emptyset|\\\{\s*\\\}", r"\\emptyset "),
    (
        rf"(?i)^\s*(?:\\text\s*\{{\s*)?{_ALL_REALS}\s*+\}}?\s*+,?\s*+(?:\\text\s*+\{{\s*+)?{_EXCEPT}\b\s*+\}}?\s*+(?:[a-z]\s*=\s*)?(.+)$",
        _without_points,
    ),
    (r"\\mathbb\s*\{?\s*R\s*\}?|(?i:\\text\s*\{\s*all (?:real numbers|reals)\s*\}|\ball (?:real numbers|reals)\b)", r"(-\\infty, \\infty)"),
    (r"\b[a-z]\s*\\in\s*(?=\(-\\infty, \\infty\)$)", ""),
)
_QUANTITIES: tuple[tuple[str, _Replacement], ...] = (
    (rf"(\d{{1,9}})\s*{_DEGREES}\s*(\d{{1,2}})\s*'(?!')(?:\s*(\d{{1,2}}(?:\.\d{{1,9}})?)\s*(?:''|\"))?", _arc),
    (r"\\mu\s*\\text\s*\{\s*([a-zA-Z]{1,2})\s*\}", "\\\\text{\N{GREEK SMALL LETTER MU}\\1}"),  # micrometres
    (r"(?:\\text\s*\{\s*([kMGmn])\s*\}|(?<=\d))\s*\\Omega\s*$", "\\\\text{\\1\N{GREEK CAPITAL LETTER OMEGA}}"),  # ohms
    (rf"(?<=[\d}}])\s*\^\s*(?:\{{\s*(?:\\text\s*\{{\s*{_ORDINAL}\s*\}}|{_ORDINAL})\s*\}}|\\text\s*\{{\s*{_ORDINAL}\s*\}})", ""),
    (rf"(?<=\d)(?:\s*\\text\s*\{{\s*{_ORDINAL}\s*\}}|{_ORDINAL}\b)", ""),
    (rf"({_FUNCTION})\s*\{{?\s*(\d+)\s*{_DEGREES}\s*\}}?", r"\1(\2 \\cdot \\frac{\\pi}{180})"),
    (rf"({_FUNCTION}\s*\([^()]{{0,100}}?){_DEGREES}", r"\1 \\cdot \\frac{\\pi}{180} "),  # inside a function a degree has a value
    (rf"{_DEGREES}(?=\s*[-+*/])", ""),
    (rf"{_DEGREES}\s*F\b|{_DEGREES}\s*\\text\s*\{{\s*F\s*\}}", r"\\text{fahrenheit}"),
    (rf"{_DEGREES}\s*(?:\\text\s*\{{\s*C\s*\}}|C\b)", r"\\text{celsius}"),
    (rf"{_DEGREES}|\\degrees?\b", r"\\text{degrees}"),
    (r"\\text\s*\{\s*(?:percent|pct|\\?%)\s*\}|\\?%|(?<=[\d)}])\s*(?:percent|pct)\b", r"\\%"),
    (r"(?<=\d)\{,\}(?=\d)", ","),
    (rf"(\\\$|[€£¥₹])\s*{_AMOUNT}", lambda match: f"{match[2]}\\text{{{_CURRENCIES[match[1]]}}}"),
    (rf"{_AMOUNT}\s*(\\\$|[€£¥₹])", lambda match: f"{match[1]}\\text{{{_CURRENCIES[match[2]]}}}"),
    (r"\\\$|[€£¥₹]", ""),
    (r"^(-?\d{1,3}(?: \d{3})+)$", lambda match: match[1].replace(" ", "")),  # 10 000
    (
        r"(\d{1,20})\.(\d{0,20})(?:\\(?:overline|bar)\s*(?:\{\s*(\d{1,20})\s*\}|(\d))"
        r"|(\\dot\s*\{?\s*\d\s*\}?(?:\d{0,20}\s*\\dot\s*\{?\s*\d\s*\}?)?))",  # dots on the first and the last digit of the period
        _repeating_decimal,
    ),
    (r"(?<![\w.])(0|\d{1,20}(?=\.\())\.(\d{0,20})\((\d{1,20})\)", _repeating_decimal),  # 0.1(6) and 1.(3); 2.1(6) is a product
    (r"(\d{1,20})\.(\d{0,20}?)(\d{1,6}?)\3{2,}\s*\\[lc]?dots", _repeating_decimal),  # 0.1666...
    (r"(?i)\\text\s*\{\s*([-+]|negative|minus|positive|plus)?\s*infinity\s*\}", _infinity),
    (r"(?<![\\a-zA-Z])(?:(?i:(negative|minus|positive|plus)\s+)?(?i:infinity)|inf(?:ty)?)(?![a-zA-Z])", _infinity),
    (r"^\s*(\d+(?:\.\d+)?(?:\s*(?:\\text\s*\{\s*to\s*\}|\bto\b)\s*\d+(?:\.\d+)?)+)\s*$", _ratio),  # 3 to 4
    (r"^\s*\\text\s*\{\s*(-?\d[^{}]*|\(?[A-Za-z]\)?)\s*\}[\s.,;]*$", r"\1"),  # a number or a choice's letter set as text
    (r"\((\d+)\)_", r"\1_"),  # (101)_2
    (rf"_\{{?\s*\\text\s*\{{\s*({'|'.join(_BASES)})\s*\}}\s*\}}?", lambda match: f"_{{{_BASES[match[1]]}}}"),
    (r"(?<![A-Za-z\\])C\s*_\s*\{?(\d+)\}?\s*\^\s*\{?(\d+)\}?", r"\\binom{\1}{\2}"),  # C_5^2, the notation of Chinese and Russian schools
    (r"\\[dt]?binom\s*(\d)\s*(\d)", r"\\binom{\1}{\2}"),
    (r"(?i)^\\text\s*\{\s*(?:about|approximately|approx\.?|roughly)\s+([^{}]+)\}$", r"\1"),
    (r"(?i)^(?:\\text\s*\{\s*)?(?:about|approximately|approx\.?|roughly)\b\s*\}?\s*|\s*\(approx(?:\.|imately)?\)\s*$", ""),
    (r"\+\s*-", "-"),  # a negative number filled into a sum
    (r"\bsqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
    (r"(?<![\\a-zA-Z])sqrt\s*(?=\d)", r"\\sqrt "),
    (r"(?<![\\a-zA-Z])exp\s*\(([^()]*)\)", r"e^{\1}"),
    (r"(?<![\\a-zA-Z])(pi|sin|cos|tan|log|ln)(?![a-zA-Z])", r"\\\1 "),
    (r"\^\s*\(([^()]*)\)", r"^{\1}"),
    (r"(?<=[\w)])\s*\*\s*(?=[\w(\\])", r" \\cdot "),
    (r"(?<=\d)\s+x\s+(?=10\^)", r" \\cdot "),
    (r"(?<=\S)[,\s]*(?:\\text\s*\{\s*,?\s*)?\b(?:because|since)\b.*$", ""),  # a reason after the answer
    (r"\\frac\s*(\d)\s*(\d)(?=\d)", r"\\frac{\1}{\2} "),  # TeX reads \frac123 as 1/2 times 3
)
_MONEY = {pattern for pattern, _ in _QUANTITIES if _AMOUNT in pattern}
_REASONS = ("because", "since")
# Tried only where a word of theirs occurs: they take quadratic time on a run of commas.
_REASONED = {pattern for pattern, _ in _QUANTITIES if "because" in pattern}
_RULES = tuple((re.compile(pattern), replacement) for pattern, replacement in (*_LAYOUT, *_NAMES, *_QUANTITIES))


@lru_cache(maxsize=65536)
def tidy(answer: str) -> str:
    """Return the answer in normal notation."""
    if _PLAIN.fullmatch(answer):  # most answers are a number or a letter, and skip some sixty patterns
        return answer
    # Qualifiers go first: once it is rewritten, the R of "for all x in R" would be an interval of the answer.
    full = _unwrap(_BOLD.sub("", undecorated(_ungrouped(_unbox(answer.strip())))))
    plain = without_qualifier(full)
    # Of a qualifier a whole parameter is kept, because it may have any name.
    parameter = whole_parameter(full, plain) if plain is not full else ""
    text = with_vectors(plain_separators(plain))
    text = with_mixed_numbers(with_english_joints(text), in_latex)
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda match: f"^{{{match[0].translate(_SUPERSCRIPTS)}}}", text).translate(_CHARACTERS)
    for old, new in _OPERATORS.items():
        text = text.replace(old, new)
    if "\\\\begin" in text:  # escaped once too often, as by a JSON writer
        text = text.replace("\\\\", "\\")
    elif "\\begin" not in text:  # in a matrix two backslashes end a row
        text = _ESCAPED.sub(r"\\", text)
    has_money = any(sign in text for sign in _CURRENCIES)
    has_reason = any(word in text for word in _REASONS)
    for pattern, replacement in _RULES:
        if (has_money or pattern.pattern not in _MONEY) and (has_reason or pattern.pattern not in _REASONED):
            changed = pattern.sub(replacement, text)
            if changed != text and _balance(changed) == _balance(text):  # a rule that meets half of a group leaves it alone
                text = changed
    return with_braces(" ".join(_exact(text).split()).rstrip(".,;\\ ")) + parameter


def _balance(text: str) -> int:
    """Return the number of braces that open minus those that close; escaped ones are text."""
    return text.count("{") - text.count("\\{") - text.count("}") + text.count("\\}")


def _exact(text: str) -> str:
    r"""Return the side before \approx; if that is empty or a name, the side after it."""
    before, about, after = text.partition("\\approx")
    return after if about and re.fullmatch(r"\s*[A-Za-z]?\s*", before) else before


def _unwrap(text: str) -> str:
    """Return the text without a JSON or Markdown writer's quotation marks, and without "answer:"."""
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1] or quoted[2] or ""
    return _LABEL.sub("", text)


def _ungrouped(text: str) -> str:
    """Return the text without a TeX group around all of it. With separators it may be meant as a set or a list."""
    inner = text.strip("$ .")
    while inner.startswith("{") and not _SEPARATED.search(_NESTED.sub("", inner)) and brace_pairs(inner).get(0) == len(inner) - 1:
        text = inner = inner[1:-1].strip()
    return text


def _unbox(text: str) -> str:
    r"""Replace every `\\boxed{x}`, and every `\\underline{x}`, by x."""
    while match := re.search(r"\\(?:boxed|fbox|underline|uline)\s*\{", text):
        end = brace_pairs(text).get(match.end() - 1)
        if end is None:
            return text[: match.start()] + text[match.end() :]
        text = text[: match.start()] + text[match.end() : end] + text[end + 1 :]
    return text

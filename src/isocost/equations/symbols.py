"""The meaning of characters and LaTeX commands."""

from __future__ import annotations

from fractions import Fraction
from unicodedata import numeric

VULGAR = {character: Fraction(numeric(character)).limit_denominator(8) for character in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
# One character for one, so that positions stay. The dash `–` stays, because it is a minus only between numbers. Directional marks become
# spaces. Directional overrides stay and make their surroundings unreadable, because the displayed order differs from that of the text.
PLAIN = str.maketrans("×✕✖·⋅∙∗÷∕⁄−‐‑＋－＊／＝（）％．，！＄∶﹦", "*******///---+-*/=()%.,!$:=") | dict.fromkeys(
    map(ord, "\u200b\u200e\u200f\u2060\ufeff"), " "
)
EQUALS = ["=", *(chr(code) for code, plain in PLAIN.items() if plain == ord("="))]
OPERATORS = {"x": "*", "X": "*", "\\times": "*", "\\cdot": "*", "\\ast": "*", "\\div": "/", "**": "^"}
COMMANDS = {
    "gap": "left|right|boxed|fbox|displaystyle|textstyle|mathbf|mathit|big[lr]?|Big[lr]?|bigg[lr]?|Bigg[lr]?|phantom|nonumber",
    "break": (
        r"approx(?:eq)?|simeq|sim|leq?|geq?|leqslant|geqslant|lt|gt|neq?|equiv|cong|to|rightarrow|Rightarrow|Longrightarrow|implies|iff"
        r"|q?quad|therefore|because|newline|item|tag\{[^{}]{0,9}\}|(?:begin|end)\{[a-z*]{1,20}\}"
    ),
}

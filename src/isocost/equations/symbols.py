"""The meaning of characters and LaTeX commands."""

from __future__ import annotations

from fractions import Fraction

VULGAR = {
    "½": Fraction(1, 2),
    "⅓": Fraction(1, 3),
    "⅔": Fraction(2, 3),
    "¼": Fraction(1, 4),
    "¾": Fraction(3, 4),
    "⅕": Fraction(1, 5),
    "⅖": Fraction(2, 5),
    "⅗": Fraction(3, 5),
    "⅘": Fraction(4, 5),
    "⅙": Fraction(1, 6),
    "⅚": Fraction(5, 6),
    "⅛": Fraction(1, 8),
    "⅜": Fraction(3, 8),
    "⅝": Fraction(5, 8),
    "⅞": Fraction(7, 8),
}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
# One character for one, so that positions stay. The dash `–` stays, because it is a minus only between numbers. Directional marks become
# spaces. Directional overrides stay and make their surroundings unreadable, because the displayed order differs from that of the text.
PLAIN = str.maketrans("×✕✖·⋅∙∗÷∕⁄−‐‑＋－＊／＝（）％．，！＄∶﹦", "*******///---+-*/=()%.,!$:=") | dict.fromkeys(
    map(ord, "\u200b\u200e\u200f\u2060\ufeff"), " "
)
OPERATORS = {"x": "*", "X": "*", "\\times": "*", "\\cdot": "*", "\\ast": "*", "\\div": "/", "**": "^"}
COMMANDS = {
    "gap": "left|right|boxed|fbox|displaystyle|textstyle|mathbf|mathit|big[lr]?|Big[lr]?|bigg[lr]?|Bigg[lr]?|phantom|nonumber",
    "break": (
        r"approx(?:eq)?|simeq|sim|leq?|geq?|leqslant|geqslant|lt|gt|neq?|equiv|cong|to|rightarrow|Rightarrow|Longrightarrow|implies|iff"
        r"|q?quad|therefore|because|newline|item|tag\{[^{}]{0,9}\}|(?:begin|end)\{[a-z*]{1,20}\}"
    ),
}

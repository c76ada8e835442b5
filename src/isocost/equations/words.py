"""The words that matter to arithmetic; all others are labels."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that end an expression.
STOP = _words("and or so then is are was which because since for if from but to therefore thus hence we she he they it")
# An operation or a relation in words: the numbers beside it are not the whole expression.
OPAQUE = _words(
    """of times plus minus by half twice thrice double triple than root squared cubed over divided multiplied
    remainder mod modulo factorial"""
)
# Words that stand for a factor.
SCALES = _words("hundred thousand million billion trillion dozen pair k")
# Units that convert into one another.
MEASURES = _words(
    """second sec minute min hour hr day week month year decade am pm
    inch inche foot feet yard mile millimeter mm centimeter cm meter metre kilometer km
    gram mg kilogram kg ounce oz pound lb ton ml cup pint quart litre liter gallon
    cent penny pennie nickel dime quarter coin dollar"""
)

"""The words with a meaning for arithmetic. All others are labels."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that end an expression.
STOP = _words("and or so then is are was which because since for if from but to therefore thus hence we she he they it")
# An operation or a relation in words: the numbers beside it are not the whole expression.
OPAQUE = _words(
    """of times plus minus by half twice thrice double triple than root squared cubed over divided multiplied
    remainder mod modulo factorial choose negative choosing"""
)
# Words that use the number after them: functions, and things that are numbered.
TAKING = _words(
    """sin cos tan log ln exp sqrt abs floor ceil round max gcd lcm square cube average mean
    day days week weeks month months year years step steps part case equation number no problem question class grade room round
    level stage phase trip game chapter page test quiz exam group team type option method player store house line row column angle"""
)
# Words between a number and an expression that may connect the two: "24 eggs in 1 tray x 2 trays = 48 eggs".
TYING = _words("in on to the at with from for per each every a an his her their its another additional more and")
# Words for a difference that is given without its sign: "1800 - 2000 = 200 less".
LOWER = _words("more less fewer lower cheaper below short loss lost decrease drop down under behind negative debt owed discount off")
# Words that mean a factor.
SCALES = _words("hundred thousand million billion trillion dozen pair k")
# Units that convert into one another.
MEASURES = _words(
    """second sec minute min hour hr day week month year decade am pm
    inch inche foot feet yard mile millimeter mm centimeter cm meter metre kilometer km
    gram mg kilogram kg ounce oz pound lb ton ml cup pint quart litre liter gallon
    cent penny pennie nickel dime quarter coin dollar"""
)
# Other units of two or three letters, which may touch their number, as in 5mph.
SHORT = _words("mph kph usd eur gb mb kb ft yd in hz kw kwh cal pts yrs hrs mins secs lbs th st nd rd cc sq psi rpm pcs")
# Factors between units: they may explain the difference of two sides of which only one names its unit.
_FACTORS = {
    "second sec": (60, 3600),
    "minute min": (60,),
    "hour hr": (60, 24, 3600),
    "day": (24, 7, 30, 365),
    "week": (7, 52),
    "month": (12, 4, 30),
    "year": (12, 52, 365, 10),
    "inch inche": (12, 36),
    "foot feet": (12, 3, 5280),
    "yard": (3, 36),
    "mile": (5280, 1760),
    "mm millimeter cm centimeter meter metre km kilometer gram mg kg kilogram ml litre liter": (10, 100, 1000),
    "oz ounce pound lb": (16,),
    "ton": (1000, 2000),
    "cup pint quart gallon": (2, 4, 8, 16),
    "cent penny pennie": (100,),
    "dollar": (100, 1000, 10**6),
}
CONVERSIONS = {unit: factors for units, factors in _FACTORS.items() for unit in units.split()}

"""Units after a number: parsing them, and converting one to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from isocost.graders.mathematics.numbers import DEGREE, Number, plus, same_number, times

# Base units are those of the dimension's own table, not of SI: only ratios within a dimension are used.
_TABLE = """
length   m meter metre:1  km kilometer kilometre:1000  dm decimeter:1/10  cm centimeter centimetre:1/100  mm millimeter millimetre:1/1000
length   in inch inche:127/5000  ft foot feet:381/1250  yd yard:1143/1250  mi mile:201168/125
mass     kg kilogram kilo:1000  g gram:1  mg milligram:1/1000  lb pound:45359237/100000  oz ounce:45359237/1600000  tonne ton:1000000
time     s sec second:1  min minute:60  h hr hour:3600  day:86400  week wk:604800  ms millisecond:1/1000
months   month:1  year yr:12  decade:120  century:1200
angle    deg degree:1  rad radian:57.29
money    dollar usd buck:1  cent ¢ penny pennie:1/100
length3  l liter litre:1/1000  ml milliliter millilitre:1/1000000
euro     euro eur:1
sterling sterling gbp:1
yuan     yuan rmb:1
rupee    rupee ₹:1
force    n newton:1
energy   j joule:1  kj kilojoule:1000
power    w watt:1  kw kilowatt:1000
voltage  v volt:1  kv kilovolt:1000
current  amp ampere:1
cycles   hz hertz:1  khz kilohertz:1000  mhz megahertz:1000000
celsius  celsius:1
fahrenheit  fahrenheit:1
kelvin   kelvin:1
"""
# The size of a degree in kelvin, and the scale's zero.
_TEMPERATURES: dict[tuple[tuple[str, int], ...], tuple[Fraction, Fraction]] = {
    (("celsius", 1),): (Fraction(1), Fraction("273.15")),
    (("fahrenheit", 1),): (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    (("kelvin", 1),): (Fraction(1), Fraction(0)),
}
_SQUARED = {"square": 2, "sq": 2, "cubic": 3}
_SPELLED_OUT = {
    **dict.fromkeys(("degrees celsius", "degree celsius"), "celsius"),
    **dict.fromkeys(("degrees fahrenheit", "degree fahrenheit"), "fahrenheit"),
    "mph": "mile/hour",
    "kph": "km/hour",
    "kmh": "km/hour",
    "pounds sterling": "sterling",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit: its dimension as powers of base dimensions, and its size in base units. An unknown unit has its `words` only."""

    dimension: tuple[tuple[str, int], ...]
    size: Fraction
    words: str

    @property
    def known(self) -> bool:
        """True if it is in the table."""
        return bool(self.dimension)


def _table() -> dict[str, tuple[str, Fraction]]:
    found: dict[str, tuple[str, Fraction]] = {}
    for line in _TABLE.strip().splitlines():
        dimension, _, entries = line.partition(" ")
        for entry in re.split(r"\s{2,}", entries.strip()):
            names, _, size = entry.partition(":")
            value = 1 / Fraction(DEGREE) if names.startswith("rad") else Fraction(size)
            found.update(dict.fromkeys(names.split(), (dimension, value)))
    return found


KNOWN = _table()
# Longest first, so that "min" is not read as "m". Letters that are mostly variables are left out.
_LETTERS = "|".join(sorted(map(re.escape, KNOWN.keys() - {"n", "j", "w", "v"}), key=len, reverse=True))
SHORT = re.compile(rf"(?:(?:sq|square|cubic)\s+)?(?i:{_LETTERS})(?:\^?\{{?[23]\}}?)?")  # a unit that may follow a digit directly
_POWER = re.compile(r"\^?\{?(-?[1-3])\}?$")
_SEPARATED = re.compile(r"\s*(?:/|\bper\b|\ban?\b(?=\s))\s*")


@lru_cache(maxsize=4096)
def read_unit(words: str) -> Unit:
    """Parse the words of a unit, such as `square meters`, `cm^2`, `miles per hour`."""
    dimension: dict[str, int] = {}
    size = Fraction(1)
    folded = " ".join(words.casefold().replace(".", "").split())
    folded = _SPELLED_OUT.get(folded, folded)
    for position, part in enumerate(_SEPARATED.split(folded)):
        power = 1
        for word in part.split():
            if word in _SQUARED:
                power = _SQUARED[word]
                continue
            if found := _POWER.search(word):
                word, power = word[: found.start()], int(found[1])
            base = _base(word)
            if base is None:
                return Unit(dimension=(), size=Fraction(1), words=folded)
            signed = power if position == 0 else -power
            name = base[0].rstrip("23")
            dimension[name] = dimension.get(name, 0) + signed * int(base[0].removeprefix(name) or 1)
            size *= base[1] ** signed
            power = 1
    return Unit(dimension=tuple(sorted(item for item in dimension.items() if item[1])), size=size, words=folded)


def same_measure(a: Number, one: Unit, b: Number, other: Unit) -> bool:
    """Return True if a of one unit equals b of the other; False if their dimensions differ. Temperatures have one dimension."""
    scales = [_TEMPERATURES.get(unit.dimension) for unit in (one, other)]
    if scales[0] and scales[1]:
        kelvin = [plus(times(value, scale[0]), scale[1]) for value, scale in ((a, scales[0]), (b, scales[1]))]
        return same_number(kelvin[0], kelvin[1])
    return one.dimension == other.dimension and same_number(times(a, one.size), times(b, other.size))


def _base(word: str) -> tuple[str, Fraction] | None:
    return KNOWN.get(word) or KNOWN.get(word.removesuffix("s")) or KNOWN.get(word.removesuffix("es"))

"""Units after a number: parsing them, and converting one to another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
length3  l liter litre:1/1000  ml milliliter millilitre cc:1/1000000
length3  gal gallon:473176473/125000000000  qt quart:473176473/500000000000  pt pint:473176473/1000000000000  cup:473176473/2000000000000
length3  floz:473176473/16000000000000  tbsp tablespoon:473176473/32000000000000  tsp teaspoon:157725491/32000000000000
length2  ha hectare:10000  acre:316160658/78125
euro     euro eur:1
sterling sterling gbp:1
yuan     yuan rmb:1
rupee    rupee ₹:1
force    n newton:1
energy   j joule:1  kj kilojoule:1000  cal calorie:523/125  watthour:3600
power    w watt:1  kw kilowatt:1000
voltage  v volt:1  kv kilovolt:1000
current  amp ampere:1
charge   coulomb:1
resistance ohm:1
capacity farad:1
pressure pascal:1  bar:100000  atm atmosphere:101325
cycles   hz hertz:1  khz kilohertz:1000  mhz megahertz:1000000
amount   mol mole:1
bits     bit:1  byte:8
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
_PREFIXES = {
    "p": Fraction(1, 10**12),
    "n": Fraction(1, 10**9),
    **dict.fromkeys("u\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}", Fraction(1, 10**6)),
    "m": Fraction(1, 1000),
    "c": Fraction(1, 100),
    "d": Fraction(1, 10),
    "h": Fraction(100),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
}
_MICRO = "u\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}"
# Symbols and their names in the table, by the prefixes that they take. Bytes have none: a kilobyte is 1000 or 1024 of them.
_SYMBOLS = {
    "": "K=kelvin",
    f"n{_MICRO}mcdkM": "m=m g=g",
    f"n{_MICRO[1:]}mkM": "s=s",
    f"n{_MICRO}mcdM": "l=l L=l",
    f"pn{_MICRO}mkMGT": "N=n Nm=j J=j W=w V=v A=amp Hz=hz Wh=watthour C=coulomb F=farad \N{GREEK CAPITAL LETTER OMEGA}=ohm mol=mol cal=cal",
    "mhkMG": "Pa=pascal bar=bar",
}
_SPELLED_PREFIXES = {
    "pico": "p",
    "nano": "n",
    "micro": "u",
    "milli": "m",
    "centi": "c",
    "deci": "d",
    "hecto": "h",
    "kilo": "k",
    "mega": "M",
    "giga": "G",
    "tera": "T",
}
_SPELLED = re.compile(
    rf"({'|'.join(_SPELLED_PREFIXES)})(meter|metre|gram|second|liter|litre|newton|joule|watt|volt|amp|ampere|hertz|coulomb|farad|ohm|mole"
    r"|calorie|pascal|bar)s?"
)
# Dimensions that others make up, with the size of their unit there: a newton is 1000 g m/s^2.
_DERIVED: dict[str, tuple[dict[str, int], Fraction]] = {
    "force": ({"mass": 1, "length": 1, "time": -2}, Fraction(1000)),
    "energy": ({"mass": 1, "length": 2, "time": -2}, Fraction(1000)),
    "power": ({"mass": 1, "length": 2, "time": -3}, Fraction(1000)),
    "pressure": ({"mass": 1, "length": -1, "time": -2}, Fraction(1000)),
    "current": ({"charge": 1, "time": -1}, Fraction(1)),
    "voltage": ({"mass": 1, "length": 2, "time": -2, "charge": -1}, Fraction(1000)),
    "resistance": ({"mass": 1, "length": 2, "time": -1, "charge": -2}, Fraction(1000)),
    "capacity": ({"mass": -1, "length": -2, "time": 2, "charge": 2}, Fraction(1, 1000)),
}
_SQUARED = {"square": 2, "sq": 2, "cubic": 3}
_SPELLED_OUT = {
    **dict.fromkeys(("degrees celsius", "degree celsius"), "celsius"),
    **dict.fromkeys(("degrees fahrenheit", "degree fahrenheit"), "fahrenheit"),
    "mph": "mile/hour",
    "kph": "km/hour",
    "kmh": "km/hour",
    "pounds sterling": "sterling",
    **dict.fromkeys(("fluid ounce", "fluid ounces", "fl oz"), "floz"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit: its dimension as powers of base dimensions, and its size in base units. An unknown unit has its `words` only.

    `written` has the case of the words.
    """

    dimension: tuple[tuple[str, int], ...]
    size: Fraction
    words: str
    written: str = field(default="", compare=False)

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


def _prefixed() -> dict[str, tuple[str, Fraction]]:
    """Return the symbols whose case counts, each with its prefixes: mW is not MW."""
    found: dict[str, tuple[str, Fraction]] = {}
    for prefixes, symbols in _SYMBOLS.items():
        for symbol, name in (entry.split("=") for entry in symbols.split()):
            dimension, size = KNOWN[name]
            found[symbol] = (dimension, size)
            found.update({prefix + symbol: (dimension, size * _PREFIXES[prefix]) for prefix in prefixes})
    return found


KNOWN = _table()
_EXACT = _prefixed()
# Longest first, so that "min" is not read as "m". Letters that are mostly variables or products are left out.
_PRODUCTS = {"n", "j", "w", "v", "ha", "pt", "qt", "cc", "cal", "gal", "bar", "mol", "bit", "atm", "tsp", "cup"}
_LETTERS = "|".join(sorted(map(re.escape, KNOWN.keys() - _PRODUCTS), key=len, reverse=True))
_CAPITALS = "|".join(sorted((symbol for symbol in _EXACT if len(symbol) > 1 and symbol[1].isupper()), key=len, reverse=True))
# A unit that may follow a digit directly.
SHORT = re.compile(rf"(?:(?:sq|square|cubic)\s+)?(?:{_CAPITALS}|[hkMG]?Pa|(?i:{_LETTERS}))(?:\^?\{{?[23]\}}?)?")
_POWER = re.compile(r"\^?\{?(-?[1-3])\}?$")
_SEPARATED = re.compile(r"\s*(?:/|\bper\b|\ban?\b(?=\s))\s*")


@lru_cache(maxsize=4096)
def read_unit(words: str) -> Unit:
    """Parse the words of a unit, such as `square meters`, `cm^2`, `miles per hour`."""
    dimension: dict[str, int] = {}
    size = Fraction(1)
    written = " ".join(words.replace(".", "").split())
    folded = written.casefold()
    for position, part in enumerate(_SEPARATED.split(_SPELLED_OUT.get(folded, written))):
        power = 1
        for word in part.split():
            if word.casefold() in _SQUARED:
                power = _SQUARED[word.casefold()]
                continue
            if found := _POWER.search(word):
                word, power = word[: found.start()], int(found[1])
            base = _base(word)
            if base is None:
                return Unit(dimension=(), size=Fraction(1), words=folded, written=written)
            signed = power if position == 0 else -power
            name = base[0].rstrip("23")
            parts, factor = _DERIVED.get(name, ({name: int(base[0].removeprefix(name) or 1)}, Fraction(1)))
            for part_name, exponent in parts.items():
                dimension[part_name] = dimension.get(part_name, 0) + signed * exponent
            size *= (base[1] * factor) ** signed
            power = 1
    return Unit(dimension=tuple(sorted(item for item in dimension.items() if item[1])), size=size, words=folded, written=written)


def same_measure(a: Number, one: Unit, b: Number, other: Unit) -> bool:
    """Return True if a of one unit equals b of the other; False if their dimensions differ. Temperatures have one dimension."""
    scales = [_TEMPERATURES.get(unit.dimension) for unit in (one, other)]
    if scales[0] and scales[1]:
        kelvin = [plus(times(value, scale[0]), scale[1]) for value, scale in ((a, scales[0]), (b, scales[1]))]
        return same_number(kelvin[0], kelvin[1])
    return one.dimension == other.dimension and same_number(times(a, one.size), times(b, other.size))


def _base(word: str) -> tuple[str, Fraction] | None:
    if exact := _EXACT.get(word):
        return exact
    folded = word.casefold()
    if len(word) == 1 and folded != word:
        return None  # M, S and H are other units than m, s and h
    found = KNOWN.get(folded) or KNOWN.get(folded.removesuffix("s")) or KNOWN.get(folded.removesuffix("es"))
    if found is None and (spelled := _SPELLED.fullmatch(folded)):
        dimension, size = KNOWN[spelled[2]]
        return dimension, size * _PREFIXES[_SPELLED_PREFIXES[spelled[1]]]
    return found

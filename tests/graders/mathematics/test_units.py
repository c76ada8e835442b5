import pytest

from tests.graders.mathematics.boxed import is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("100 \\text{ N}", "0.1 \\text{ kN}"),
        ("1 \\text{ MPa}", "10^6 \\text{ Pa}"),
        ("5 \\text{ mA}", "0.005 \\text{ A}"),
        ("1 \\text{ gallon}", "4 \\text{ quarts}"),
        ("45^\\circ 30'", "45.5^\\circ"),
        ("1000 \\text{ W}", "1 \\text{ kW}"),
        ("1 \\text{ MW}", "1000 \\text{ kW}"),
        ("5 \\text{ MHz}", "5000 \\text{ kHz}"),
        ("3 \\text{ GHz}", "3000 \\text{ MHz}"),
        ("500 \\text{ nm}", "5\\cdot10^{-7} \\text{ m}"),
        ("5 \\mu\\text{m}", "0.005 \\text{ mm}"),
        ("2 \\text{ pints}", "4 \\text{ cups}"),
        ("1 \\text{ kWh}", "3.6 \\text{ MJ}"),
        ("1 \\text{ megawatt}", "1000000 \\text{ watts}"),
        ("100 \\text{ kPa}", "1 \\text{ bar}"),
        ("4.7 \\text{ k}\\Omega", "4700 \\Omega"),
        ("1 \\text{ mol}", "1000 \\text{ mmol}"),
        ("30^\\circ 15' 36''", "30.26^\\circ"),
        ("1 \\text{ hectare}", "10000 \\text{ m}^2"),
        ("1 \\text{ ton}", "1000 \\text{ kg}"),
        ("1 \\text{ acre}", "43560 \\text{ ft}^2"),
        ("2 \\text{ kilonewtons}", "2000 \\text{ newtons}"),
        ("12 \\text{ V}", "12000 \\text{ mV}"),
        ("5 \\text{ mV}", "0.005 \\text{ V}"),
        ("1 \\text{ cup}", "8 \\text{ fluid ounces}"),
        ("3 \\text{ teaspoons}", "1 \\text{ tablespoon}"),
        ("2 \\text{ mN}", "0.002 \\text{ N}"),
    ],
)
def test_units_are_converted_with_their_prefixes(one: str, other: str) -> None:
    assert is_correct(one, other)
    assert is_correct(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 \\text{ mW}", "5 \\text{ MW}"),
        ("1 \\text{ mPa}", "1 \\text{ MPa}"),
        ("100 \\text{ N}", "100 \\text{ kN}"),
        ("45^\\circ 30'", "45.3^\\circ"),
        ("1 \\text{ gallon}", "3 \\text{ quarts}"),
        ("5 \\text{ N}", "5 \\text{ Pa}"),
        ("5 \\text{ mg}", "5 \\text{ Mg}"),
        ("1 \\text{ GB}", "1 \\text{ MB}"),
        ("5 \\text{ A}", "5 \\text{ V}"),
        ("5 \\text{ nm}", "5 \\text{ m}"),
        ("5 \\text{ mJ}", "5 \\text{ MJ}"),
        ("1 \\text{ kWh}", "1 \\text{ kW}"),
        ("5 \\text{ mHz}", "5 \\text{ MHz}"),
        ("5 \\text{ Pa}", "5 \\text{ apples}"),
    ],
)
def test_the_case_of_a_symbol_counts(one: str, other: str) -> None:
    assert not is_correct(one, other)
    assert not is_correct(other, one)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("5N", "5N"),
        ("5 \\text{ KM}", "5 \\text{ km}"),
        ("5 \\text{ KG}", "5000 \\text{ g}"),
    ],
)
def test_units_in_other_case_are_read(reference: str, answer: str) -> None:
    assert is_correct(reference, answer)

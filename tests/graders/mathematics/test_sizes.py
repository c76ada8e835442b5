import pytest

from isocost.graders.mathematics import expressions
from isocost.graders.mathematics.shapes import UnreadableError
from isocost.graders.mathematics.sizes import is_absurd
from isocost.graders.mathematics.symbolic import read


@pytest.mark.parametrize("text", ["\\sin(3^{3^{3^{3}}})", "(10^{10^{10}})!", "x^{10^{30}}", "7^{2^{2^{2^{2^{2}}}}} + x_1"])
def test_numbers_that_no_computer_holds_are_not_computed(text: str) -> None:
    with pytest.raises(UnreadableError):
        read(text)


@pytest.mark.parametrize(
    "text", ["2^{1000}", "x^{50}", "100!", "e^{e^{3}}", "2^{x}", "x^{10^{-30}}", "10^{-300}", "\\sqrt[100]{2}", "1^{10^{100}}"]
)
def test_large_numbers_are(text: str) -> None:
    assert not is_absurd(read(text))


@pytest.mark.parametrize("text", ["2^{2^{2^{2^{2^{2}}}}}", "e^{e^{e^{e^{e^{e^{2}}}}}}", "x^{3^{3^{3^{3}}}}"])
def test_a_power_whose_exponent_is_out_of_bounds_is_absurd(text: str) -> None:
    found = expressions.read(text)
    assert found is not None
    assert found.is_absurd

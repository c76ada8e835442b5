import numpy as np
import pytest

from isocost.metrics.intervals import proportion
from isocost.metrics.overlap import overlap


def test_two_models_by_hand_with_wilson_s_intervals() -> None:
    found = overlap([[1, 1, 0, 0, 1], [1, 0, 0, 1, 0]])
    assert [found.only[0].value, found.only[1].value, found.all.value, found.none.value] == [0.4, 0.2, 0.2, 0.2]
    expected = proportion(2, 5)
    assert (found.only[0].low, found.only[0].high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_three_models_by_hand() -> None:
    solved = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]])
    found = overlap(solved)
    assert [estimate.value for estimate in found.only] == [0.25, 0.0, 0.0]
    assert (found.all.value, found.none.value) == (0.25, 0.25)


def test_chances_of_one_problem_multiply() -> None:
    found = overlap([[0.5], [0.25], [0.5]])
    assert [e.value for e in found.only] == pytest.approx([0.5 * 0.75 * 0.5, 0.5 * 0.25 * 0.5, 0.5 * 0.75 * 0.5])
    assert found.all.value == pytest.approx(0.0625)
    assert found.none.value == pytest.approx(0.5 * 0.75 * 0.5)


def test_the_shares_of_two_add_up() -> None:
    chances = np.random.default_rng(0).random((2, 50))
    found = overlap(chances)
    assert sum(e.value or 0 for e in (*found.only, found.all, found.none)) == pytest.approx(1)


def test_a_problem_that_one_model_lacks_is_left_out() -> None:
    found = overlap([[1, np.nan, 0], [1, 1, 0]])
    assert (found.all.n, found.all.value) == (2, 0.5)


def test_one_model_alone_is_its_own_overlap() -> None:
    found = overlap([[1, 0, 0, 0]])
    assert (found.only[0].value, found.all.value, found.none.value) == (0.25, 0.25, 0.75)


def test_chances_must_be_chances() -> None:
    with pytest.raises(ValueError, match="within"):
        overlap([[2.0]])
    with pytest.raises(ValueError, match="shape"):
        overlap([0.5])

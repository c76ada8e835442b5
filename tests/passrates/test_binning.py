"""Problems counted by pass rate."""

from isocost.passrates.binning import BINS, binned


def test_never_and_always_are_apart_from_the_tenths_between_them() -> None:
    assert binned([0.0, 0.0, 1e-6, 0.0999, 0.1, 0.3, 0.95, 0.9999, 1.0]) == [2, 2, 1, 0, 1, 0, 0, 0, 0, 0, 2, 1]
    assert len(binned([])) == BINS

import tracemalloc

import numpy as np
import pytest

from isocost.metrics import bootstrap
from isocost.metrics.bootstrap import bootstrap_means


def test_the_spread_of_the_means_is_the_standard_error() -> None:
    x = np.random.default_rng(1).beta(2, 3, (400, 3))
    means = bootstrap_means(x, draws=4000)
    assert means.shape == (4000, 3)
    assert means.mean(axis=0) == pytest.approx(x.mean(axis=0), abs=0.002)
    assert means.std(axis=0) == pytest.approx(x.std(axis=0) / 20, rel=0.05)


def test_every_mean_is_that_of_as_many_problems_drawn_from_those_there() -> None:
    """With values 1, 10, 100, 1000 the sum of a resample tells how often each problem was drawn: the digits add up to n."""
    sums = 4 * bootstrap_means([[1.0], [10.0], [100.0], [1000.0]], draws=500)[:, 0]
    digits = [[int(d) for d in f"{round(total):04d}"] for total in sums]
    assert all(sum(row) == 4 for row in digits)
    assert np.mean(digits) == 1.0
    assert {d for row in digits for d in row} == {0, 1, 2, 3, 4}


def test_tables_of_the_same_problems_are_resampled_alike() -> None:
    x = np.random.default_rng(2).random((50, 4))
    together, alone = bootstrap_means(x, seed=3), bootstrap_means(x[:, 2:3], seed=3)
    assert together[:, 2] == pytest.approx(alone[:, 0], abs=1e-12)
    assert bootstrap_means(x, draws=10, seed=3) == pytest.approx(together[:10], abs=1e-12)
    assert not np.allclose(together, bootstrap_means(x, seed=4))
    constant = bootstrap_means(x[:, [0]] + [0.0, 0.25], seed=5)
    assert constant[:, 1] - constant[:, 0] == pytest.approx(0.25)


def test_undefined_problems_are_left_out_of_their_column_only() -> None:
    x = np.array([[1.0, np.nan], [3.0, 7.0], [5.0, 7.0]])
    means, whole = bootstrap_means(x, draws=300), bootstrap_means(x[:, :1], draws=300)
    assert means[:, 0] == pytest.approx(whole[:, 0])
    only_first = whole[:, 0] == 1.0
    assert np.isnan(means[only_first, 1]).all()
    assert only_first.any()
    assert np.all(means[~only_first, 1] == 7.0)


def test_blocks_change_nothing_and_keep_memory_small(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).random((100, 2))
    whole = bootstrap_means(x, draws=50)
    monkeypatch.setattr(bootstrap, "_CELLS", 700)
    assert bootstrap_means(x, draws=50) == pytest.approx(whole, abs=1e-12)
    monkeypatch.undo()
    tall = np.ones((100_000, 1))
    tracemalloc.start()
    try:
        bootstrap_means(tall, draws=100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150e6  # 100 draws of 100,000 problems, all at once: 160 MB of weights and of choices


@pytest.mark.parametrize("bad", [[1.0, 2.0], np.ones((0, 2)), [[np.inf]]])
def test_what_cannot_be_resampled_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="values"):
        bootstrap_means(bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="draws"):
        bootstrap_means([[1.0]], draws=0)

"""Pass rates drawn from known laws."""

from __future__ import annotations

import numpy as np
import pytest

from isocost.passrates import PAPER, Law


def test_drawn_rates_have_the_law_s_moments_and_impossible_share() -> None:
    law = Law(marginals=((0.3, 0.8), (2.0, 0.5)), correlation=0.7, impossible=0.1)
    rates = law.rates(200_000, np.random.default_rng(1))
    np.testing.assert_allclose(rates.mean(axis=0), [0.9 * 0.3 / 1.1, 0.9 * 2.0 / 2.5], rtol=0.02)
    assert (rates == 0.0).all(axis=1).mean() == pytest.approx(0.1, abs=0.003)


def test_ranks_correlate_as_a_gaussian_copula_at_any_marginals() -> None:
    rates = Law(marginals=((0.3, 0.8), (1.0, 1.0)), correlation=0.8).rates(100_000, np.random.default_rng(2))
    ranks = np.argsort(np.argsort(rates, axis=0), axis=0)
    # Pearson 1907: the rank correlation of a normal pair is 6 / pi asin(r / 2).
    assert np.corrcoef(ranks.T)[0, 1] == pytest.approx(6 / np.pi * np.arcsin(0.4), abs=0.01)


@pytest.mark.parametrize(("benchmark", "k", "weak", "strong"), [("MATH", 10, 0.590, 0.648), ("GSM8K", 10, 0.938, 0.962)])
def test_the_paper_s_laws_have_its_coverage(benchmark: str, k: int, weak: float, strong: float) -> None:
    rates = PAPER[benchmark].rates(100_000, np.random.default_rng(3))
    np.testing.assert_allclose((1 - (1 - rates) ** k).mean(axis=0), [weak, strong], atol=0.015)

"""The rates of the recipes."""

from __future__ import annotations

import pytest

from isocost.lab.recipe import RECIPES, Recipe


def test_rates_rise_fall_and_rise_again() -> None:
    recipe = Recipe(hidden=64, layers=2, feed_forward=160, steps=1000, restart_steps=50, restart_rate=0.5)
    rates = [recipe.rate_at(step) for step in range(recipe.all_steps)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[99] == pytest.approx(0.901)
    assert rates[999] == pytest.approx(0.001)
    assert rates[1000] == pytest.approx(0.5 / 20)
    assert set(rates[1019:]) == {0.5}
    assert recipe.tokens == 1050 * 16 * 384


def test_models_that_are_trained_on_have_not_settled() -> None:
    assert all(RECIPES[name].rate_at(RECIPES[name].all_steps - 1) > 0.1 for name in ("weak", "student", "strong"))

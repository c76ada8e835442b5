"""Histograms of pass rates: a group of bars per bin, a bar per model."""

from isocost.passrates.binning import BINS, binned
from isocost.reporting.charts import canvas, histograms
from isocost.reporting.marks import NEUTRAL, UNTRAINED
from tests.reporting.charts.measuring import cut_off, overlaps, struck


def test_bars_are_shares_of_each_models_problems_and_texts_apart() -> None:
    counts = {"weak": binned([0.0, 0.5, 1.0, 1.0]), "a model with quite a long name, indeed": binned([0.2, 0.3])}
    with canvas.drawing():
        axes = canvas.blank(3.0)
        histograms.draw(axes, counts, {"weak": NEUTRAL, "a model with quite a long name, indeed": UNTRAINED}, "Pass rates")
    heights = [round(bar.get_height(), 3) for bar in axes.patches]
    assert heights[0] == 0.25
    assert sum(heights[:BINS]) == sum(heights[BINS:]) == 1
    assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], [])

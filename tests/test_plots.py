"""isocost.plots draws what the report draws, onto axes of its own or of the caller."""

from dataclasses import replace

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from isocost import plots
from isocost.errors import InputError, IsocostError
from isocost.records import Estimate, ForecastOutcome, Results
from tests.reporting.builder import results
from tests.reporting.curved import curved

mpl.use("agg")


class Opened:
    """A run as isocost.Run opens it."""

    def __init__(self, found: Results) -> None:
        self.results = found


def test_curves_are_drawn_onto_given_axes() -> None:
    figure = Figure(layout="constrained", figsize=(10, 4))
    left, right = figure.subplots(1, 2)
    assert plots.curves(Opened(curved()), ax=left) is left
    assert plots.curves(curved(), measure="diversity", against="draws", ax=right) is right
    assert [text.get_text() for text in left.get_legend().get_texts()][:2] == ["weak", "strong"]
    assert "draws per problem" in right.get_xlabel()


def test_without_axes_a_figure_is_made_that_a_notebook_shows() -> None:
    import matplotlib.pyplot as plt

    axes = plots.students(results())
    assert plt.fignum_exists(axes.figure.number)
    plt.close(axes.figure)


def test_cells_forecasts_and_pass_rates() -> None:
    axes = Figure(layout="constrained").subplots()
    plots.cells(results(), ax=axes)
    assert len(axes.get_yticks()) == 6
    predicted = Estimate(value=0.6, low=0.5, high=0.7, n=40)
    found = ForecastOutcome(cell="weak@low", measure="covered", unit=None, predicted=predicted, outcome=predicted)
    axes = Figure(layout="constrained").subplots()
    plots.forecasts(replace(results(), forecasts=(found,)), ax=axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["weak@low", "forecast", "outcome"]
    axes = Figure(layout="constrained").subplots()
    plots.pass_rates(replace(results(), pass_rates={"weak": (1, *[0] * 10, 1)}), ax=axes)
    assert sorted(bar.get_height() for bar in axes.patches)[-2:] == [0.5, 0.5]


@pytest.mark.parametrize("draw", [plots.curves, plots.forecasts, plots.pass_rates])
def test_what_a_run_does_not_have_is_said(draw: object) -> None:
    with pytest.raises(ValueError, match="no "):
        draw(results())  # type: ignore[operator]


def test_arguments_that_are_no_choice_are_refused_as_errors_of_isocost() -> None:
    with pytest.raises(InputError, match='measure: must be one of coverage, diversity, not "covrage"'):
        plots.curves(curved(), measure="covrage")  # type: ignore[arg-type]
    with pytest.raises(InputError, match='against: must be one of cost, draws, not "tokens"'):
        plots.curves(curved(), against="tokens")  # type: ignore[arg-type]
    with pytest.raises(IsocostError, match="no coverage was forecast"):
        plots.forecasts(results())

"""Panels of curves: whatever the magnitudes and names, no text lies on another or on a line, and marks stand where the numbers are."""

from dataclasses import replace

import pytest
from matplotlib.axes import Axes

from isocost.amounts import readable
from isocost.records import Cost, Unit
from isocost.reporting.charts import canvas, curves
from isocost.reporting.curvefigures import cost_panel, draws_panel
from tests.reporting.builder import N
from tests.reporting.charts.measuring import cut_off, overlaps, struck
from tests.reporting.curved import CROSSOVER, curve, curved

POWERS = range(-9, 13)


def drawn(panel: curves.Panel) -> Axes:
    with canvas.drawing():
        axes = canvas.blank(3.7)
        curves.draw(axes, panel)
    return axes


def panel_at(
    size: float, unit: Unit, *, wide: float = 2.5, measure: str = "coverage", names: tuple[str, ...] = ("weak", "strong")
) -> curves.Panel:
    """Curves whose draw costs `size`, and the next model's `wide` times as much, with two budgets and a crossover."""
    study = curved(*names)
    costs = [size * wide**i for i in range(len(names))]
    cells = tuple(
        replace(cell, plan=replace(cell.plan, unit=unit, amount=size * N * (3 + i)))
        for i, cell in enumerate(cell for cell in study.cells if cell.plan.unit)
    )
    return cost_panel(
        replace(
            study,
            cells=cells,
            curves=tuple(replace(c, cost=Cost(**{unit: cost})) for c, cost in zip(study.curves, costs, strict=True)),
            crossovers=(
                replace(
                    CROSSOVER,
                    measure=measure,
                    models=names[:2],
                    unit=unit,
                    ahead=names[1],
                    cost=5 * size,
                    low=2 * size,
                    high=9 * size,
                    reach=20 * size,
                ),
            ),
        ),
        measure,
        unit,
    )


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["flops", "usd"])
def test_no_text_lies_on_another_or_on_a_line_at_any_magnitude(unit: Unit) -> None:
    for power in POWERS:
        size = 10.0 ** (power + 9) if unit == "flops" else 10.0**power  # a draw has at least a FLOP
        axes = drawn(panel_at(size, unit, measure="coverage" if power % 2 else "diversity"))
        assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], []), power


@pytest.mark.parametrize("wide", [1.02, 30.0, 1e6, 1e20])
def test_axes_of_any_length_have_ticks_apart(wide: float) -> None:
    axes = drawn(panel_at(1e-9, "usd", wide=wide))
    assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], [])
    assert len([label for label in axes.get_xticklabels() if label.get_visible() and label.get_text()]) >= 2


def test_long_and_hostile_names_keep_their_place() -> None:
    names = ("a-model-with-quite-a-long-name-and-more", "$x^2$ \\frac{1}{2", "m" * 300, "<script>", "two\nlines")
    axes = drawn(panel_at(1e-4, "usd", names=names))
    assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], [])
    shown = [text.get_text() for text in axes.get_legend().get_texts()]
    assert shown[1] == names[1]
    assert shown[4] == "two lines"
    assert all(len(text) <= 36 for text in shown[:5])


def test_twenty_budgets_leave_names_that_can_be_read() -> None:
    panel = panel_at(1e9, "flops")
    axes = drawn(replace(panel, guides=[(2.0 + i / 7, f"budget-{i}") for i in range(20)]))
    assert (overlaps(axes), struck(axes), cut_off(axes)) == ([], [], [])
    assert 3 <= len([text for text in axes.texts if text.get_visible()]) < 20
    assert len([line for line in axes.lines if list(line.get_ydata()) == [0, 1]]) == 20


def test_marks_stand_where_the_numbers_are() -> None:
    axes = drawn(cost_panel(curved(), "coverage", "flops"))
    marks = next(line for line in axes.lines if line.get_marker() == "o" and line.get_linestyle() == "None" and len(line.get_xdata()) == 6)
    assert list(marks.get_ydata()) == pytest.approx([1 - 0.9**k for k in (1, 2, 5, 10, 20, 30)])
    assert list(marks.get_xdata()) == pytest.approx([0.8 * k for k in (1, 2, 5, 10, 20, 30)])  # TFLOPs
    assert axes.get_xscale() == "log"


def test_lines_differ_in_more_than_colour() -> None:
    handles = drawn(cost_panel(curved(), "coverage", "flops")).get_legend().get_lines()
    assert len({(handle.get_marker(), handle.get_linestyle()) for handle in handles[:2]}) == 2
    assert len({handle.get_color() for handle in handles[:2]}) == 2


def test_both_panels_of_a_measure_have_one_height() -> None:
    for measure in ("coverage", "diversity"):
        study = curved()
        assert drawn(cost_panel(study, measure, "flops")).get_ylim() == drawn(draws_panel(study, measure)).get_ylim()


def test_a_curve_of_one_point_has_a_bar_and_a_thin_line_to_it() -> None:
    study = replace(curved(), curves=(curve("weak", 0.1, 1e12, ks=(1, 2, 3)), curve("strong", 0.3, 3e12, ks=(1,))), crossovers=())
    panel = cost_panel(study, "coverage", "flops")
    axes = drawn(replace(panel, guides=()))
    assert len(axes.collections) == 1  # the bar
    assert [line.get_linewidth() for line in axes.lines if line.get_alpha()] == [1.3]


def test_an_axis_ends_at_its_first_and_last_tick() -> None:
    """The thin line to a curve's first point begins far below the curve."""
    study = replace(curved(), curves=(curve("weak", 0.6, 1e12, ks=(1, 2, 3)), curve("strong", 0.7, 9e12, ks=(1,))), crossovers=())
    axes = drawn(replace(cost_panel(study, "coverage", "flops"), guides=()))
    thin = [line for line in axes.lines if line.get_alpha()]
    assert min(thin[0].get_ydata()) < axes.get_ylim()[0]
    assert axes.get_ylim() == (min(axes.get_yticks()), max(axes.get_yticks()))


def test_a_crossover_is_a_ring_with_its_interval_and_an_arrow_where_that_is_open() -> None:
    panel = panel_at(1.0, "flops")
    closed = [line.get_marker() for line in drawn(panel).lines]
    assert panel.crossing is not None
    opened = [line.get_marker() for line in drawn(replace(panel, crossing=replace(panel.crossing, high=None))).lines]
    assert (closed.count(">"), opened.count(">")) == (0, 1)
    assert [line.get_markersize() for line in drawn(panel).lines if line.get_markerfacecolor() == "none"] == [9]


def test_costs_below_a_cent_are_given_for_more_problems() -> None:
    assert panel_at(1e-5, "usd").x == "cost per 1,000 problems (USD), log scale"
    assert panel_at(1e-9, "usd").x == "cost per million problems (USD), log scale"
    assert panel_at(1.0, "usd").x == "cost per problem (USD), log scale"
    assert readable("usd", [1e-5 * 75]).problems == 1000


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(ValueError, match="no curve of coverage has a known cost in usd"):
        cost_panel(curved(), "coverage", "usd")

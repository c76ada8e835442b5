"""A mixture's line beside the models': its own mark, its name at its end, its numbers in the table, and what it is in the caption."""

from dataclasses import replace

import pytest

from isocost.records import Cost, ModelCurve, Results
from isocost.reporting import Report, report
from isocost.reporting.charts.curves import Line, Panel
from isocost.reporting.curvefigures import cost_panel, draws_panel
from isocost.reporting.marks import cell_marks, curve_marks, model_marks
from tests.reporting.builder import TERA
from tests.reporting.curved import curve, curved
from tests.reporting.test_report import HOSTILE, Tags, assert_rectangular


def blend(*names: str, flops: float | None = TERA, usd: float | None = None) -> ModelCurve:
    made = curve(f"{' + '.join(names)}, half the money each", 0.14, flops, usd)
    return replace(made, mix=dict(zip(names, (0.7, 0.3), strict=True)))


def with_mixture(*names: str) -> Results:
    return replace(curved(*names), mixtures=(blend(*(names or ("weak", "strong"))),))


def mixed(panel: Panel, study: Results) -> list[Line]:
    """The lines that have the mixture's mark."""
    mark = curve_marks(study)[study.mixtures[0].model]
    return [line for line in panel.lines if line.mark == mark]


@pytest.fixture(scope="module")
def made() -> Report:
    return report(with_mixture())


def test_its_line_has_a_mark_of_its_own_and_its_models_as_name() -> None:
    assert [line.label for line in mixed(cost_panel(with_mixture(), "coverage", "flops"), with_mixture())] == [
        "half weak, half strong (computed)"
    ]
    marks = curve_marks(with_mixture())
    models = model_marks(curved())
    assert {name: marks[name] for name in models} == dict(models)
    assert len({(mark.shape, mark.tone, mark.dash) for mark in marks.values()}) == len(models) + 1


def test_a_cell_of_the_same_models_has_the_same_mark() -> None:
    study = with_mixture()
    first = study.cells[0]
    both = replace(first, plan=replace(first.plan, cell=replace(first.plan.cell, arm="both"), models=("strong", "weak")))
    study = replace(study, cells=(*study.cells, both))
    assert curve_marks(study)[study.mixtures[0].model] == cell_marks(study)[both.plan.cell.name]


def test_the_models_numbers_are_what_they_are_without_it(made: Report) -> None:
    alone = report(curved()).tables["coverage_by_cost"].splitlines()
    found = made.tables["coverage_by_cost"].splitlines()
    assert found[: len(alone)] == alone
    assert all(line.startswith('"weak + strong, half the money each"') for line in found[len(alone) :])
    assert len(found) == len(alone) + 7


def test_it_stands_at_equal_cost_only(made: Report) -> None:
    assert mixed(draws_panel(with_mixture(), "coverage"), with_mixture()) == []
    assert "half the money" not in made.tables["coverage_by_draws"]


def test_what_it_is_stands_in_the_words_for_the_figure(made: Report) -> None:
    said = "weak + strong, half the money each: not drawn, but worked out from the models"
    assert said in made.figures["coverage_by_cost"]
    assert "k counts all of its draws, 70% weak and 30% strong." in made.markdown
    assert "weak + strong, half the money each: k 1 14.0%" in made.figures["coverage_by_cost"]


@pytest.mark.slow
def test_in_each_unit_its_own_money_is_halved() -> None:
    study = curved()
    first = study.cells[0]
    paid = replace(first, plan=replace(first.plan, cell=replace(first.plan.cell, budget="paid"), unit="usd", amount=4.0))
    curves = tuple(replace(c, cost=replace(c.cost, usd=0.002 * (i + 1))) for i, c in enumerate(study.curves))
    mixtures = blend("weak", "strong"), blend("weak", "strong", flops=None, usd=0.003)
    study = replace(study, cells=(*study.cells, paid), curves=curves, mixtures=mixtures)
    made = report(study)
    for name in ("coverage_by_cost", "coverage_by_cost_usd", "diversity_by_cost_usd"):
        assert made.tables[name].count('"weak + strong, half the money each"') == 7
    for unit in ("flops", "usd"):
        assert [line.label for line in mixed(cost_panel(study, "coverage", unit), study)] == ["half weak, half strong (computed)"]
    assert "0.003" in made.tables["coverage_by_cost_usd"]


@pytest.mark.slow
@pytest.mark.parametrize("names", [("a-model-with-a-long-name", "b"), (HOSTILE, "</svg><svg onload=alert(1)>")])
def test_names_that_are_long_or_hostile(names: tuple[str, str]) -> None:
    made = report(with_mixture(*names))
    for text in (made.html, made.markdown, *made.figures.values()):
        assert "<script" not in text
        assert "<svg onload" not in text
    labels = [line.label for line in cost_panel(with_mixture(*names), "coverage", "flops").lines]
    assert labels[2] == "mixture (computed)"
    assert_rectangular(made.markdown)
    assert Tags(made.html).open == []


@pytest.mark.slow
def test_without_costs_there_is_no_panel_to_stand_in() -> None:
    study = with_mixture()
    made = report(replace(study, curves=tuple(replace(c, cost=Cost()) for c in study.curves), mixtures=(), crossovers=(), model_pairs=()))
    assert "coverage_by_cost" not in made.figures

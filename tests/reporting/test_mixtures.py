"""A mixture's line beside the models': its own mark, its name at its end, its numbers in the table, and what it is in the caption."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from isocost.records import Cost, ModelCurve, Results
from isocost.reporting import Report, report
from isocost.reporting.marks import cell_marks, curve_marks, model_marks
from tests.reporting.builder import TERA
from tests.reporting.curved import curve, curved
from tests.reporting.test_curves import drawn, of_class
from tests.reporting.test_report import HOSTILE, Tags, assert_rectangular


def blend(*names: str, flops: float | None = TERA, usd: float | None = None) -> ModelCurve:
    made = curve(f"{' + '.join(names)}, half the money each", 0.14, flops, usd)
    return replace(made, mix=dict(zip(names, (0.7, 0.3), strict=True)))


def with_mixture(*names: str) -> Results:
    return replace(curved(*names), mixtures=(blend(*(names or ("weak", "strong"))),))


def line_and_name(root: ElementTree.Element, study: Results) -> tuple[int, list[str | None]]:
    """How many lines are drawn with the mixture's dash and colour, and what stands at their ends."""
    mark = curve_marks(study)[study.mixtures[0].model]
    lines = [each for each in of_class(root, f"curve full {mark.tone}") if each.get("stroke-dasharray") == mark.dash]
    return len(lines), [each.text for each in of_class(root, f"end haloed {mark.tone}")]


@pytest.fixture(scope="module")
def made() -> Report:
    return report(with_mixture())


def test_its_line_has_a_mark_of_its_own_and_its_name_at_its_end(made: Report) -> None:
    root = drawn(made, "coverage_by_cost")
    assert line_and_name(root, with_mixture()) == (1, ["weak + strong"])
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
    assert line_and_name(drawn(made, "coverage_by_draws"), with_mixture()) == (0, [])
    assert "half the money" not in made.tables["coverage_by_draws"]


def test_what_it_is_stands_in_the_caption_and_in_the_words_for_the_figure(made: Report) -> None:
    said = "weak + strong, half the money each: not drawn, but worked out from the models"
    assert made.html.count(said) >= 2
    assert "k counts all of its draws, 70% weak and 30% strong." in made.markdown
    description = " ".join(str(each.text) for each in drawn(made, "coverage_by_cost") if each.tag.endswith("desc"))
    assert "weak + strong, half the money each: k 1 14.0%" in description


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
        assert line_and_name(drawn(made, name), study) == (1, ["weak + strong"])
    assert "0.003" in made.tables["coverage_by_cost_usd"]


@pytest.mark.parametrize("names", [("a-model-with-a-long-name", "b"), (HOSTILE, "</svg><svg onload=alert(1)>")])
def test_names_that_are_long_or_hostile(names: tuple[str, str]) -> None:
    made = report(with_mixture(*names))
    for text in (made.html, made.markdown, *made.figures.values()):
        assert "<script" not in text
        assert "<svg onload" not in text
    root = ElementTree.fromstring(made.figures["coverage_by_cost"])
    ends = [each for each in root.iter() if str(each.get("class")).startswith("end ")]
    assert [each.text for each in ends].count("mixture") == 1
    assert_rectangular(made.markdown)
    assert Tags(made.html).open == []


def test_without_costs_there_is_no_panel_to_stand_in() -> None:
    study = with_mixture()
    made = report(replace(study, curves=tuple(replace(c, cost=Cost()) for c in study.curves), mixtures=(), crossovers=(), model_pairs=()))
    assert "coverage_by_cost" not in made.figures

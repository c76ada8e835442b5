"""The section on curves: what its figures show is what the records say, for any names, units and numbers of models."""

import csv
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from isocost.records import Cost
from isocost.reporting import Report, report
from isocost.reporting.curvefigures import cost_panel, draws_panel
from tests.reporting.builder import TERA, N, results
from tests.reporting.curved import CROSSOVER, curve, curved
from tests.reporting.test_report import HOSTILE, Tags, assert_rectangular

NAMES = ["coverage_by_cost", "coverage_by_draws", "diversity_by_cost", "diversity_by_draws"]


@pytest.fixture(scope="module")
def made() -> Report:
    return report(curved())


def test_four_figures_in_pairs_take_the_place_of_the_old_one(made: Report) -> None:
    assert [name for name in made.figures if name in NAMES] == NAMES
    assert [name for name in made.figures if name not in NAMES] == ["students_by_data", "coverage_by_cell"]
    places = [made.html.index(f'id="{name}-title"') for name in NAMES]
    assert places[0] < made.html.index('id="s-curves"') < places[1] < made.html.index('id="t-overlap"')  # the first leads the report
    assert places == sorted(places)
    assert made.markdown.index("figures/coverage_by_cost.svg") < made.markdown.index("**Models side by side")


def test_budgets_and_the_crossover_are_drawn(made: Report) -> None:
    panel = cost_panel(curved(), "coverage", "flops")
    assert [name for _, name in panel.guides] == ["wide", "low"]
    assert panel.crossing is not None
    assert (panel.crossing.at, panel.crossing.low, panel.crossing.high) == (4.0, 2.0, 7.0)  # TFLOPs, as the axis
    assert "Crossover 4.0 [2.0, 7.0] TFLOPs per problem." in made.markdown
    beside = draws_panel(curved(), "coverage")
    assert (list(beside.guides), beside.crossing) == ([], None)


@pytest.mark.parametrize("changes", [{"cost": 0.0}, {"ahead": None, "cost": None}, {"cost": 0.1 * TERA}, {"cost": 90 * TERA}])
def test_no_ring_where_there_is_no_crossover_in_the_figure(changes: dict[str, object]) -> None:
    study = replace(curved(), crossovers=(replace(CROSSOVER, **changes),))  # type: ignore[arg-type]
    assert cost_panel(study, "coverage", "flops").crossing is None


def test_the_numbers_behind_a_figure_are_in_its_table(made: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(made.tables["coverage_by_cost"])))
    study = curved()
    expected = [
        (c.model, str(k), repr(k * (c.cost.flops or 0)), e) for c in study.curves for k, e in zip(c.ks, c.measures["coverage"], strict=True)
    ]
    assert [(r["model"], r["k"], r["flops_per_problem"]) for r in rows] == [each[:3] for each in expected]
    for row, (*_, wanted) in zip(rows, expected, strict=True):
        found = [float(row[f"coverage_share{end}"]) for end in ("", "_low", "_high")]
        assert found == [wanted.value, wanted.low, wanted.high]


def test_hostile_names_stay_text_in_every_figure_and_table() -> None:
    made = report(curved(HOSTILE, "b" * 300, "</svg><svg onload=alert(1)>"))
    for text in (made.html, made.markdown, *made.figures.values()):
        assert "<script" not in text
        assert "<svg onload" not in text
        assert "\u202e" not in text
    for name in NAMES:
        root = ElementTree.fromstring(made.figures[name])
        assert root.tag.endswith("svg")
        assert not [each for each in root.iter() if each.tag.endswith("script") or any(key.startswith("on") for key in each.attrib)]
    assert made.tables["coverage_by_cost"].count("'=1") == 0
    assert_rectangular(made.markdown)
    assert Tags(made.html).open == []


def test_without_two_draws_of_any_model_there_is_no_figure() -> None:
    made = report(replace(curved(), curves=(curve("weak", 0.1, TERA, ks=(1,)), curve("strong", 0.3, 3 * TERA, ks=(1,)))))
    assert not set(NAMES) & set(made.figures)


@pytest.mark.slow
def test_costs_that_are_not_known_leave_the_panel_at_equal_numbers() -> None:
    study = curved()
    made = report(replace(study, curves=tuple(replace(c, cost=Cost()) for c in study.curves), crossovers=(), model_pairs=()))
    assert [name for name in made.figures if name in NAMES] == ["coverage_by_draws", "diversity_by_draws"]


@pytest.mark.slow
def test_budgets_in_two_units_have_a_figure_each() -> None:
    study = curved()
    first = study.cells[0]
    paid = replace(first, plan=replace(first.plan, cell=replace(first.plan.cell, budget="paid"), unit="usd", amount=4.0))
    curves = tuple(replace(c, cost=replace(c.cost, usd=0.002 * (i + 1))) for i, c in enumerate(study.curves))
    made = report(replace(study, cells=(*study.cells, paid), curves=curves))
    assert {"coverage_by_cost", "coverage_by_cost_usd", "diversity_by_cost_usd"} <= set(made.figures)
    assert "usd_per_problem" in made.tables["coverage_by_cost_usd"].splitlines()[0]


def test_why_a_model_has_no_curve_is_said() -> None:
    assert "far has no curve: nothing was drawn." in report(replace(curved(), without_curve={"far": "nothing was drawn"})).html


@pytest.mark.slow
def test_problems_left_out_of_a_curve_are_counted() -> None:
    short = curve("weak", 0.2, TERA)
    fewer = replace(short, measures={"coverage": tuple(replace(e, n=N - 7) for e in short.measures["coverage"])})
    assert "leaves out 7 of 400 problems" in report(replace(curved(), curves=(fewer,))).html


@pytest.mark.slow
def test_five_models_stay_small_and_readable() -> None:
    long = tuple(range(1, 101))
    names = ["weak", "strong", "far", "fourth", "fifth"]
    study = replace(curved(*names), curves=tuple(curve(name, 0.02 * (i + 1), TERA * (i + 1), ks=long) for i, name in enumerate(names)))
    made = report(study)
    assert all(len(figure) < 120_000 for figure in made.figures.values())
    without = re.sub(r'<svg [^>]*class="figure".*?</svg>', "", made.html, flags=re.DOTALL)
    assert len(without.encode()) < 150_000


@pytest.mark.slow
def test_crossovers_and_overlap_keep_full_numbers() -> None:
    made = report(curved())
    crossing = next(csv.DictReader(io.StringIO(made.tables["crossovers"])))
    assert (crossing["cost"], crossing["cost_low"], crossing["cost_high"], crossing["reach"]) == (
        "4000000000000.0", "2000000000000.0", "7000000000000.0", "9000000000000.0",
    )  # fmt: skip
    overlap = list(csv.DictReader(io.StringIO(made.tables["overlap"])))
    assert [(row["solved_by"], row["share"], row["share_n"]) for row in overlap[:4]] == [
        ("only weak", "0.2", "400"), ("only strong", "0.1", "400"), ("both", "0.4", "400"), ("neither", "0.3", "400"),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_budget_far_beyond_the_curves_is_told_and_not_drawn() -> None:
    made = report(curved(cost=0.001 * TERA))
    assert not cost_panel(curved(cost=0.001 * TERA), "coverage", "flops").guides
    assert "Budgets far beyond what was drawn: wide (2.1 TFLOPs per problem), low (2.6 TFLOPs per problem)." in made.html


def test_a_study_without_curves_has_no_section_on_them() -> None:
    made = report(results())
    assert 'id="s-curves"' not in made.html
    assert 'id="t-overlap"' not in made.html

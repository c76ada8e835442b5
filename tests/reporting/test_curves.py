"""The section on curves: what its figures show is what the records say, for any names, units and numbers of models."""

import csv
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from isocost.records import Cost
from isocost.reporting import Report, report
from isocost.reporting.endlabels import Label, placed
from tests.reporting.builder import TERA, N, results
from tests.reporting.curved import CROSSOVER, curve, curved
from tests.reporting.test_report import HOSTILE, Tags, assert_rectangular

NAMES = ["coverage_by_cost", "coverage_by_draws", "diversity_by_cost", "diversity_by_draws"]


@pytest.fixture(scope="module")
def made() -> Report:
    return report(curved())


def drawn(made: Report, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(made.figures[name])


def of_class(root: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [each for each in root.iter() if each.get("class") == kind]


def ordinates(root: ElementTree.Element) -> dict[float, float]:
    """What each grid line stands for, by its height."""
    heights = [float(str(each.get("d")).split()[1].split("L")[0]) for each in of_class(root, "grid")]
    labels = [float(str(each.text)) for each in of_class(root, "tick") if each.get("text-anchor") == "end"]
    return dict(zip(labels[: len(heights)], heights, strict=True))


def test_four_figures_in_pairs_take_the_place_of_the_old_one(made: Report) -> None:
    assert [name for name in made.figures if name in NAMES] == NAMES
    assert [name for name in made.figures if name not in NAMES] == ["students_by_data", "coverage_by_cell"]
    assert made.html.index(">At equal cost<") < made.html.index(">At equal numbers<")
    assert made.html.index('id="s-curves"') < made.html.index(">At equal cost<") < made.html.index('id="t-overlap"')
    assert made.markdown.index("figures/coverage_by_cost.svg") < made.markdown.index("**Models side by side")


def test_marks_stand_where_the_numbers_are(made: Report) -> None:
    root = drawn(made, "coverage_by_cost")
    (low, bottom), *_, (high, top) = sorted(ordinates(root).items())
    marks = of_class(root, "mark blue")
    heights = [float(re.findall(r"M[\d.]+ ([\d.]+)", str(each.get("d")))[0]) for each in marks]
    values = [low + (bottom - y) / (bottom - top) * (high - low) for y in heights]
    expected = [100 * (1 - 0.9**k) for k in (1, 2, 5, 10, 20, 30)]
    assert values == pytest.approx(expected, abs=0.3)
    places = [float(re.findall(r"M([\d.]+)", str(each.get("d")))[0]) for each in marks]
    assert places[2] - places[1] > places[1] - places[0] > 0  # from 2 to 5 draws is further than from 1 to 2
    assert places[1] - places[0] == pytest.approx(places[4] - places[3], abs=0.2)  # a doubling is as wide anywhere


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


def test_lines_differ_in_more_than_colour(made: Report) -> None:
    root = drawn(made, "coverage_by_cost")
    dashes = {tone: of_class(root, f"curve full {tone}")[0].get("stroke-dasharray") for tone in ("blue", "orange")}
    assert dashes["blue"] is None
    assert dashes["orange"]
    assert [each.text for tone in ("blue", "orange") for each in of_class(root, f"end haloed {tone}")] == ["weak", "strong"]


def test_budgets_and_the_crossover_are_drawn(made: Report) -> None:
    root = drawn(made, "coverage_by_cost")
    assert len(of_class(root, "guide")) == 2
    assert {"low", "wide", "crossover 4.0 [2.0, 7.0] TFLOPs"} == {each.text for each in of_class(root, "tick haloed")}
    assert not of_class(drawn(made, "coverage_by_draws"), "guide")
    assert "Crossover at crossover" not in made.markdown


@pytest.mark.parametrize("changes", [{"cost": 0.0}, {"ahead": None, "cost": None}, {"cost": 0.1 * TERA}, {"cost": 90 * TERA}])
def test_no_ring_where_there_is_no_crossover_in_the_figure(changes: dict[str, object]) -> None:
    study = replace(curved(), crossovers=(replace(CROSSOVER, **changes),))  # type: ignore[arg-type]
    root = drawn(report(study), "coverage_by_cost")
    assert not [each for each in root.iter() if each.tag.endswith("circle")]


def test_both_panels_of_a_measure_have_one_height(made: Report) -> None:
    for measure in ("coverage", "diversity"):
        assert ordinates(drawn(made, f"{measure}_by_cost")) == ordinates(drawn(made, f"{measure}_by_draws"))


def test_hostile_names_stay_text_in_every_figure_and_table() -> None:
    made = report(curved(HOSTILE, "b" * 300, "</svg><svg onload=alert(1)>"))
    for text in (made.html, made.markdown, *made.figures.values()):
        assert "<script" not in text
        assert "<svg onload" not in text
        assert "\u202e" not in text
    for name in NAMES:
        root = ElementTree.fromstring(made.figures[name])
        width = float(str(root.get("viewBox")).split()[2])
        ends = [each for each in root.iter() if str(each.get("class")).startswith("end ")]
        assert len(ends) == 3
        assert all(float(str(each.get("x"))) + 6.5 * len(str(each.text)) <= width for each in ends)
    assert made.tables["coverage_by_cost"].count("'=1") == 0
    assert_rectangular(made.markdown)
    assert Tags(made.html).open == []


def test_one_point_and_unequal_lengths() -> None:
    study = replace(curved(), curves=(curve("weak", 0.1, TERA, ks=(1, 2, 3)), curve("strong", 0.3, 3 * TERA, ks=(1,))))
    root = drawn(report(study), "coverage_by_cost")
    assert len(of_class(root, "bar orange")) == 1
    assert len(of_class(root, "mark orange")) == 1
    assert not of_class(root, "curve full orange")
    assert len(of_class(root, "curve part orange")) == 1


def test_without_two_draws_of_any_model_there_is_no_figure() -> None:
    made = report(replace(curved(), curves=(curve("weak", 0.1, TERA, ks=(1,)), curve("strong", 0.3, 3 * TERA, ks=(1,)))))
    assert not set(NAMES) & set(made.figures)
    assert "No curve is drawn: that needs two graded draws" in made.html


def test_costs_that_are_not_known_leave_the_panel_at_equal_numbers() -> None:
    study = curved()
    made = report(replace(study, curves=tuple(replace(c, cost=Cost()) for c in study.curves), crossovers=(), model_pairs=()))
    assert [name for name in made.figures if name in NAMES] == ["coverage_by_draws", "diversity_by_draws"]


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


def test_problems_left_out_of_a_curve_are_counted() -> None:
    short = curve("weak", 0.2, TERA)
    fewer = replace(short, measures={"coverage": tuple(replace(e, n=N - 7) for e in short.measures["coverage"])})
    assert "leaves out 7 of 400 problems" in report(replace(curved(), curves=(fewer,))).html


def test_five_models_stay_small_and_readable() -> None:
    long = tuple(range(1, 101))
    names = ["weak", "strong", "far", "fourth", "fifth"]
    study = replace(curved(*names), curves=tuple(curve(name, 0.02 * (i + 1), TERA * (i + 1), ks=long) for i, name in enumerate(names)))
    made = report(study)
    assert all(len(figure) < 40_000 for figure in made.figures.values())
    without = re.sub(r'<svg [^>]*class="figure".*?</svg>', "", made.html, flags=re.DOTALL)
    assert len(without.encode()) < 150_000


def test_names_at_the_ends_of_lines_do_not_lie_on_each_other_or_on_lines() -> None:
    labels = [Label(text="strong", x=200, y=100 + i, tone="blue") for i in range(4)]
    through = [(150.0, 101.0), (300.0, 101.0)]
    found = placed(labels, [through])
    assert all(not a.overlaps(b) for i, a in enumerate(found) for b in found[:i])
    assert not any(label.hides(x, 101.0) for label in found for x in range(150, 300))
    assert placed(labels[:1], []) == labels[:1]


def test_a_name_that_a_steep_line_keeps_from_the_end_of_its_own_stands_over_that_end() -> None:
    own, steep = [(100.0, 180.0), (200.0, 100.0)], [(205.0, 200.0), (240.0, 20.0)]
    (found,) = placed([Label(text="weak", x=208, y=104, tone="blue")], [own, steep])
    assert found.x + 7 * len(found.text) < 200
    assert 70 < found.y < 100
    assert not any(found.hides(x, 180 - 0.8 * (x - 100)) for x in range(100, 200))


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


def test_a_budget_far_beyond_the_curves_is_told_and_not_drawn() -> None:
    made = report(curved(cost=0.001 * TERA))
    assert not of_class(drawn(made, "coverage_by_cost"), "guide")
    assert "Budgets far beyond what was drawn: wide (2.1 TFLOPs), low (2.6 TFLOPs)." in made.html


def test_a_study_without_curves_says_so() -> None:
    made = report(results())
    assert "No curve is drawn" in made.html
    assert 'id="t-overlap"' not in made.html

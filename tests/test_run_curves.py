"""What a run says of its models side by side: curves, crossovers and overlap of a small table that is worked out by hand."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from isocost.running import run, runs
from tests.builders import InlineExecutor, Rows, raw_study, recorded, write_problems, write_study, write_table

WEAK = {"p00": "....", "p01": "a...", "p02": "aa..", "p03": "aabc"}  # a draw each: its correct text, or a wrong one
MIXTURE = "weak + strong, half the money each"
STRONG = {"p00": "a.", "p01": "aa", "p02": "b.", "p03": "ab"}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


def table(drawn: dict[str, dict[str, str]]) -> Rows:
    return [
        {
            "problem_id": problem,
            "model": model,
            "sample_index": index,
            "generation": f"Way {text} #### {int(problem[1:]) + (8 if text == '.' else 7)}",
            "num_prompt_tokens": 9,
            "num_generated_tokens": 10,
            "finish_reason": "stop",
        }
        for model, of in drawn.items()
        for problem, texts in of.items()
        for index, text in enumerate(texts)
    ]


def by_hand(folder: Path, **changes: Any) -> Path:
    """Four problems; weak draws cost 20,000 FLOPs and strong ones twice that, and the budget is 80,000 a problem."""
    write_problems(folder, 4)
    write_table(folder, table({"weak": WEAK, "strong": STRONG}))
    raw = raw_study(
        models={
            name: {"engine": "replay", "table": "table.parquet", "model": name, "params": params, "tokens_per_sample": 10}
            for name, params in (("weak", 1000), ("strong", 2000))
        },
        arms={"weak": {"models": ["weak"]}, "strong": {"models": ["strong"]}},
        **changes,
    )
    (folder / "study.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    return folder / "study.yaml"


def rows(out: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "tables" / f"{name}.csv").read_text().splitlines()))


def column(found: list[dict[str, str]], name: str, **where: str) -> list[float]:
    return [float(row[name]) for row in found if all(row[key] == value for key, value in where.items())]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by_hand")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "LocalExecutor", InlineExecutor)
        run(by_hand(folder), folder / "run")
    return folder / "run"


def test_curves_are_those_worked_out_by_hand(out: Path) -> None:
    found = rows(out, "coverage_by_cost")
    assert column(found, "flops_per_problem", model="weak") == pytest.approx([20_000, 40_000, 60_000, 80_000])
    assert column(found, "flops_per_problem", model="strong") == pytest.approx([40_000, 80_000])
    weak = [(0 + 1 / 4 + 1 / 2 + 1) / 4, (0 + 1 / 2 + 5 / 6 + 1) / 4, (0 + 3 / 4 + 1 + 1) / 4, 3 / 4]
    assert column(found, "coverage_share", model="weak") == pytest.approx(weak)
    assert column(found, "coverage_share", model="strong") == pytest.approx([(1 / 2 + 1 + 1 / 2 + 1) / 4, 1])
    distinct = rows(out, "diversity_by_cost")
    assert column(distinct, "diversity", model="weak")[::3] == pytest.approx([weak[0], (0 + 1 + 1 + 3) / 4])
    assert column(distinct, "diversity", model="strong") == pytest.approx([3 / 4, (1 + 1 + 1 + 2) / 4])
    assert {row["coverage_n"] for row in found} == {"4"}


def test_the_same_curves_stand_against_draws(out: Path) -> None:
    for measure, key in (("coverage", "coverage_share"), ("diversity", "diversity")):
        by_cost, by_draws = rows(out, f"{measure}_by_cost"), rows(out, f"{measure}_by_draws")
        assert [(r["model"], r["k"], r[key], r[f"{key}_low"]) for r in by_cost if r["model"] != MIXTURE] == [
            (r["model"], r["k"], r[key], r[f"{key}_low"]) for r in by_draws
        ]
        titles = [
            re.findall(r"<title[^>]*>([^<]+)<", (out / "figures" / f"{measure}_by_{way}.svg").read_text())[0] for way in ("cost", "draws")
        ]
        assert [title.rpartition(" at ")[2] for title in titles] == ["equal cost", "equal numbers"]


def test_half_the_money_each_is_worked_out_from_both_pools(out: Path) -> None:
    """Half the budget of 80,000 buys two draws of weak or one of strong; a text that both wrote is one solution."""
    found = rows(out, "coverage_by_cost")
    assert column(found, "flops_per_problem", model=MIXTURE) == pytest.approx([80_000 * k / 3 for k in range(1, 7)])
    assert column(found, "coverage_share", model=MIXTURE)[2] == pytest.approx((1 / 2 + 1 + (1 - 1 / 6 * 1 / 2) + 1) / 4)
    distinct = [1 / 2, 1, 5 / 6 + 1 / 2, (1 - 1 / 6 * 1 / 2) + (1 - 1 / 2 * 1 / 2) + 1 / 2]
    assert column(rows(out, "diversity_by_cost"), "diversity", model=MIXTURE)[2] == pytest.approx(sum(distinct) / 4)
    assert column(rows(out, "diversity_by_cost"), "diversity", model=MIXTURE)[5] == pytest.approx((1 + 1 + 2 + 3) / 4)
    assert (
        "not drawn, but worked out from the models' own draws; k counts all of its draws, 67% weak and 33% strong"
        in (out / "figures" / "coverage_by_cost.svg").read_text()
    )


@pytest.mark.slow
def test_a_mixture_of_models_that_have_no_curve_is_not_drawn(tmp_path: Path) -> None:
    arms = {"weak": {"models": ["weak"], "policy": "isocost.policies.uniform:build"}, "strong": {"models": ["strong"]}}
    run(write_study(tmp_path, arms=arms), tmp_path / "run")
    assert " + " not in (tmp_path / "run" / "tables" / "coverage_by_cost.csv").read_text()


def test_the_crossover_is_where_two_straight_lines_meet(out: Path) -> None:
    (found,) = (row for row in rows(out, "crossovers") if row["measure"] == "Coverage")
    gaps = 7 / 16 - 3 / 8, 7 / 12 - 3 / 4  # weak less strong at 20,000, where strong buys half a draw, and at 40,000
    assert float(found["cost"]) == pytest.approx(20_000 + 20_000 * gaps[0] / (gaps[0] - gaps[1]))
    assert found["ahead"] == "strong"
    assert float(found["reach"]) == pytest.approx(80_000)
    text = (out / "figures" / "coverage_by_cost.svg").read_text()
    assert "Crossover 25.5 [" in text


def test_models_stand_side_by_side_at_the_budget_and_at_equal_numbers(out: Path) -> None:
    found = [row for row in rows(out, "models_side_by_side") if row["measure"].startswith("Coverage")]
    assert [row["draws"] for row in found] == ["4 and 2", "2 and 2"]
    assert column(found, "difference") == pytest.approx([-1 / 4, 7 / 12 - 1])
    assert [row["where"] for row in found] == ["low, 80000.0 FLOPs per problem", "2 draws each"]


def test_overlap_at_the_budget_adds_up_to_all_problems(out: Path) -> None:
    found = rows(out, "overlap")
    at_budget, at_numbers = found[:4], found[4:]
    assert [row["solved_by"] for row in at_budget] == ["only weak", "only strong", "both", "neither"]
    assert column(at_budget, "share") == pytest.approx([0, 1 / 4, 3 / 4, 0])
    assert column(at_numbers, "share") == pytest.approx([0, 5 / 12, 7 / 12, 0])
    assert all(float(row["share_low"]) < float(row["share_high"]) for row in found)
    assert {row["share_n"] for row in found} == {"4"}


def test_one_draw_a_problem_makes_no_figure(tmp_path: Path) -> None:
    run(by_hand(tmp_path), tmp_path / "run", settings=["arms={one: {models: [strong], samples_per_problem: 1}}", "budgets={}"])
    html = (tmp_path / "run" / "report.html").read_text()
    assert {path.stem for path in (tmp_path / "run" / "figures").iterdir()} == {"coverage_by_cell"}
    assert 'id="s-curves"' not in html


@pytest.mark.slow
def test_a_fraction_of_a_draw_ends_the_curve_at_the_whole_ones(tmp_path: Path) -> None:
    run(write_study(tmp_path), tmp_path / "run", settings=["budgets.low.match.samples_per_problem=2.5"])
    found = rows(tmp_path / "run", "coverage_by_cost")
    assert {model: max(column(found, "k", model=model)) for model in ("weak", "strong")} == {"weak": 7, "strong": 2}
    assert {row["coverage_n"] for row in found} == {"30"}
    assert "leaves out" not in (tmp_path / "run" / "report.html").read_text()


def test_a_problem_whose_draws_failed_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    draws = [
        row | {"finish_reason": "error"} if (row["model"], row["problem_id"]) == ("strong", "p03") else row for row in recorded(30, 12)
    ]
    write_table(tmp_path, draws)
    run(study, tmp_path / "run")
    found = rows(tmp_path / "run", "coverage_by_cost")
    assert {row["coverage_n"] for row in found if row["model"] == "strong"} == {"29"}
    assert {row["coverage_n"] for row in found if row["model"] == "weak"} == {"30"}
    assert {row["n"] for row in rows(tmp_path / "run", "models_side_by_side")} == {"29"}
    assert "strong: its curve goes to 2 graded draws and leaves out 1 of 30 problems" in (tmp_path / "run" / "report.html").read_text()


def test_a_policy_that_may_look_at_outcomes_gives_no_curve(tmp_path: Path) -> None:
    arms = {"weak": {"models": ["weak"], "policy": "isocost.policies.uniform:build"}, "strong": {"models": ["strong"]}}
    run(write_study(tmp_path, arms=arms), tmp_path / "run")
    found = rows(tmp_path / "run", "coverage_by_cost")
    assert {row["model"] for row in found} == {"strong", "weak@low"}
    # Its cell is a point at its cost, with no number of draws.
    assert [row["k"] for row in found if row["model"] == "weak@low"] == [""]
    assert "weak has no curve: how often it drew may depend on outcomes" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.slow
def test_excluded_problems_are_counted_with_their_reasons(tmp_path: Path) -> None:
    write_problems(tmp_path, 4)
    study = by_hand(tmp_path)
    run(study, tmp_path / "run", settings=["grader.name=tests.builders:Choosy"])
    html = (tmp_path / "run" / "report.html").read_text()
    assert "3 training problems; 1 excluded." in html
    assert rows(tmp_path / "run", "excluded") == [{"problem_id": "p03", "reason": "bad_reference"}]
    assert "bad_reference: 1." in html
    assert {row["coverage_n"] for row in rows(tmp_path / "run", "coverage_by_cost")} == {"3"}

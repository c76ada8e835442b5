"""Mixtures as `isocost measure --mix` shows them: joined from texts by hand, on the problems all models reached, asked for in words."""

import json
from math import ceil, floor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isocost.cli import app
from isocost.errors import InputError
from isocost.measuring import survey, survey_json, survey_markdown
from isocost.measuring.draws import load
from isocost.measuring.mixing import shares_of
from isocost.measuring.mixtures import Mixture, mixture
from isocost.measuring.models import models
from isocost.metrics.diversity import Level, distinct_key
from isocost.metrics.mixtures import mixture_coverage, mixture_diversity
from tests.test_surveys import GAME24, SCHEMA, TABLE, random_table, stopped_table

WEAK_STRONG = ["weak+strong"]


def mixed(table: pl.DataFrame, *mixes: str | dict[str, float], levels: tuple[Level, ...] = ("string",)) -> Mixture:
    return survey(table, [1], levels=levels, mixes=mixes).mixtures[0]


def small(weak: dict[str, list[str]], strong: dict[str, list[str]], tokens: tuple[int, int] = (10, 10)) -> pl.DataFrame:
    """Each draw's text; one that begins with w is wrong."""
    rows = [
        (problem, model, index, not text.startswith("w"), text, None, cost, "")
        for (model, of), cost in zip((("weak", weak), ("strong", strong)), tokens, strict=True)
        for problem, texts in of.items()
        for index, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_by_hand() -> None:
    """Strong costs three times as much: of four draws of the mixture one is strong. The text that both wrote is one solution."""
    table = small({"p": ["a", "b", "w", "w"], "q": ["w", "w", "w", "w"]}, {"p": ["a", "c"], "q": ["w", "a"]}, (10, 30))
    found = mixed(table, "weak+strong")
    assert found.draws == pytest.approx({"weak": 0.75, "strong": 0.25})
    assert [point.cost for point in found.points] == pytest.approx([15 * k for k in range(1, 6)])  # at 5.3 weak has none left
    at_four = found.points[3].values  # three draws of weak, one of strong
    assert at_four["coverage"].value == pytest.approx((1 + 1 / 2) / 2)
    a, b, c = 1 - (1 / 4) * (1 / 2), 3 / 4, 1 / 2
    assert at_four["diversity"].value == pytest.approx((a + b + c + 1 / 2) / 2)
    assert at_four["diversity"].n == 2


def test_unequal_shares_buy_what_their_money_buys() -> None:
    found = mixed(TABLE, {"weak": 1, "strong": 3})
    assert found.shares == {"weak": 0.25, "strong": 0.75}
    each = {name: float(str(TABLE.filter(pl.col("model") == name)["num_generated_tokens"].mean())) for name in ("weak", "strong")}
    for point in (found.points[0], found.points[-1]):
        spent = {name: point.k * found.draws[name] * each[name] for name in each}
        assert spent == pytest.approx({"weak": 0.25 * point.cost, "strong": 0.75 * point.cost})
    last = found.points[-1].k
    assert last * found.draws["strong"] <= 12 < (last + 1) * found.draws["strong"]


@pytest.mark.parametrize("level", ["string", "normalised", "equations"])
def test_every_point_is_the_estimators_on_texts_counted_by_hand(level: Level) -> None:
    table = random_table(("weak", "strong", "other"), 35, 9)
    found = mixed(table, "other+weak+strong", levels=(level,))
    names, problems = ["other", "weak", "strong"], sorted(set(table["problem_id"]))
    keys: dict[tuple[int, str], list[int]] = {}
    correct = np.zeros((3, len(problems)), dtype=int)
    for model, problem, text in table.filter("correct").select("model", "problem_id", "generation").iter_rows():
        m, p = names.index(model), problems.index(problem)
        correct[m, p] += 1
        keys.setdefault((p, distinct_key(text, level)), [0, 0, 0])[m] += 1
    ks = np.array([point.k for point in found.points])
    draws = np.array(list(found.draws.values()))[:, None] * ks
    drawn = np.full((3, len(problems)), 9)
    distinct = mixture_diversity(drawn, [p for p, _ in keys], np.array(list(keys.values())).T, draws).mean(axis=0)
    kind = "diversity" if level == "string" else f"diversity_{level}"
    assert [point.values[kind].value for point in found.points] == pytest.approx(distinct.tolist())
    covered = mixture_coverage(drawn, correct, draws).mean(axis=0)
    assert [point.values["coverage"].value for point in found.points] == pytest.approx(covered.tolist())


def test_a_mixture_stands_beside_its_models_at_equal_money() -> None:
    found = survey(TABLE, [1], levels=("string",), mixes=WEAK_STRONG)
    beside = found.mixtures[0].beside
    assert [row.k for row in beside[:3]] == [1, 2, 5]
    row = beside[2]
    for model, curve in found.curves.items():
        k = row.draws[model]
        ends = [curve[i - 1].values["coverage"].value or 0.0 for i in (floor(k), ceil(k))]
        assert row.alone[model]["coverage"].value == pytest.approx(ends[0] + (k - floor(k)) * (ends[1] - ends[0]))
        assert k * curve[0].cost == pytest.approx(row.cost)
        gap = (row.mixture["coverage"].value or 0) - (row.alone[model]["coverage"].value or 0)
        assert row.minus[model]["coverage"].value == pytest.approx(gap)
    assert set(beside[0].draws) == {"weak", "strong"}
    assert set(beside[-1].draws) == {"strong"}  # weak has no more draws


def test_problems_that_a_model_did_not_reach_are_left_out() -> None:
    short = TABLE.filter((pl.col("problem_id") != "p3") | (pl.col("model") == "weak") | (pl.col("sample_index") < 4))
    assert {point.values["coverage"].n for point in mixed(short, "weak+strong").points} == {39}
    elsewhere = TABLE.filter((pl.col("model") == "weak") == pl.col("problem_id").is_in(["p1", "p2"]))
    found = mixed(elsewhere, "weak+strong")
    assert not found.points
    assert "share no problem" in str(found.why)


def test_ungraded_draws_are_counted_on_the_side_they_belong_to_and_paid() -> None:
    some = TABLE.with_columns(correct=pl.when((pl.col("model") == "weak") | (pl.col("sample_index") > 2)).then("correct"))
    whole, row = mixed(TABLE, "weak+strong"), mixed(some, "weak+strong").beside[0]
    assert row.mixture["coverage"].n_ungraded == row.alone["strong"]["coverage"].n_ungraded == 3 * 40
    assert row.alone["weak"]["coverage"].n_ungraded == 0
    assert row.cost > whole.beside[0].cost


def test_draws_that_look_stopped_make_no_mixture_unless_asked() -> None:
    table = pl.concat([stopped_table().with_columns(model=pl.lit("weak")), random_table(("strong",), 120)])
    found = survey(table, [1], levels=(), mixes=WEAK_STRONG)
    assert not found.mixtures[0].points
    assert "weak + strong, equal money each: no curve; the draws of one of its models look stopped" in survey_markdown(found)
    assert survey(table, [1], levels=(), mixes=WEAK_STRONG, as_fixed=True).mixtures[0].points


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("weak+stronk", 'no model "stronk"\n  did you mean "strong"'),
        ("weak=1,stronk=2", 'no model "stronk"'),
        ("weak", "is one model"),
        ("weak=3", "is one model"),
        ("weak+weak", "twice"),
        ("weak=1,strong=0", 'above 0, found "0"'),
        ("weak=1,strong=-2", 'above 0, found "-2"'),
        ("weak=1,strong=", 'above 0, found ""'),
        ("weak=1,strong=inf", "above 0"),
        ("weak=1e308,strong=1e308", "from 1e-100 to 1e+100"),
        ("weak=1,strong=1e-320", "from 1e-100 to 1e+100"),
        ("weak=1,strong", "is not a mixture"),
        ("", "is not a mixture"),
        ("weak+", "is not a mixture"),
        ({"weak": 1, "stronk": 2}, "no model"),
        ({}, "is one model"),
    ],
)
def test_what_is_no_mixture_is_said_in_a_line(asked: str | dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=r"^--mix") as error:
        shares_of(asked, ["weak", "strong"])
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) <= 2


def test_names_that_hold_the_signs_of_the_form() -> None:
    known = ["gpt+cot", "gpt", "a=b", "x,y"]
    assert shares_of("gpt+gpt+cot", known) == {"gpt": 0.5, "gpt+cot": 0.5}
    assert shares_of("gpt+cot+a=b", known) == {"gpt+cot": 0.5, "a=b": 0.5}
    assert shares_of("x,y=1,a=b=3", known) == {"x,y": 0.25, "a=b": 0.75}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TABLE.drop("num_generated_tokens"), "not known"),
        (TABLE.with_columns(num_generated_tokens=pl.when(pl.col("sample_index") > 0).then("num_generated_tokens")), "not known"),
        (TABLE.with_columns(cost=pl.lit(0.0)), "is 0"),
    ],
)
def test_costs_must_be_known(table: pl.DataFrame, words: str) -> None:
    with pytest.raises(InputError, match=words):
        survey(table, [1], mixes=WEAK_STRONG)


def test_solutions_are_joined_only_where_they_were_identified() -> None:
    draws = load(TABLE.lazy())
    cost = np.ones(draws.model.size)
    plain = models(TABLE.lazy(), draws, (), levels=("string",), cost=cost, votes=False)
    assert plain[0].solutions["diversity"].digests is None
    with pytest.raises(ValueError, match="identified"):
        mixture(plain, [0.5, 0.5])


def test_json_and_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TABLE.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(SystemExit) as stopped:
        app([str(x) for x in ("measure", tmp_path / "t.parquet", "--json", "--mix", "weak+strong", "--mix", "weak=1,strong=3")])
    assert stopped.value.code == 0
    found = json.loads(capsys.readouterr().out)["mixtures"]
    assert [each["shares"] for each in found] == [{"weak": 0.5, "strong": 0.5}, {"weak": 0.25, "strong": 0.75}]
    assert {"k", "cost", "coverage", "diversity", "diversity_normalised", "diversity_equations"} == set(found[0]["curve"][0])
    assert set(found[0]["beside"][0]["models"]["weak"]) == {"draws", "alone", "mixture_minus_model"}
    assert survey_json(survey(TABLE, [1]))["mixtures"] == []


def test_hostile_names_break_no_table() -> None:
    names = ("a|b\n| c |\x1b[31m", "<script>\u202e")
    text = survey_markdown(survey(random_table(names, 31), [1], levels=("string",), mixes=[dict.fromkeys(names, 1.0)]))
    assert not {"\x1b", "\u202e", "<script>"} & {text[i : i + n] for n in (1, 8) for i in range(len(text))}
    rows = [line.replace("\\|", "") for line in text.split("## Mixtures")[1].splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {8}


def test_half_and_half_of_the_two_prompts_covers_more_than_either() -> None:
    if not GAME24.exists():
        pytest.skip(f"needs {GAME24}")
    table = pl.read_parquet(GAME24)
    found = mixed(table, "gpt4-answer-only+gpt4-steps")
    last = next(row for row in reversed(found.beside) if len(row.draws) == 2)
    assert last.k == 63
    assert last.mixture["coverage"].value == pytest.approx(0.428, abs=0.001)
    assert [last.alone[model]["coverage"].value for model in found.shares] == pytest.approx([0.333, 0.365], abs=0.001)

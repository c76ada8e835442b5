import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isocost.costs.given import GivenCosts
from isocost.errors import InputError, RunDirectoryError, TableError
from isocost.measuring import level_list, survey, survey_file, survey_json, survey_markdown
from isocost.measuring.draws import load
from isocost.measuring.models import coverage, diversity, models
from isocost.measuring.solutions import solutions
from isocost.metrics.coverage import coverage_curve
from isocost.metrics.diversity import Level, distinct_key, diversity_curve
from isocost.tables import scan_table

GAME24 = Path(__file__).parents[2] / "shared/data/pool_game24.parquet"
SCHEMA = {
    "problem_id": pl.String,
    "model": pl.String,
    "sample_index": pl.Int64,
    "correct": pl.Boolean,
    "generation": pl.String,
    "predicted_answer": pl.String,
    "num_generated_tokens": pl.Int64,
    "level": pl.String,
}


def random_table(models: tuple[str, ...] = ("weak", "strong"), problems: int = 40, draws: int = 12, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for place, model in enumerate(models):
        for problem, rate in enumerate(rng.beta(0.5 + place, 1, problems)):
            for index in range(draws):
                correct = bool(rng.random() < rate)
                text = f"{rng.integers(3)} + 1{' ' * rng.integers(1, 3)}= {rng.integers(5)}"
                answer = "24" if correct else str(rng.integers(4))
                rows.append((f"p{problem}", model, index, correct, text, answer, 10 + 20 * place + rng.integers(5), f"{problem % 3}"))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


TABLE = random_table()


def stopped_table(problems: int = 120) -> pl.DataFrame:
    """Stopped at the first correct draw, at most 12."""
    table = random_table(("m",), problems)
    before = pl.col("correct").cast(pl.Int64).cum_sum().over("problem_id") - pl.col("correct").cast(pl.Int64)
    return table.filter(before == 0)


@pytest.mark.parametrize("level", ["string", "normalised", "equations"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_classes_by_digest_are_those_of_the_texts(level: Level, shuffled: bool, tmp_path: Path) -> None:
    table = TABLE.sample(fraction=1, shuffle=True, seed=1) if shuffled else TABLE
    table.write_parquet(tmp_path / "t.parquet", row_group_size=100)
    lazy = scan_table(str(tmp_path / "t.parquet"))
    draws = load(lazy)
    found = solutions(lazy, draws, level)
    expected: dict[tuple[str, str, str], int] = {}
    for model, problem, text in table.filter("correct").select("model", "problem_id", "generation").iter_rows():
        key = (model, problem, distinct_key(text, level))
        expected[key] = expected.get(key, 0) + 1
    names = [(draws.models[draws.model[g]], draws.problems[draws.problem[g]]) for g in found.group]
    assert sorted((*name, n) for name, n in zip(names, found.count.tolist(), strict=True)) == sorted(
        (model, problem, n) for (model, problem, _), n in expected.items()
    )


@pytest.mark.parametrize("level", ["string", "equations"])
def test_classes_do_not_depend_on_the_blocks_in_which_they_are_counted(level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a group may lie anywhere in the table, and a group may be larger than a block."""
    table = TABLE.sample(fraction=1, shuffle=True, seed=1).lazy()
    draws = load(table)
    whole = solutions(table, draws, level, identified=True)
    monkeypatch.setattr("isocost.measuring.solutions._BLOCK", 5)
    split = solutions(table, draws, level, identified=True)
    assert whole.group.size > 5 * np.bincount(whole.group).max()  # there were several blocks
    for name in ("group", "count", "right", "digests"):
        np.testing.assert_array_equal(getattr(split, name), getattr(whole, name))


def test_words_are_parted_by_whatever_python_parts_them() -> None:
    blanks = [chr(i) for i in range(0x3100) if chr(i).isspace() or i < 0x21 or 0x2000 <= i < 0x2070]
    texts = [f"{blank}a{blank}{blank}b{blank}" for blank in blanks]
    for text in texts:
        table = pl.DataFrame({"problem_id": "p", "model": "m", "correct": True, "generation": [text, distinct_key(text, "normalised")]})
        assert solutions(table.lazy(), load(table.lazy()), "normalised").count.tolist() == [2], repr(text)


def test_values_are_those_of_the_estimators() -> None:
    strong = next(model for model in models(TABLE.lazy(), load(TABLE.lazy()), ()) if model.name == "strong")
    rows = TABLE.filter(pl.col("model") == "strong")
    counts = rows.group_by("problem_id", maintain_order=True).agg(pl.len(), pl.col("correct").sum())
    np.testing.assert_allclose(coverage(strong, [1, 5, 12]).values, coverage_curve(counts["len"], counts["correct"], [1, 5, 12]))
    place = {problem: i for i, problem in enumerate(counts["problem_id"])}
    classes = rows.filter("correct").group_by("problem_id", "generation").len()
    owner = [place[problem] for problem in classes["problem_id"]]
    np.testing.assert_allclose(
        diversity(strong, "diversity", [1, 5, 12]).values, diversity_curve(counts["len"], owner, classes["len"], [1, 5, 12])
    )


def test_the_first_draws_are_the_first_by_sample_index_and_graded() -> None:
    """Row order is not draw order, and an ungraded draw takes no place."""
    rows = [("p", "m", 3, True), ("p", "m", 0, None), ("p", "m", 1, False), ("p", "m", 2, True), ("q", "m", 5, True), ("q", "m", 4, False)]
    table = pl.DataFrame(rows, schema={name: SCHEMA[name] for name in ("problem_id", "model", "sample_index", "correct")}, orient="row")
    found = survey(table, [1, 2, 3], as_fixed=True).measures["m"]
    assert [found[f"pass@1[avg-of-{k}]"].value for k in (1, 2, 3)] == pytest.approx([0.0, 0.5, 2 / 3])
    assert [found[f"pass@1[avg-of-{k}]"].n for k in (1, 2, 3)] == [2, 2, 1]


@pytest.mark.parametrize("k", [1, 4, 12])
def test_numbered_and_sorted_tables_give_the_same_first_draws(k: int) -> None:
    numbered, ranked = load(TABLE.lazy()), load(TABLE.with_columns(sample_index=pl.col("sample_index") * 7 + 2).lazy())
    by_rows = load(TABLE.drop("sample_index").lazy())
    for other in (ranked, by_rows):
        np.testing.assert_array_equal(numbered.correct_of_first(k), other.correct_of_first(k))
        np.testing.assert_array_equal(numbered.last_correct, other.last_correct)


def test_majority_votes_come_from_the_answers() -> None:
    found = survey(TABLE, [1, 5]).measures
    assert found["weak"]["maj@1"].value == pytest.approx(found["weak"]["pass@1"].value)
    assert (found["strong"]["maj@5"].value or 0) > (found["strong"]["maj@1"].value or 1)
    assert "maj@1" not in survey(TABLE.drop("predicted_answer"), [1]).measures["weak"]


def test_why_a_number_is_not_defined() -> None:
    found = survey(TABLE, [1, 100])
    assert found.undefined["weak"]["coverage@100"] == "k 100 > 12 draws"
    assert found.undefined["weak"]["pass@1[avg-of-100]"] == "k 100 > 12 draws"
    text = survey_markdown(found)
    assert "| coverage@100 |" not in text
    assert "Not defined for any model: coverage@100, diversity@100," in text
    assert "pass@1[avg-of-100], maj@100 (k 100 > 12 draws)." in text
    some = survey(pl.concat([TABLE, random_table(("long",), 5, 100)]), [100], levels=())
    assert "not defined: k 100 > 12 draws" in survey_markdown(some)
    none = survey(TABLE.with_columns(correct=pl.lit(None, dtype=pl.Boolean)), [1])
    assert set(none.undefined["weak"].values()) == {"nothing graded"}
    assert survey_markdown(none)


def test_n_stands_in_a_row_of_its_own_and_where_it_is_another() -> None:
    text = survey_markdown(survey(TABLE, [3], levels=()))
    assert "| problems | 40 | 40 |" in text
    assert ", n " not in text[: text.index("## ")]
    short = TABLE.filter((pl.col("problem_id") != "p3") | (pl.col("sample_index") < 2))
    line = next(row for row in survey_markdown(survey(short, [3], levels=())).splitlines() if row.startswith("| coverage@3"))
    assert line.count(", n 39") == 2


def test_unequal_draws_are_said() -> None:
    short = TABLE.filter((pl.col("problem_id") != "p3") | (pl.col("sample_index") < 4))
    found = survey(short, [3, 5, 12])
    assert found.measures["weak"]["coverage@5"].n == 39
    assert "weak: @5 rests on the 39 of 40 problems with 5 graded draws." in found.warnings
    assert found.measures["weak"]["coverage@3"].n == 40


def test_draws_stopped_at_a_success_are_not_fed_to_what_needs_a_fixed_number() -> None:
    table = stopped_table()
    found = survey(table, [1, 3], by="level")
    assert {name for name, e in found.measures["m"].items() if e.value is not None} == {"covered"}
    assert set(found.undefined["m"].values()) == {"draws look stopped"}
    assert "m: draws look stopped by their outcomes" in found.warnings[0]
    assert "--as-fixed" in found.warnings[0]
    assert not found.curves
    assert all(e.value is None for g in found.by.values() for name, e in g["m"].items() if name != "covered")
    anyway = survey(table, [1, 3], as_fixed=True).measures["m"]
    assert anyway["pass@1"].value is not None
    assert anyway["coverage@3"].value is not None


def stopping(rates: Sequence[float], successes: int, cap: int, seed: int = 0) -> pl.DataFrame:
    """One model that goes on until so many draws of a problem are correct."""
    rng, rows = np.random.default_rng(seed), []
    for number, rate in enumerate(rates):
        done = drawn = 0
        while done < successes and drawn < cap:
            correct = bool(rng.random() < rate)
            rows.append({"problem_id": f"p{number}", "model": "m", "sample_index": drawn, "correct": correct})
            done, drawn = done + correct, drawn + 1
    return pl.DataFrame(rows)


@pytest.mark.parametrize("successes", [1, 4])
def test_who_says_where_draws_stopped_gets_an_unbiased_pass_rate(successes: int) -> None:
    rates = np.random.default_rng(1).beta(1, 3, 3000)
    table = stopping(rates.tolist(), successes, 20)
    found = survey(table, [1, 3], stopped_at=successes)
    rate, anyway = found.measures["m"]["pass@1"], survey(table, [1], as_fixed=True).measures["m"]["pass@1"]
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < rates.mean() < rate.high
    assert anyway.low is not None
    assert anyway.low > rates.mean()  # c / M is too high
    assert {name for name, e in found.measures["m"].items() if e.value is not None} == {"covered", "pass@1"}
    assert found.undefined["m"]["coverage@3"] == "draws were stopped"
    assert [line for line in found.warnings if "allows for draws that were stopped" in line]
    assert not found.curves


def test_draws_that_did_not_stop_so_are_named() -> None:
    table = stopping([0.3] * 20, 2, 9)
    with pytest.raises(InputError, match=r"--stopped-at 3: model m, problem p\d+: 2 correct of \d graded draws.*\n  give the number"):
        survey(table, [1], stopped_at=3)
    with pytest.raises(InputError, match=r"--stopped-at 1: model m, problem p\d+: 2 correct"):
        survey(table, [1], stopped_at=1)


def test_draws_that_went_on_after_the_last_correct_one_did_not_stop_there() -> None:
    """Of a fixed number of draws some problems have the right count, but not the right order."""
    outcomes = {"a": [True, True, False], "b": [False, True, True]}
    rows = [{"problem_id": p, "model": "m", "sample_index": i, "correct": c} for p, own in outcomes.items() for i, c in enumerate(own)]
    wrong = r"--stopped-at 2: model m, problem a: 2 correct of 3 graded draws, but the last of them is wrong.*\n  give the number"
    with pytest.raises(InputError, match=wrong):
        survey(pl.DataFrame(rows), [1], stopped_at=2)
    with pytest.raises(InputError, match=wrong):
        survey(pl.DataFrame(rows[::-1]), [1], stopped_at=2)
    by_row = pl.DataFrame([{key: row[key] for key in ("problem_id", "model", "correct")} for row in rows])
    with pytest.raises(InputError, match=wrong):
        survey(by_row, [1], stopped_at=2)


def test_draws_that_were_not_graded_do_not_hide_the_cap() -> None:
    rows = [{"problem_id": p, "model": "m", "sample_index": i, "correct": c} for p, outcomes in {
        "cap": [False, None, False], "stopped": [False, True], "nothing": [None, None, None],
    }.items() for i, c in enumerate(outcomes)]  # fmt: skip
    rate = survey(pl.DataFrame(rows), [1], stopped_at=1).measures["m"]["pass@1"]
    assert (rate.value, rate.n, rate.n_ungraded) == (0.0, 2, 4)


@pytest.mark.parametrize("options", [{}, {"stopped_at": 1}, {"as_fixed": True}])
def test_overlap_at_matched_cost_is_given_where_the_curves_are(options: dict[str, bool | int]) -> None:
    rates = np.random.default_rng(2).beta(1, 2, 200).tolist()
    parts = [stopping(rates, 1, 12, seed).with_columns(model=pl.lit(name)) for seed, name in enumerate(("weak", "strong"))]
    found = survey(pl.concat(parts).with_columns(cost=pl.lit(1.0)), [1], levels=(), **options)  # type: ignore[arg-type]
    assert [one.cost is None for one in found.shared] == ([True, False] if found.curves else [True])
    assert bool(found.curves) == ("as_fixed" in options)


def test_costs_are_tokens_prices_or_the_column() -> None:
    tokens = survey(TABLE, [1])
    mean = {name: TABLE.filter(pl.col("model") == name)["num_generated_tokens"].mean() for name in ("weak", "strong")}
    assert tokens.unit == "tokens"
    assert tokens.shapes["weak"].unit_costs["cost_per_draw"].value == pytest.approx(mean["weak"])
    rate = tokens.measures["weak"]["pass@1"].value
    assert tokens.shapes["weak"].unit_costs["cost_per_correct"].value == pytest.approx(mean["weak"] / rate)  # type: ignore[operator]
    priced = survey(TABLE, [1], given=GivenCosts(amounts={"weak": 1, "strong": 5}))
    assert priced.shapes["strong"].unit_costs["cost_per_draw"].value == pytest.approx(5 * mean["strong"])  # type: ignore[operator]
    column = survey(TABLE.with_columns(cost=pl.lit(0.25)), [1])
    assert (column.unit, column.shapes["weak"].unit_costs["cost_per_draw"].value) == ("cost", 0.25)


def test_a_cost_per_draw_is_the_same_for_short_and_long_ones() -> None:
    priced = survey(TABLE.drop("num_generated_tokens"), [1], given=GivenCosts(amounts={"weak": 1, "strong": 5}, per="draw"))
    assert (priced.unit, priced.shapes["strong"].unit_costs["cost_per_draw"].value) == ("cost", 5.0)
    with pytest.raises(InputError, match="no column num_generated_tokens\n  give the cost of a draw"):
        survey(TABLE.drop("num_generated_tokens"), [1], given=GivenCosts(amounts={"weak": 1, "strong": 5}))


def test_draws_that_were_not_graded_are_paid_too() -> None:
    half = TABLE.with_columns(correct=pl.when(pl.col("sample_index") % 2 == 0).then("correct"), cost=pl.lit(1.0))
    assert survey(half, [1]).shapes["weak"].unit_costs["cost_per_draw"].value == pytest.approx(2.0)


def test_costs_that_are_not_known_make_no_curve() -> None:
    table = TABLE.with_columns(num_generated_tokens=pl.when(pl.col("sample_index") > 0).then("num_generated_tokens"))
    found = survey(table, [1])
    assert found.curves == {"weak": [], "strong": []}
    assert not found.crossings
    assert any("no curve against cost" in line for line in found.warnings)


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ({"weak": 1.0}, 'no cost for model "strong"'),
        ({"weak": 1, "stronk": 2}, 'did you mean "strong"'),
    ],
)
def test_prices_must_be_complete(prices: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        survey(TABLE, [1], given=GivenCosts(amounts=prices))


def test_groups_part_the_problems() -> None:
    found = survey(TABLE, [1], by="level")
    assert list(found.by) == ["0", "1", "2"]
    assert [found.by[level]["weak"]["pass@1"].n for level in found.by] == [14, 13, 13]
    alone = survey(TABLE.filter(pl.col("level") == "1"), [1]).measures["weak"]["pass@1"]
    assert found.by["1"]["weak"]["pass@1"] == alone
    mapped = survey(TABLE, [1], by={"p0": "easy", "p1": "hard", "elsewhere": "hard"})
    assert {group: each["weak"]["pass@1"].n for group, each in mapped.by.items()} == {"easy": 1, "hard": 1}
    with pytest.raises(TableError, match='no column "topic"'):
        survey(TABLE, [1], by="topic")
    for column in ("correct", "sample_index"):
        with pytest.raises(TableError, match=rf'^--by: column "{column}" belongs to a sample, not to a problem'):
            survey(TABLE, [1], by=column)
    with pytest.raises(TableError, match="two groups"):
        survey(TABLE.with_columns(level=pl.col("sample_index").cast(pl.String)), [1], by="level")


def test_curves_end_where_the_draws_do_and_begin_at_one() -> None:
    points = survey(TABLE, [1, 12], levels=("string",)).curves["strong"]
    found = survey(TABLE, [1, 12], levels=("string",))
    assert [point.k for point in points] == list(range(1, 13))
    assert points[0].values["coverage"].value == pytest.approx(found.measures["strong"]["coverage@1"].value)
    assert points[-1].values["diversity"].value == pytest.approx(found.measures["strong"]["diversity@12"].value)
    assert points[-1].cost == pytest.approx(12 * points[0].cost)


def test_overlap_in_all_draws_and_at_matched_cost() -> None:
    found = survey(TABLE, [1]).shared
    assert [(one.models, one.cost is None) for one in found] == [(("weak", "strong"), True), (("weak", "strong"), False)]
    solved = {name: set(TABLE.filter("correct", pl.col("model") == name)["problem_id"]) for name in ("weak", "strong")}
    assert found[0].found.all.value == pytest.approx(len(solved["weak"] & solved["strong"]) / 40)
    assert found[0].found.only[1].value == pytest.approx(len(solved["strong"] - solved["weak"]) / 40)
    assert found[1].draws is not None
    assert found[1].draws[0] == pytest.approx(12)
    assert found[1].draws[1] == pytest.approx(12 * 12 / 32, rel=0.02)


def test_a_model_ahead_from_the_first_draw_has_no_crossover_to_tell() -> None:
    better = TABLE.with_columns(correct=pl.col("model") == "strong", num_generated_tokens=pl.lit(7))
    text = survey_markdown(survey(better, [1], levels=()))
    assert "coverage: strong is ahead of weak from the first draw on, up to 84 tokens per problem, as far as both were drawn." in text
    assert "resamples" not in text


def test_tokens_of_two_models_that_cost_the_same_are_pointed_out() -> None:
    assert any("A token costs the same" in line for line in survey(TABLE, [1]).warnings)
    assert not any("A token" in line for line in survey(TABLE, [1], given=GivenCosts(amounts={"weak": 1, "strong": 1})).warnings)
    text = survey_markdown(survey(TABLE, [1]))
    assert text[text.index("## Crossovers") :].splitlines()[2].startswith("At one price per token, whichever model wrote it; --cost")
    assert "At one price" not in survey_markdown(survey(TABLE, [1], given=GivenCosts(amounts={"weak": 1, "strong": 5})))


def test_three_models_are_compared_in_pairs_and_together() -> None:
    found = survey(random_table(("a", "b", "c"), 35), [1], levels=("string",))
    assert [one.models for one in found.shared if one.cost is None] == [("a", "b", "c"), ("a", "b"), ("a", "c"), ("b", "c")]
    assert len(found.crossings) == 6
    assert "by one alone" in survey_markdown(found)


def test_models_of_other_problems_share_none() -> None:
    table = TABLE.filter((pl.col("model") == "weak") == pl.col("problem_id").is_in(["p1", "p2"]))
    found = survey(table, [1])
    assert not found.shared
    assert not found.crossings
    assert any("different problems" in line for line in found.warnings)


def test_json_keeps_the_contract_and_says_more() -> None:
    found = json.loads(json.dumps(survey_json(survey(TABLE, [1, 50], by="level")), allow_nan=False))
    weak = found["models"]["weak"]
    assert {"coverage@1", "diversity@1", "diversity_normalised@1", "diversity_equations@1", "pass@1", "covered"} <= set(weak)
    assert set(weak["coverage@1"]) == {"value", "low", "high", "n"}
    assert weak["coverage@50"] == {"value": None, "low": None, "high": None, "n": 0}
    assert weak["n_ungraded"] == 0
    assert weak["draws"] == {"least": 12, "most": 12}
    assert {"curves", "crossovers", "overlap", "by", "warnings", "unit", "undefined"} <= set(found)
    assert found["crossovers"][0]["models"] == ["weak", "strong"]


def test_hostile_names_break_neither_table_nor_terminal() -> None:
    names = ("a|b\n| c |\x1b[31m", "<script>" + "x" * 100_000, "\u202etxt`*_")
    table = random_table(names, 31).with_columns(level=pl.lit("l|\r\n# head"))
    text = survey_markdown(survey(table, [1], by="level", levels=("string",)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\r" not in text
    assert "<script>" not in text.replace("\\<script\\>", "")
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows[:8]} == {5}
    assert max(len(line) for line in text.splitlines()) < 1_000


def test_more_models_than_stand_abreast_get_tables_of_their_own() -> None:
    text = survey_markdown(survey(random_table(tuple("abcdefg"), 31, 3), [1], levels=()))
    assert [line for line in text.splitlines() if line.startswith("| measure")] == [
        "| measure | a | b | c | d |",
        "| measure | e | f | g |",
    ]


def test_a_file_or_a_run_directory(tmp_path: Path) -> None:
    TABLE.write_parquet(tmp_path / "samples.parquet")
    of_file = survey_file(tmp_path / "samples.parquet", [1], by="level")
    assert of_file.measures == survey(TABLE, [1]).measures
    assert survey_file(tmp_path, [1]).measures == of_file.measures
    assert "diversity@1" not in survey_file(tmp_path, [1], levels=()).measures["weak"]


def test_the_problems_of_a_run_are_grouped_by_what_their_source_says(tmp_path: Path) -> None:
    TABLE.drop("level").write_parquet(tmp_path / "samples.parquet")
    levels = dict(TABLE.select("problem_id", "level").unique().iter_rows())
    (tmp_path / "problems").mkdir()
    rows = [
        {"id": p, "metadata": json.dumps({"level": int(level[-1]) if level[-1].isdigit() else level, "unit": "m"})}
        for p, level in levels.items()
    ]
    rows.append({"id": "not drawn", "metadata": "{}"})
    pl.DataFrame(rows).write_parquet(tmp_path / "problems" / "train.parquet")
    found, of_table = survey_file(tmp_path, [1], by="level").by, survey(TABLE, [1], by="level").by
    assert list(found.values()) == list(of_table.values())
    with pytest.raises(TableError, match=r'have no "subject"\n  they have: level, unit'):
        survey_file(tmp_path, [1], by="subject")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunDirectoryError, match=r"no samples\.parquet"):
        survey_file(tmp_path / "empty", [1])


def test_an_empty_column_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    table.write_text('{"problem_id": "p", "model": "m", "correct": true}\n')
    with pytest.raises(TableError, match="--by: is empty"):
        survey_file(table, [1], by="")


def test_a_table_that_cannot_be_grouped_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    TABLE.with_columns(level=pl.col("sample_index").cast(pl.String)).write_parquet(path)
    with pytest.raises(TableError, match=f'^{path}: problem "p\\d+" is in two groups of column "level"'):
        survey_file(path, [1], by="level", levels=())
    with pytest.raises(TableError, match=f'^{path}: --by: column "correct" belongs to a sample.*\n  name another column$'):
        survey_file(path, [1], by="correct", levels=())


def test_options_of_the_command_line() -> None:
    assert level_list("equations, string") == ("string", "equations")
    assert level_list("none") == ()
    with pytest.raises(InputError, match="--levels"):
        level_list("word")


def test_the_cheap_prompt_is_ahead_and_the_dear_one_overtakes() -> None:
    if not GAME24.exists():
        pytest.skip(f"needs {GAME24}")
    found = survey_file(GAME24, [1, 100], levels=("string",))
    coverage, diversity = found.crossings
    assert (coverage.left, coverage.right, coverage.found.ahead) == ("gpt4-answer-only", "gpt4-steps", "right")
    assert coverage.found.value == pytest.approx(689.3, abs=0.5)
    assert coverage.found.low is not None
    assert 100 < coverage.found.low < 250
    assert coverage.found.high is None  # 45 puzzles leave it open
    assert diversity.found.value == pytest.approx(626, abs=1)
    cheap, dear = found.curves["gpt4-answer-only"], found.curves["gpt4-steps"]
    at_one_dear_draw = [point for point in cheap if point.cost <= dear[0].cost][-1]
    assert (at_one_dear_draw.values["coverage"].value or 0) > (dear[0].values["coverage"].value or 1)
    assert "overtakes gpt4-answer-only at 689 tokens per problem" in survey_markdown(found)

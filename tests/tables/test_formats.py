"""Each format of other tools, read from a small file of its form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from isocost.errors import TableError
from isocost.tables.formats.base import Choice
from isocost.tables.formats.rules import parse_rule
from isocost.tables.formats.verdicts import number_of
from isocost.tables.imports import Account, Importer, Row, Wishes
from isocost.tables.inputs import expand
from isocost.tables.scores import settled
from tests.tables import foreign


def read(*sources: Path, **wishes: Any) -> tuple[list[Row], Account]:
    rule = parse_rule(wishes.pop("rule")) if "rule" in wishes else None
    choice = Choice(**{k: v for k, v in wishes.items() if k != "columns"})
    files, _ = expand(list(sources))

    def attempt(unsettled: frozenset[str]) -> tuple[list[Row], Account]:
        importer = Importer(Wishes(choice=choice, columns=wishes.get("columns", {}), rule=rule), unsettled=unsettled)
        return list(importer.rows(files)), importer.account

    return settled(attempt)


def verdicts(rows: list[Row]) -> list[object]:
    return [row["correct"] for row in rows]


def test_seeds_of_nemo_skills_are_one_table_joined_by_question(tmp_path: Path) -> None:
    for seed in (10, 2):
        foreign.nemo(tmp_path / f"output-rs{seed}.jsonl", [seed == 2, True])
    (tmp_path / "output-rs2.jsonl.done").touch()
    rows, account = read(tmp_path, model="qwen")
    assert verdicts(rows) == [True, True, False, True]  # seed 2 before seed 10
    assert [row["sample_index"] for row in rows] == [0, 0, 1, 1]
    assert [row["problem_id"] for row in rows[:2]] == [row["problem_id"] for row in rows[2:]]
    assert {row["model"] for row in rows} == {"qwen"}
    assert rows[1]["expected_answer"] == "1"
    assert rows[1]["num_generated_tokens"] == 5
    assert not account.unknown
    assert not account.named


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"is_correct": True}, True),
        ({"judgement": "Reasoning: same.\nJudgement: Yes"}, True),
        ({"judgement": "**Judgement**: No, it differs"}, False),
        ({"judgement": "I cannot tell"}, None),
        ({"symbolic_correct": False, "judgement": "Judgement: yes"}, False),
    ],
)
def test_nemo_skills_gives_its_verdict_under_several_names(tmp_path: Path, fields: dict[str, object], expected: object) -> None:
    row = {"id": 5, "problem": "What?", "generation": "text", **fields}
    rows, _ = read(foreign.lines(tmp_path / "output.jsonl", [row]))
    assert (rows[0]["problem_id"], rows[0]["correct"]) == ("5", expected)


def test_the_judge_of_nemo_skills_can_be_chosen(tmp_path: Path) -> None:
    path = foreign.nemo(tmp_path / "output-rs0.jsonl", [False], judgement="Judgement: Yes")
    assert verdicts(read(path, scorer="judgement")[0]) == [True]


def test_the_outcome_of_verify_decides_in_a_file_of_nemo_skills(tmp_path: Path) -> None:
    path = foreign.nemo(tmp_path / "output.jsonl", [True, True, True], reason="different")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row, outcome in zip(rows, ("incorrect", "correct", "ungraded"), strict=True):
        row["outcome"] = outcome
    found, account = read(foreign.lines(path, rows))
    assert verdicts(found) == [False, True, None]
    assert account.scores == {"outcome": 2}
    assert not account.unknown
    bare = [{name: value for name, value in row.items() if name != "symbolic_correct"} for row in rows]
    assert verdicts(read(foreign.lines(path, bare))[0]) == [False, True, None]
    assert verdicts(read(foreign.lines(path, [rows[0] | {"outcome": []}]))[0]) == [True]  # the user's own field


def lm_eval(folder: Path) -> Path:
    rows = [
        {"doc": doc, "responses": ["#### 7"], "filtered": ["7" if name == "flexible-extract" else "[invalid]"], "filter": name}
        | {"metrics": {"exact_match": float(name == "flexible-extract")}}
        for name in ("strict-match", "flexible-extract")
        for doc in (0, 1)
    ]
    (folder / "results_2026-11-01T10-00-00.000001.json").write_text(json.dumps({"model_name": "Qwen/Qwen2.5-7B"}), encoding="utf-8")
    return foreign.harness(folder / "samples_gsm8k_2026-11-01T10-00-00.000001.jsonl", rows)


def test_a_second_filter_of_lm_eval_is_the_same_response(tmp_path: Path) -> None:
    rows, account = read(lm_eval(tmp_path))
    assert [(row["problem_id"], row["correct"], row["predicted_answer"]) for row in rows] == [
        ("gsm8k/0", False, None),
        ("gsm8k/1", False, None),
    ]
    assert [row["expected_answer"] for row in rows] == ["7", "7"]
    assert {row["model"] for row in rows} == {"Qwen/Qwen2.5-7B"}
    ((reason, (many, first)),) = account.skipped.items()
    assert (many, first.rpartition(":")[2]) == (2, "3")
    assert "flexible-extract" in reason


def test_the_filter_of_lm_eval_can_be_chosen_and_must_exist(tmp_path: Path) -> None:
    path = lm_eval(tmp_path)
    rows, _ = read(path, filter="flexible-extract")
    assert [(row["correct"], row["predicted_answer"]) for row in rows] == [(True, "7"), (True, "7")]
    with pytest.raises(TableError, match='no row has the filter "maj"; it has strict-match, flexible-extract'):
        read(path, filter="maj")


def test_k_responses_of_lm_eval_are_k_samples(tmp_path: Path) -> None:
    one = {"doc": 0, "responses": ["a", "b"], "filtered": [["1", "2"]], "metrics": {"exact_match": [1, 0]}}
    together = {"doc": 1, "responses": ["a", "b"], "filtered": ["1"], "metrics": {"exact_match": 1.0}}
    rows, account = read(foreign.harness(tmp_path / "samples_aime.jsonl", [one, together]))
    assert verdicts(rows) == [True, False, None, None]  # one verdict on two responses says nothing of each
    assert [row["predicted_answer"] for row in rows] == ["1", "2", None, None]
    assert account.files[str(tmp_path / "samples_aime.jsonl")][1:] == [2, 4]


def test_log_likelihoods_of_lm_eval_are_no_responses(tmp_path: Path) -> None:
    chosen = {
        "doc_id": 0,
        "target": 1,
        "resps": [[["-1.5", "False"]], [["-0.5", "True"]]],
        "filtered_resps": [["-1.5", "False"]],
        "acc": 1.0,
    }
    with pytest.raises(TableError, match="gives no sample: log-likelihoods, not a response"):
        read(foreign.lines(tmp_path / "samples_arc.jsonl", [chosen]))


def test_of_several_metrics_of_lm_eval_exact_match_decides(tmp_path: Path) -> None:
    row = {"doc": 0, "responses": ["a"], "filtered": ["1"], "metrics": {"math_verify": 1, "exact_match": 0}}
    path = foreign.harness(tmp_path / "samples_math.jsonl", [row])
    assert verdicts(read(path)[0]) == [False]
    assert verdicts(read(path, scorer="math_verify")[0]) == [True]
    other = foreign.harness(tmp_path / "samples_ifeval.jsonl", [row | {"metrics": {"prompt_strict": 1, "inst_strict": 0}}])
    with pytest.raises(
        TableError, match="several scores: prompt_strict, inst_strict\n  choose one: isocost import FILE --scorer prompt_strict"
    ):
        read(other)


@pytest.mark.parametrize("form", ["json", "deflate", "zstandard"])
def test_inspect_logs_are_the_same_in_every_form(tmp_path: Path, form: str) -> None:
    samples = [foreign.inspect_sample(key, epoch, {"match": "C" if epoch == 1 else "I"}) for epoch in (1, 2) for key in ("a/b", 2)]
    samples[0]["output"]["completion"] = "attachment://abc"
    samples[0]["attachments"] = {"abc": "a long answer"}
    log = foreign.inspect_log(samples)
    if form == "json":
        path = tmp_path / "log.json"
        path.write_text(json.dumps(log, indent=2), encoding="utf-8")
    else:
        path = foreign.write_eval(tmp_path / "log.eval", log, zstandard=form == "zstandard")
    rows, account = read(path)
    assert [(row["problem_id"], row["sample_index"], row["correct"]) for row in rows] == [
        ("gsm8k/a/b", 0, True),
        ("gsm8k/2", 0, True),
        ("gsm8k/a/b", 1, False),
        ("gsm8k/2", 1, False),
    ]
    assert [row["generation"] for row in rows[:2]] == ["a long answer", "ANSWER: 4"]
    assert {(row["model"], row["num_prompt_tokens"], row["num_generated_tokens"]) for row in rows} == {("openai/gpt-4o-mini", 11, 7)}
    assert not account.unknown


def test_partly_correct_samples_of_inspect_count_with_a_rule_only(tmp_path: Path) -> None:
    samples = [foreign.inspect_sample(i, 1, {"judge": value}) for i, value in enumerate("CPIN")]
    path = foreign.write_eval(tmp_path / "log.eval", foreign.inspect_log(samples))
    rows, account = read(path)
    assert verdicts(rows) == [None] * 4
    assert dict(account.ungraded) == {"a score with values other than 0 and 1": 4}
    assert verdicts(read(path, rule="reward>=0.5")[0]) == [True, True, False, False]


def test_several_scorers_of_inspect_need_a_choice(tmp_path: Path) -> None:
    sample = foreign.inspect_sample(1, 1, {"match": "I", "model_graded_qa": "C", "rubric": {"style": 1, "truth": 0}})
    path = foreign.write_eval(tmp_path / "log.eval", foreign.inspect_log([sample]))
    with pytest.raises(TableError, match=r"several scores: match, model_graded_qa, rubric\.style, rubric\.truth"):
        read(path)
    assert verdicts(read(path, scorer="model_graded_qa")[0]) == [True]
    assert verdicts(read(path, scorer="rubric.truth")[0]) == [False]
    with pytest.raises(TableError, match='no score "mach"\n  it has match, model_graded_qa'):
        read(path, scorer="mach")


def test_a_sample_of_inspect_that_failed_is_left_out(tmp_path: Path) -> None:
    failed = foreign.inspect_sample(2, 1, {}, error={"message": "timeout"}, output={"choices": []})
    log = foreign.inspect_log([foreign.inspect_sample(1, 1, {"match": "C"}, new_field=1), failed])
    rows, account = read(foreign.write_eval(tmp_path / "log.eval", log))
    assert len(rows) == 1
    assert account.skipped["ended with an error before the model answered"][0] == 1
    assert account.unknown == {"new_field": 1}


def test_rollouts_of_verifiers(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps({"env_id": "gsm8k", "model": "gpt-4.1-mini"}), encoding="utf-8")
    rows_written = [
        foreign.rollout(0, 1.0),
        foreign.rollout(0, 0.25, is_truncated=True),
        foreign.rollout(1, 0.0, error={"error": "E"}, completion=None),
    ]
    rows, account = read(foreign.lines(tmp_path / "results.jsonl", rows_written), rule="reward >= 0.2")
    assert [(row["problem_id"], row["sample_index"], row["correct"]) for row in rows] == [("0", 0, True), ("0", 1, True)]
    assert [row["finish_reason"] for row in rows] == ["stop", "length"]
    assert (rows[0]["model"], rows[0]["generation"], rows[0]["num_generated_tokens"]) == ("gpt-4.1-mini", "It is 4.", 5)
    assert account.skipped["ended with an error before the model answered"][0] == 1
    assert not account.unknown


def test_traces_of_verifiers(tmp_path: Path) -> None:
    rewards = {"correct": {"score": 1.0, "weight": 1.0}, "style": {"score": 0.5, "weight": 0.2}}
    rows, account = read(
        foreign.lines(tmp_path / "traces.jsonl", [foreign.trace("t1", rewards), foreign.trace("t2", {"correct": None})]), scorer="correct"
    )
    assert [(row["problem_id"], row["correct"]) for row in rows] == [("t1", True), ("t2", None)]
    assert (rows[0]["model"], rows[0]["generation"], rows[0]["expected_answer"]) == ("qwen/qwen3-8b", "It is 4.", "4")
    assert (rows[0]["num_prompt_tokens"], rows[0]["num_generated_tokens"], rows[0]["finish_reason"]) == (9, 5, "length")
    assert verdicts(read(tmp_path / "traces.jsonl", rule="reward>=1.1")[0]) == [True, None]
    assert not account.unknown


def test_generations_of_open_r1_are_samples(tmp_path: Path) -> None:
    path = foreign.generations(tmp_path / "train.parquet")
    rows, account = read(path)
    assert [(row["problem_id"], row["correct"], row["finish_reason"]) for row in rows] == [("u1", True, "stop"), ("u1", False, "length")]
    assert verdicts(read(path, scorer="correctness_llama")[0]) == [None, True]
    assert not account.unknown


def test_humaneval_rows_and_results_of_evalplus(tmp_path: Path) -> None:
    plain = foreign.lines(
        tmp_path / "he.jsonl", [{"task_id": "HumanEval/1", "completion": "  return 1", "result": "passed", "passed": True}]
    )
    rows, _ = read(plain)
    assert [(row["problem_id"], row["generation"], row["correct"]) for row in rows] == [("HumanEval/1", "  return 1", True)]
    results = foreign.evalplus_results(tmp_path / "s_eval_results.json")
    assert verdicts(read(results)[0]) == [True, False, False]  # the added tests count
    assert verdicts(read(results, scorer="base")[0]) == [True, True, False]


def test_results_of_evalplus_replace_the_solutions_that_they_were_made_of(tmp_path: Path) -> None:
    foreign.evalplus_results(tmp_path / "s_eval_results.json")
    foreign.lines(tmp_path / "s.jsonl", [{"task_id": "HumanEval/0", "solution": f"def f(): return {i}"} for i in range(3)])
    assert verdicts(read(tmp_path)[0]) == [True, False, False]
    assert expand([tmp_path])[1] == [f"{tmp_path / 's.jsonl'}: its solutions are read from s_eval_results.json"]


def test_results_of_the_first_evalplus(tmp_path: Path) -> None:
    each = {"nfiles": 2, "base": [["success", [True]], ["failed", [False]]], "plus": [["failed", []], ["failed", []]]}
    path = tmp_path / "eval_results.json"
    path.write_text(json.dumps({"eval": {"HumanEval/0": each}}), encoding="utf-8")
    assert verdicts(read(path)[0]) == [False, False]
    assert verdicts(read(path, scorer="base")[0]) == [True, False]


def test_a_folder_of_large_language_monkeys(tmp_path: Path) -> None:
    rows, account = read(foreign.monkeys(tmp_path / "gsm8k"))
    assert [(row["problem_id"], row["sample_index"], row["correct"]) for row in rows] == [
        ("7", 0, True),
        ("7", 1, False),
        ("12", 0, False),
        ("12", 1, False),
    ]
    assert {row["expected_answer"] for row in rows} == {"4"}
    assert rows[1]["generation"] == "#### 5\n"
    assert list(account.named) == ["gsm8k"]


def test_rows_of_csv_with_fields_of_other_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('question_id,answer_text,ok,tokens\nq1,"a, b\nc",true,12\nq1,,0,\nq2,d,,7.0\n', encoding="utf-8")
    columns = {"problem_id": "question_id", "generation": "answer_text", "correct": "ok", "num_generated_tokens": "tokens"}
    rows, _ = read(path, columns=columns, model="m")
    assert verdicts(rows) == [True, False, None]
    assert [row["generation"] for row in rows] == ["a, b\nc", None, "d"]
    assert [row["num_generated_tokens"] for row in rows] == [12, None, 7]  # pandas writes 7.0 beside a gap


def test_a_nested_field_becomes_a_column_of_the_users_own(tmp_path: Path) -> None:
    path = foreign.lines(tmp_path / "r.jsonl", [{"problem_id": 1, "model": "m", "correct": 1, "meta": {"level": [3, 5]}, "extra": 0}])
    rows, account = read(path, columns={"level": "meta.level.1"})
    assert rows[0]["level"] == "5"
    assert account.unknown == {"extra": 1}  # meta is read in part


def test_two_logs_of_the_same_samples_are_numbered_in_order_on_request(tmp_path: Path) -> None:
    for name in ("a", "b"):
        foreign.write_eval(tmp_path / f"{name}.eval", foreign.inspect_log([foreign.inspect_sample(1, 1, {"match": "C"})]))
    with pytest.raises(TableError, match="is there already\n  leave one out, or number the samples in order"):
        read(tmp_path)
    rows, _ = read(tmp_path, columns={"sample_index": ""})
    assert [row["sample_index"] for row in rows] == [0, 1]


@pytest.mark.parametrize(
    ("value", "number"),
    [(True, 1.0), (0.5, 0.5), ("0.5", 0.5), ("True", 1.0), ("no", 0.0), ("1e3", 1000.0)]
    + [(value, None) for value in ("nan", "inf", "-Infinity", "1e999", float("nan"), float("inf"), 10**400, "", "good", None, [1])],
)
def test_a_score_is_a_finite_number_or_none(value: object, number: float | None) -> None:
    assert number_of(value) == number

"""`isocost import`: the table that it writes, the grading, the account, and the command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest

from isocost.cli import main
from isocost.errors import TableError
from isocost.importing import import_samples, summary
from isocost.tables import remote, scan_table
from isocost.tables.imports import Wishes
from isocost.tables.inputs import expand
from tests.tables import foreign


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, command: str = "import") -> int:
    monkeypatch.setattr(sys, "argv", ["isocost", command, *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_every_record_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    foreign.nemo(tmp_path / "a" / "output-rs0.jsonl", [True, False, True], colour="red")
    with (tmp_path / "a" / "output-rs0.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"problem": "torn')
    assert run(monkeypatch, "a", "-o", "table.parquet") == 0
    assert capsys.readouterr().err.splitlines() == [
        "3 samples of 3 problems: 2 correct, 1 incorrect, 0 ungraded",
        "models: a 3",
        "a/output-rs0.jsonl: NeMo-Skills, 4 records, 3 samples",
        "skipped 1: not JSON (first: a/output-rs0.jsonl:4)",
        'fields that were not read, with their records: "colour" 3',
        "verdicts read, by score: symbolic_correct 3",
        'note: the model is called "a" after its folder: --model NAME gives another name',
        "wrote table.parquet; next: isocost measure table.parquet",
    ]
    assert run(monkeypatch, "table.parquet", command="measure") == 0


def test_models_whose_folders_have_the_same_name_are_named_after_their_paths(tmp_path: Path) -> None:
    for model in ("weak", "strong"):
        foreign.nemo(tmp_path / model / "gsm8k" / "output-rs0.jsonl", [True, False])
    found = import_samples([str(tmp_path / "*" / "gsm8k" / "*.jsonl")], str(tmp_path / "t.parquet"), Wishes())
    assert found.outcomes.models == {"weak": 2, "strong": 2}
    note = 'note: 2 models are called after their folders: "strong", "weak"; --model NAME makes one model of them'
    assert note in summary(found)


def test_a_score_with_fractions_is_named_with_a_rule_that_fits(tmp_path: Path) -> None:
    path = foreign.lines(tmp_path / "results.jsonl", [foreign.rollout(0, 0.0), foreign.rollout(1, 0.9)])
    found = import_samples([str(path)], str(tmp_path / "t.parquet"), Wishes())
    assert found.outcomes.counts == {"ungraded": 2}
    what = "because reward has values other than 0 and 1: --correct 'reward>=0.5' says what counts as correct"
    assert f"note: 2 samples without a verdict, {what}" in summary(found)


def test_samples_that_cannot_be_graded_are_explained_and_grading_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = foreign.lines(tmp_path / "r.jsonl", [{"problem_id": i, "model": "m", "generation": "#### 1"} for i in range(2)])
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, str(path), "-o", "t.parquet", "--grade", "number") == 0
    note, last = capsys.readouterr().err.splitlines()[-2:]
    assert note == "note: 2 samples not graded, without a reference answer: --problems NAME, or --map expected_answer=FIELD, gives it"
    assert last == "wrote t.parquet; next: grade it: isocost import t.parquet -o TABLE --grade GRADER"


def test_an_exported_folder_is_read_as_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "export" / "data").mkdir(parents=True)
    (tmp_path / "export" / "README.md").write_text("# A card\n", encoding="utf-8")
    rows = [{"problem_id": "p", "model": "m", "correct": True, "level": "1"}]
    pl.DataFrame(rows).write_parquet(tmp_path / "export" / "data" / "train-00000-of-00001.parquet")
    assert run(monkeypatch, str(tmp_path / "export"), command="measure") == 0
    assert run(monkeypatch, str(tmp_path / "export"), "--by", "level", command="measure") == 0
    assert run(monkeypatch, str(tmp_path / "export"), "-o", str(tmp_path / "t.parquet")) == 0


def test_files_in_folders_of_a_folder_are_named_by_a_pattern(tmp_path: Path) -> None:
    foreign.lines(tmp_path / "evals" / "a" / "results.jsonl", [foreign.rollout(0, 1.0)])
    with pytest.raises(TableError, match=r"holds no file of samples\n  .*/\*\*/results\.jsonl"):
        import_samples([str(tmp_path)], str(tmp_path / "t.parquet"), Wishes())
    found = import_samples([str(tmp_path / "**" / "results.jsonl")], str(tmp_path / "t.parquet"), Wishes())
    assert found.outcomes.counts == {"correct": 1}


def test_samples_without_a_verdict_are_graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"problem_id": i, "gold": i, "prediction": f"#### {i + (i == 2)}"} for i in range(3)]
    rows += [{"problem_id": 9, "prediction": "#### 9"}, {"problem_id": 9, "gold": 9, "prediction": "#### 8", "correct": True}]
    path = foreign.lines(tmp_path / "rows.jsonl", rows)
    table = tmp_path / "table.jsonl"
    assert run(monkeypatch, str(path), "-o", str(table), "--grade", "number", "--model", "m") == 0
    assert "5 samples of 4 problems: 3 correct, 1 incorrect, 1 ungraded" in capsys.readouterr().err
    assert scan_table(str(table)).collect()["correct"].to_list() == [True, True, False, None, True]
    assert json.loads(table.read_text().splitlines()[2])["predicted_answer"] == "3"


def test_a_text_that_was_cut_off_must_state_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [("so 4 and", "length"), ("so 4 and", "stop"), ("so 4 and", None), ("#### 4\n", "length")]
    rows = [{"problem_id": "p", "model": "m", "gold": 4, "generation": text, "finish_reason": reason} for text, reason in texts]
    path = foreign.lines(tmp_path / "r.jsonl", rows)
    assert run(monkeypatch, str(path), "-o", str(tmp_path / "t.parquet"), "--grade", "number") == 0
    assert pl.read_parquet(tmp_path / "t.parquet")["correct"].to_list() == [False, True, True, True]


def test_references_of_a_problem_file_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = foreign.lines(tmp_path / "problems.jsonl", [{"id": "p", "question": "?", "answer": "4"}])
    path = foreign.lines(tmp_path / "r.jsonl", [{"problem_id": "p", "model": "m", "generation": "#### 4"}])
    options = ["--grade", "number", "--problems", str(problems)]
    assert run(monkeypatch, str(path), "-o", str(tmp_path / "t.parquet"), *options) == 0
    assert pl.read_parquet(tmp_path / "t.parquet").select("correct", "expected_answer").rows() == [(True, "4")]


def test_files_of_a_folder_that_hold_no_samples_are_named(tmp_path: Path) -> None:
    folder = foreign.monkeys(tmp_path / "gsm8k")
    (folder / "config.yaml").write_text("temperature: 0.6\n", encoding="utf-8")
    found = import_samples([str(folder)], str(tmp_path / "t.parquet"), Wishes())
    assert found.left_out == (f"{folder / 'config.yaml'}: holds no samples",)
    assert f"{folder / '12.yaml'}: Large Language Monkeys, 1 record, 2 samples" in summary(found)
    assert (found.outcomes.counts["correct"], len(found.outcomes.problems)) == (1, 2)


def test_columns_without_a_value_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = foreign.lines(tmp_path / "r.jsonl", [{"problem_id": 1, "model": "m", "correct": True, "cost": None, "level": None}])
    assert run(monkeypatch, str(path), "-o", str(tmp_path / "t.parquet"), "--map", "level=level") == 0
    assert pl.read_parquet(tmp_path / "t.parquet").columns == ["problem_id", "model", "pool", "sample_index", "correct"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl", "-o", "t.parquet"], "error: none.jsonl: cannot be read: No such file or directory"),
        (["rows.jsonl", "-o", "t.csv"], "error: t.csv: a table ends in .parquet or .jsonl"),
        (["rows.jsonl", "-o", "rows.jsonl"], "error: rows.jsonl: exists already"),
        (["rows.jsonl", "-o", "no/t.parquet"], "error: no/t.parquet: its folder does not exist"),
        (["rows.jsonl", "-o", "t.parquet", "--map", "x"], "error: --map x: write it as COLUMN=FIELD"),
        (["rows.jsonl", "-o", "t.parquet", "--map", "a=b", "--map", "a=c"], "error: --map a=c: a is given twice"),
        (["rows.jsonl", "-o", "t.parquet", "--map", "a=b", "--map", "a =c"], "error: --map a =c: a is given twice"),
        (["rows.jsonl", "-o", "t.parquet", "--correct", "high"], 'error: --correct: "high" is not a comparison'),
        (["rows.jsonl", "-o", "t.parquet", "--grade", "mth"], 'error: unknown grader "mth"'),
        (["rows.jsonl", "-o", "t.parquet", "--problems", "gsm8k"], "error: --problems: is of no use without --grade"),
        (["nosuch://x/a.jsonl", "-o", "t.parquet"], "error: nosuch://x/a.jsonl: cannot be read: Protocol not known: nosuch"),
        (["memory://gone.jsonl", "-o", "t.parquet"], "error: memory://gone.jsonl: cannot be read"),
    ],
)
def test_bad_arguments_are_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    foreign.lines(tmp_path / "rows.jsonl", [{"problem_id": 1, "model": "m", "correct": True}])
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.startswith(message)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_an_error_in_a_later_file_leaves_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = foreign.lines(tmp_path / "a.jsonl", [{"problem_id": 1, "model": "m", "correct": True}])
    bad = foreign.lines(tmp_path / "b.jsonl", [{"x": 1}])
    assert run(monkeypatch, str(good), str(bad), "-o", str(tmp_path / "t.parquet")) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl"]


def test_files_and_tables_may_be_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/in/rows.jsonl", b'{"problem_id": 1, "model": "m", "correct": true}\n')
    try:
        assert run(monkeypatch, "memory://in/rows.jsonl", command="measure") == 0
        assert run(monkeypatch, "memory://in/rows.jsonl", "-o", "memory://out/t.parquet") == 0
        assert run(monkeypatch, "memory://in/rows.jsonl", "-o", "memory://out/t.parquet") == 2  # it exists
        assert run(monkeypatch, "memory://out/t.parquet", "-o", str(tmp_path / "t.jsonl")) == 0
    finally:
        memory.rm("/in", recursive=True)
        memory.rm("/out", recursive=True)
    assert json.loads((tmp_path / "t.jsonl").read_text())["correct"] is True


def test_verify_and_import_read_files_of_a_web_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    row = {"problem_id": 1, "model": "m", "gold": "4", "generation": "The answer is 4.", "correct": True}
    foreign.lines(tmp_path / "served" / "rows.jsonl", [row])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert run(monkeypatch, f"{url}/rows.jsonl", "--grader", "number", command="verify") == 0
        assert json.loads(capfd.readouterr().out)["outcome"] == "correct"
        assert run(monkeypatch, f"{url}/rows.jsonl", "-o", str(tmp_path / "t.jsonl")) == 0
        capfd.readouterr()
        for command in ("verify", "measure"):
            assert run(monkeypatch, f"{url}/none.jsonl", command=command) == 2
            assert capfd.readouterr().err == f"error: {url}/none.jsonl: cannot be read: there is no such file\n"
        server.shutdown()


def test_urls_of_web_servers_need_a_package_that_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import fsspec

    def lacking(url: str) -> None:
        raise ImportError('HTTPFileSystem requires "requests" and "aiohttp" to be installed')

    monkeypatch.setattr(fsspec.core, "url_to_fs", lacking)
    assert run(monkeypatch, "https://example.org/rows.jsonl", command="measure") == 2
    told = capsys.readouterr().err
    assert told.startswith('error: aiohttp is not installed\n  install it: pip install "isocost[hub]"')


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (["s.jsonl", "s_eval_results.json"], "s_eval_results.json"),
        (["s.jsonl", "s.jsonl_results.jsonl"], "s.jsonl_results.jsonl"),
        (["s.jsonl", "s.raw.jsonl"], "s.jsonl"),
        (["s.jsonl", "s-sanitized.jsonl"], "s-sanitized.jsonl"),
        (["s.jsonl", "s-sanitized.jsonl", "s_eval_results.json"], "s_eval_results.json"),
        (["s.jsonl", "s-sanitized.jsonl", "s_eval_results.json", "s-sanitized_eval_results.json"], "s-sanitized_eval_results.json"),
        (["s.raw.jsonl", "s.jsonl", "s.raw_eval_results.json"], "s.raw_eval_results.json"),
    ],
)
def test_a_response_in_several_files_of_code_is_one_row(tmp_path: Path, names: list[str], read: str) -> None:
    for name in names:
        if name.endswith(".json"):
            foreign.evalplus_results(tmp_path / name)
        else:
            passed = {"passed": True, "result": "passed"} if "results" in name else {}
            foreign.lines(tmp_path / name, [{"task_id": "HumanEval/0", "completion": name, **passed}])
    files, left_out = expand([tmp_path])
    assert [file.name for file in files] == [read]
    assert sorted(left_out) == sorted(f"{tmp_path / name}: its solutions are read from {read}" for name in names if name != read)


def test_a_response_in_several_files_of_code_at_urls_is_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name, more in {"a/s.jsonl": {}, "a/s.jsonl_results.jsonl": {"passed": True}, "b/s.jsonl": {}}.items():
        memory.pipe_file(f"/code/{name}", json.dumps({"task_id": "T/0", "completion": "x = 1", **more}).encode())
    try:
        urls = [f"memory://code/{name}" for name in ("a/s.jsonl", "a/s.jsonl_results.jsonl", "b/s.jsonl")]
        assert run(monkeypatch, *urls, "-o", str(tmp_path / "t.jsonl"), "--model", "m") == 0
        assert capsys.readouterr().err.count("memory://code/a/s.jsonl: its solutions are read from s.jsonl_results.jsonl") == 1
        assert [json.loads(line)["correct"] for line in (tmp_path / "t.jsonl").read_text().splitlines()] == [True, None]
    finally:
        memory.rm("/code", recursive=True)


def test_of_several_files_of_code_the_one_of_the_wanted_format_is_read(tmp_path: Path) -> None:
    foreign.evalplus_results(tmp_path / "s_eval_results.json")
    for name in ("s.jsonl", "s.raw.jsonl"):
        foreign.lines(tmp_path / name, [{"task_id": "HumanEval/0", "completion": "x"}])
    assert [file.name for file in expand([tmp_path], wanted="evalplus")[0]] == ["s.jsonl"]
    assert [file.name for file in expand([tmp_path], wanted="evalplus-results")[0]] == ["s_eval_results.json"]
    assert [file.name for file in expand([tmp_path])[0]] == ["s_eval_results.json"]


def test_files_of_other_kinds_with_such_names_are_all_read(tmp_path: Path) -> None:
    for name in ("s.jsonl", "s.raw.jsonl", "s-sanitized.jsonl"):
        foreign.lines(tmp_path / name, [{"problem_id": 1, "model": "m", "generation": name}])
    assert len(expand([tmp_path])[0]) == 3


@pytest.mark.parametrize("command", ["import", "measure", "verify"])
def test_content_goes_before_the_suffix_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    rows = [{"problem_id": f"p{i}", "model": "m", "gold": "4", "generation": "4", "correct": True} for i in range(2)]
    foreign.lines(tmp_path / "rows.csv", rows)
    (tmp_path / "rows.jsonl").write_text("problem_id,model,gold,generation,correct\np0,m,4,4,true\np1,m,4,4,false\n")
    for name in ("rows.csv", "rows.jsonl"):
        out = ["-o", str(tmp_path / f"{name}.parquet")] if command == "import" else []
        if command == "verify":
            out = ["--grader", "number"]
        assert run(monkeypatch, str(tmp_path / name), *out, command=command) == 0, capfd.readouterr().err


def test_a_format_that_is_named_goes_before_what_a_file_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = {"problem_id": "a", "task_id": "b", "model": "m", "generation": "1", "completion": "2", "correct": True, "passed": False}
    path = foreign.lines(tmp_path / "rows.jsonl", [both, {"x": 1}])
    found = {}
    for name in ("plain", "evalplus"):
        assert run(monkeypatch, str(path), "-o", str(tmp_path / f"{name}.jsonl"), "--format", name) == 0, capsys.readouterr().err
        row = json.loads((tmp_path / f"{name}.jsonl").read_text().splitlines()[0])
        found[name] = row["problem_id"], row["generation"], row["correct"]
    assert found == {"plain": ("a", "1", True), "evalplus": ("b", "2", False)}
    assert "skipped 1: not a record of " in capsys.readouterr().err
    out = str(tmp_path / "no.jsonl")
    assert run(monkeypatch, str(path), "-o", out, "--format", "evalpluss") == 2
    assert capsys.readouterr().err == 'error: --format: no format "evalpluss"\n  did you mean "evalplus"?\n'
    assert run(monkeypatch, str(path), "-o", out, "--format", "lm-eval") == 2
    assert capsys.readouterr().err.startswith(f"error: {path}:1: is not a record of lm-evaluation-harness; it reads as plain")


def test_filters_that_judge_otherwise_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"doc": doc, "responses": ["#### 7"], "filtered": ["7"], "filter": name, "metrics": {"exact_match": float(right)}}
        for name, verdicts in (("strict-match", [0, 0, 1]), ("flexible-extract", [1, 1, 1]))
        for doc, right in enumerate(verdicts)
    ]
    path = foreign.harness(tmp_path / "samples_gsm8k_2026-01-01T00-00-00.jsonl", rows)
    note = (
        'its verdicts are those of the filter "strict-match"; "flexible-extract" gives 2 of 3 responses another one: choose with --filter'
    )
    assert run(monkeypatch, str(path), "-o", str(tmp_path / "a.parquet"), "--model", "m") == 0
    assert note in capsys.readouterr().err
    assert run(monkeypatch, str(path), "-o", str(tmp_path / "b.parquet"), "--model", "m", "--filter", "strict-match") == 0
    assert note not in capsys.readouterr().err


def test_filters_are_compared_by_the_score_that_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"doc": doc, "responses": ["#### 7"], "filtered": ["7"], "filter": name, "metrics": {"exact_match": 1.0, **more}}
        for name, more in (("strict", {"acc": 0, "nan": math.nan, "points": 3}), ("flexible", {"acc": 1, "nan": math.nan, "points": 5}))
        for doc in range(2)
    ]
    rows.append({"doc": 0, "responses": ["#### 7"], "filtered": ["7"], "filter": "unscored", "metrics": {}})
    path, told = foreign.harness(tmp_path / "samples_x.jsonl", rows), {}
    for name, options in {
        "the usual one": [],
        "chosen": ["--scorer", "acc"],
        "no number": ["--scorer", "nan"],
        "a rule": ["--correct", "points>=4"],
        "a rule that both pass": ["--correct", "points>=2"],
        "mapped": ["--map", "correct=acc"],
    }.items():
        out = str(tmp_path / f"{len(told)}.parquet")
        assert run(monkeypatch, str(path), "-o", out, "--model", "m", *options) == 0, name
        told[name] = '"flexible" gives 2 of 2 responses another one' in capsys.readouterr().err
    assert {name for name, note in told.items() if note} == {"chosen", "a rule", "mapped"}


def test_urls_are_named_in_place_of_their_copies_and_files_of_this_machine_are_read_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/in/some__model/rows.jsonl", b'{"problem_id": 1, "generation": "2", "correct": true}\n')
    memory.pipe_file("/in/bad.jsonl", b'{"problem_id": 1, "generation": 7}\n')
    try:
        assert run(monkeypatch, "memory://in/some__model/rows.jsonl", "-o", str(tmp_path / "a.jsonl")) == 0
        told = capsys.readouterr()
        assert "\nmemory://in/some__model/rows.jsonl: rows, 1 record, 1 sample\n" in told.err + told.out
        assert json.loads((tmp_path / "a.jsonl").read_text())["model"] == "some__model"
        for command in ("measure", "import"):
            out = ["-o", str(tmp_path / "b.jsonl")] if command == "import" else []
            assert run(monkeypatch, "memory://in/bad.jsonl", *out, command=command) == 2
            assert capsys.readouterr().err.startswith("error: memory://in/bad.jsonl:")
    finally:
        memory.rm("/in", recursive=True)
    assert run(monkeypatch, f"file://{tmp_path}/a.jsonl", "-o", str(tmp_path / "c.jsonl")) == 0
    told = capsys.readouterr()
    assert f"\n{tmp_path}/a.jsonl: rows, 1 record, 1 sample\n" in told.err + told.out


def test_the_name_of_a_file_splits_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    foreign.lines(tmp_path / "a\nb.jsonl", [{"problem_id": 1, "model": "m", "correct": True}])
    assert run(monkeypatch, str(tmp_path / "a\nb.jsonl"), "-o", str(tmp_path / "t.jsonl")) == 0
    told = capsys.readouterr()
    assert "a\\nb.jsonl: rows, 1 record" in told.err + told.out


def test_a_filter_without_a_file_that_has_filters_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = foreign.lines(tmp_path / "a.jsonl", [{"problem_id": 1, "model": "m", "correct": True}])
    assert run(monkeypatch, str(path), "-o", str(tmp_path / "t.jsonl"), "--filter", "strict") == 2
    assert capsys.readouterr().err.startswith("error: --filter strict: no file is of lm-evaluation-harness")
    assert not (tmp_path / "t.jsonl").exists()


def test_without_fsspec_a_url_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert run(monkeypatch, "s3://bucket/a.jsonl", "-o", str(tmp_path / "t.parquet")) == 2
    assert capsys.readouterr().err.startswith('error: fsspec is not installed\n  install it: pip install "isocost[hub]"')
    assert run(monkeypatch, "s3://bucket/a.jsonl", command="measure") == 2
    assert capsys.readouterr().err.startswith("error: fsspec is not installed")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (str(Path("s3://bucket/a.parquet")), "s3://bucket/a.parquet"),
        ("hf://datasets/a/b.parquet", "hf://datasets/a/b.parquet"),
        (str(Path("file:///tmp/a.parquet")), "file:///tmp/a.parquet"),
        ("a:/b.parquet", None),
        ("rows.jsonl", None),
        ("/tmp/a.parquet", None),
        ("a b:/c.parquet", None),
    ],
)
def test_a_url_is_known_after_it_was_a_path(path: str, url: str | None) -> None:
    assert remote.url_of(path) == url


def test_fsspec_is_loaded_for_urls_alone() -> None:
    code = "import sys, isocost.importing; print('fsspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

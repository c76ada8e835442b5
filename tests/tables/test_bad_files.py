"""Files that cannot be imported, each with one clear message, and records that are left out and counted."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from isocost.errors import InputError, TableError
from isocost.tables import scan_table
from isocost.tables.formats import FORMATS, format_name
from isocost.tables.formats.rules import parse_rule
from isocost.tables.reading import base
from isocost.tables.writing import write_table
from tests.matrices import first_fast
from tests.tables import foreign
from tests.tables.test_formats import read, verdicts

GOOD = {"problem_id": "p", "model": "m", "correct": True}
LM_EVAL = {"doc_id": 0, "resps": [["x"]], "target": "1", "exact_match": 1}


def of_two_kinds(path: Path) -> None:
    foreign.lines(path, [GOOD, LM_EVAL])


def cut_off_archive(path: Path) -> None:
    foreign.write_eval(path, foreign.inspect_log([foreign.inspect_sample(i, 1, {"match": "C"}) for i in range(3)]))
    path.write_bytes(path.read_bytes()[:-40])


def chunked_archive(path: Path) -> None:
    path.write_bytes(foreign.zip_of_zstandard({"header.json": b"{}", "samples/1_epoch_1/sample.json": b"{}"}))


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.jsonl": (lambda path: path.write_text(" \n"), "is empty"),
    "unknown.jsonl": (
        lambda path: foreign.lines(path, [{"a": 1, "b\x1b[31m": 2}]),
        "is of no kind that isocost knows; its fields are a, b",
    ),
    "near.jsonl": (lambda path: foreign.lines(path, [{"problem-id": 1}]), 'did you mean "problem-id"?'),
    "mixed.jsonl": (of_two_kinds, ":2: is a record of lm-evaluation-harness, and"),
    "cut.eval": (cut_off_archive, "is cut off, or damaged"),
    "chunked.eval": (chunked_archive, "stores samples in chunks"),
    "other.eval": (lambda path: path.write_bytes(foreign.zip_of_zstandard({"a.txt": b"x"})), "is a zip archive, but not a log of inspect"),
    "semicolons.csv": (lambda path: path.write_text("problem_id;model;correct\np;m;1\n"), "its columns are separated by semicolons"),
    "tabs.csv": (lambda path: path.write_text("problem_id\tmodel\np\tm\n"), "name it .tsv"),
    "quote.csv": (lambda path: path.write_text('problem_id,model,correct\n"p"x,m,1\n'), ":2: is not CSV"),
    "twice.csv": (lambda path: path.write_text("problem_id,model,model\n1,2,3\n"), 'column "model" occurs twice'),
    "again.jsonl": (
        lambda path: foreign.lines(path, [GOOD | {"sample_index": 0}, GOOD | {"sample_index": 0}]),
        ':2: sample 0 of model "m", problem "p" is there already',
    ),
    "torn.json": (lambda path: path.write_text('{\n "eval": {"model"'), "not JSON"),
    "list.json": (lambda path: path.write_text("[1, 2]"), "gives no sample: not a JSON object"),
    "key.json": (lambda path: path.write_text('{\n"samples": [], "samples": []}'), 'key "samples" occurs twice'),
    "list.yaml": (lambda path: path.write_text("- 1\n- 2\n"), "holds no YAML mapping"),
    "bad.yaml": (lambda path: path.write_text("a: [1\nb: 2\n"), ":2: is not YAML"),
    "object.yaml": (lambda path: path.write_text("a: !!python/object:os.system x\n"), "is not YAML"),
    "packed.jsonl": (lambda path: path.write_bytes(gzip.compress(b"{}")), "is compressed\n  gzip -dc"),
    "wide.jsonl": (lambda path: path.write_bytes('{"a": 1}'.encode("utf-16")), "is UTF-16 text"),
    "image.bin": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "is no kind of file that isocost reads"),
    "cut.parquet": (lambda path: path.write_bytes(b"PAR1" + b"x" * 50), "cannot be read as Parquet"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_refused_in_one_to_three_lines(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write, message = CASES[name]
    write(path)
    with pytest.raises(TableError) as caught:
        read(path)
    text = str(caught.value)
    assert message in text
    assert text.startswith(str(path))
    assert len(text.splitlines()) <= 3


def test_a_missing_file_and_a_file_named_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        read(tmp_path / "none.jsonl")
    path = foreign.lines(tmp_path / "a.jsonl", [GOOD])
    with pytest.raises(TableError, match="is named twice"):
        read(path, tmp_path / "*.jsonl")
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    with pytest.raises(TableError, match="Too many levels of symbolic links"):
        read(tmp_path / "loop.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TableError, match="holds no file of samples"):
        read(tmp_path / "empty")


def test_a_torn_line_and_bad_values_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        GOOD,
        GOOD | {"num_generated_tokens": -1},
        GOOD | {"generation": 5},
        GOOD | {"problem_id": None},
        GOOD | {"correct": None},
        GOOD | {"outcome": "incorrect"},
        '{"problem_id": "p", "mod',
    ]
    found, account = read(foreign.lines(tmp_path / "rows.jsonl", rows))
    assert len(found) == 1
    assert {reason: many for reason, (many, _) in account.skipped.items()} == {
        "num_generated_tokens must be a whole number of at least 0": 1,
        "generation must be text": 1,
        "no problem_id": 1,
        "neither a verdict nor a text: no score": 1,
        'correct is true and outcome is "incorrect"': 1,
        "not JSON": 1,
    }
    assert account.files[str(tmp_path / "rows.jsonl")][1:] == [7, 1]


def test_a_line_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = foreign.lines(tmp_path / "rows.jsonl", [GOOD, GOOD | {"generation": "x" * 500}])
    monkeypatch.setattr(base, "LONGEST", 200)
    with pytest.raises(TableError, match=":2: is longer than 200 bytes"):
        read(path)


def test_texts_with_lone_surrogates_and_control_characters_are_kept_as_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"problem_id": "p", "model": "m", "correct": true, "generation": "a\\u0000\\ud83d\\ude00\\udfff"}\n', encoding="utf-8")
    ((row,), _) = read(path)
    assert (row["problem_id"], row["generation"]) == ("p", "a\0\U0001f600\ufffd")


def test_damaged_bytes_of_an_archive_never_pass_silently(tmp_path: Path) -> None:
    path = foreign.write_eval(tmp_path / "log.eval", foreign.inspect_log([foreign.inspect_sample(1, 1, {"match": "C"})]))
    whole, rng = path.read_bytes(), random.Random(1)
    for _ in range(60):
        place = rng.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :])
        try:
            rows, account = read(path)
        except TableError:
            continue
        assert verdicts(rows) == [True] or account.skipped  # damage of a field that nothing reads


def forms(folder: Path) -> dict[str, object]:
    """A record of each format."""
    (foreign.evalplus_results(folder / "results.json"), foreign.monkeys(folder / "monkeys"))
    (nemo, harness) = (
        foreign.nemo(folder / "n.jsonl", [True], judgement="Judgement: yes"),
        foreign.harness(folder / "h.jsonl", [{"doc": 1, "responses": ["a"], "filtered": ["1"], "metrics": {"exact_match": 1}}]),
    )
    return {
        "inspect": foreign.inspect_log([foreign.inspect_sample(1, 1, {"match": "C"}, attachments={"a": "b"})]),
        "evalplus-results": json.loads((folder / "results.json").read_text()),
        "evalplus": {"task_id": "HumanEval/1", "completion": "x", "passed": True},
        "lm-eval": json.loads(harness.read_text()),
        "nemo-skills": json.loads(nemo.read_text()),
        "verifiers": foreign.rollout(1, 1.0),
        "verifiers-trace": foreign.trace("t", {"a": {"score": 1.0, "weight": 1.0}}),
        "open-r1": pl.read_parquet(foreign.generations(folder / "r1.parquet")).to_dicts()[0],
        "large-language-monkeys": yaml.safe_load((folder / "monkeys" / "7.yaml").read_text()),
        "plain": GOOD | {"generation": "x", "sample_index": 0, "reward": 0.5},
    }


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, each in items for inner in places(each, (*path, key)))][0 if path else 1 :]


ODD: list[object] = [None, True, -1, 1.5, 10**400, float("nan"), "", "x\ud800", [], [[]], [5], {}, {"a": {}}, [{"role": "assistant"}]]


@pytest.mark.parametrize("kind", first_fast(FORMATS))
def test_an_odd_value_at_any_place_is_read_or_refused_and_never_a_fault(tmp_path: Path, kind: str) -> None:
    record = forms(tmp_path)[kind]
    assert format_name(record) == kind  # type: ignore[arg-type]
    found: list[dict[str, Any]] = []
    for place in places(record):
        for odd in ODD:
            changed = copy.deepcopy(record)
            target: Any = changed
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = odd
            path = foreign.lines(tmp_path / "odd.jsonl", [changed])
            with contextlib.suppress(TableError):
                found += read(path)[0]
    write_table(found, tmp_path / "odd.parquet")


@pytest.mark.parametrize("text", ["", "reward", "reward>", ">=1", "reward>=one", "reward>=nan", "reward=>1", "a>=1>=2"])
def test_a_bad_rule_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write it as --correct 'reward>=1'"):
        parse_rule(text)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"columns": {"level": "levle"}}, '--map level=levle: no sample has "levle"\n  did you mean "level"?'),
        ({"columns": {"correct": "ok"}}, '--map correct=ok: no sample has "ok"\n  they have correct, problem_id, model, generation, level'),
        ({"rule": "rewards>=1"}, "--correct 'rewards>=1': no sample has \"rewards\""),
    ],
)
def test_a_field_that_no_sample_has_is_refused(tmp_path: Path, wishes: dict[str, object], message: str) -> None:
    path = foreign.lines(tmp_path / "rows.jsonl", [GOOD | {"generation": "x", "level": 3}])
    with pytest.raises(TableError) as caught:
        read(path, **wishes)
    assert message in str(caught.value)


def test_a_field_that_no_sample_has_is_named_before_the_missing_text(tmp_path: Path) -> None:
    path = foreign.lines(tmp_path / "rows.jsonl", [{"problem_id": 1, "model": "m", "response": "x"}])
    with pytest.raises(TableError, match='--map generation=respnse: no sample has "respnse"\n  did you mean "response"'):
        read(path, columns={"generation": "respnse"})


def test_a_field_that_a_file_has_is_no_suggestion(tmp_path: Path) -> None:
    path = foreign.lines(tmp_path / "rows.jsonl", [{"generation": "x", "expected_answer": "1"}])
    with pytest.raises(TableError) as caught:
        read(path)
    assert "did you mean" not in str(caught.value)
    assert "--map problem_id=FIELD --map model=FIELD" in str(caught.value)
    assert "generation=FIELD" not in str(caught.value)


@pytest.mark.parametrize("name", ["plain.csv", "wide.csv", "p.jsonl.gz", "none.csv"])
def test_every_command_names_the_cause_that_import_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    contents = {"plain.csv": b"a,b\n1,2\n", "wide.csv": "a,b\n".encode("utf-16"), "p.jsonl.gz": gzip.compress(b"{}")}
    if name in contents:
        path.write_bytes(contents[name])
    with pytest.raises(TableError) as imported:
        read(path)
    with pytest.raises(TableError) as scanned:
        scan_table(str(path))
    assert str(scanned.value) == str(imported.value)


def test_whole_ids_that_are_floats_become_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame([GOOD | {"problem_id": 0.0}, GOOD | {"problem_id": 1.5}]).write_parquet(path)
    assert [row["problem_id"] for row in read(path)[0]] == ["0", "1.5"]
    with pytest.raises(TableError, match=r"found 0\.0\n  isocost import FILE -o TABLE makes whole numbers of such ids"):
        scan_table(str(path))


def test_a_rule_reads_a_nested_field(tmp_path: Path) -> None:
    rows = [GOOD | {"scores": {"judge": value}} for value in (3, 8, "9", None)]
    path = foreign.lines(tmp_path / "rows.jsonl", [row | {"generation": "x"} for row in rows])
    assert verdicts(read(path, rule="scores.judge>7")[0]) == [False, True, True, None]


def test_every_command_reads_files_of_other_tools_and_refuses_what_import_leaves_out(tmp_path: Path) -> None:
    for seed in range(2):
        foreign.nemo(tmp_path / f"output-rs{seed}.jsonl", [True, seed == 0])
    table = scan_table(str(tmp_path / "output-rs*.jsonl")).collect()
    assert table["correct"].to_list() == [True, True, True, False]
    assert table["sample_index"].to_list() == [0, 0, 1, 1]
    with (tmp_path / "output-rs1.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"problem": "torn')
    with pytest.raises(TableError, match=":3: not JSON\n  isocost import FILE -o TABLE leaves such records out"):
        scan_table(str(tmp_path / "output-rs*.jsonl"))


def test_a_csv_is_a_table_of_samples(tmp_path: Path) -> None:
    rows = pl.DataFrame([GOOD | {"level": 3}, GOOD | {"correct": False, "level": 4}])
    rows.write_csv(tmp_path / "rows.csv")
    found = scan_table(str(tmp_path / "rows.csv"), ["level"]).collect()
    assert found.select("problem_id", "model", "correct", "level").rows() == [("p", "m", True, "3"), ("p", "m", False, "4")]


def test_a_json_log_with_many_samples_names_the_one_that_is_wrong(tmp_path: Path) -> None:
    log = foreign.inspect_log([foreign.inspect_sample(1, 1, {"m": "C"}), {"epoch": 1}])
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log, indent=1), encoding="utf-8")
    _, account = read(path)
    assert account.skipped == {"not a sample with an id": (1, f"{path}: sample 2")}

import json
import os
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pytest

from isocost.errors import ProblemsError
from isocost.problems import COMMON, SOURCES, load_problems, rows, source_function, source_options
from isocost.problems.rows import to_problem
from isocost.records import Problem

OWN = "tests.problems.own_source"


def write(folder: Path, *lines: str, name: str = "own.jsonl") -> dict[str, object]:
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return {"path": name}


def row(**fields: object) -> str:
    return json.dumps(fields)


def test_a_row_becomes_a_problem(tmp_path: Path) -> None:
    options = write(tmp_path, row(id="a", question=" How many? ", answer=12, level=3, tags=["x"]), "", row(problem="Why?", answer="so"))
    assert load_problems("jsonl", options, base=tmp_path) == [
        Problem(id="a", question="How many?", answer="12", metadata={"level": 3}),
        Problem(id="own-3", question="Why?", answer="so"),
    ]


def test_fields_can_be_named(tmp_path: Path) -> None:
    options = write(tmp_path, row(n=1, q="Q", a="A"))
    named = load_problems("jsonl", {**options, "id_field": "n", "question_field": "q", "answer_field": "a"}, base=tmp_path)
    assert named == [Problem(id="1", question="Q", answer="A")]


def test_skip_then_limit(tmp_path: Path) -> None:
    options = write(tmp_path, *(row(id=i, question="?", answer=i) for i in range(10)))
    chosen = load_problems("jsonl", {**options, "skip": 3, "limit": 2}, base=tmp_path)
    assert [problem.id for problem in chosen] == ["3", "4"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], r"own\.jsonl:1: not JSON: .* at column 2"),
        ([row(question="?", answer="1"), row(question="a\ud800", answer="1")], r'own\.jsonl:2: field "question" holds half a character'),
        ([row(question="?", answer="1"), "[1]"], r"own\.jsonl:2: a JSON object is needed, not list"),
        ([row(answer="1")], r"own\.jsonl:1: no question; name its field with question_field"),
        ([row(question="?", id="x")], r"own\.jsonl:1: no answer"),
        ([row(question=" ", answer="1")], r'own\.jsonl:1: field "question" is empty'),
        ([row(id=1, question="?", answer=1), row(id=1, question="!", answer=1)], r'own\.jsonl:2: id "1" is already used in .*:1'),
        ([""], "empty"),
    ],
)
def test_bad_rows_are_refused_with_file_and_line(tmp_path: Path, lines: list[str], message: str) -> None:
    options = write(tmp_path, *lines)
    with pytest.raises(ProblemsError, match=message):
        load_problems("jsonl", options, base=tmp_path)


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_bytes(row(question="?", answer="1").encode() + b'\n{"question": "\xff", "answer": "1"}\n')
    with pytest.raises(ProblemsError, match=r"own\.jsonl:2: not UTF-8"):
        load_problems("jsonl", {"path": "own.jsonl"}, base=tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(row(id="a", question="?", answer="1"), encoding="utf-8-sig")
    assert [problem.id for problem in load_problems("jsonl", {"path": "own.jsonl"}, base=tmp_path)] == ["a"]


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("jsonl", {"path": "none.jsonl"}, "none.jsonl: cannot be read: No such file"),
        ("jsonl", {}, "path must be given"),
        ("jsonl", {"path": "x", "answer_feild": "a"}, 'unknown key "answer_feild"\n  did you mean "answer_field"'),
        ("jsonl", {"path": "x", "limit": "many"}, "limit must be a whole number, not 'many'"),
        ("gsm8", {}, 'did you mean "gsm8k"'),
        ("zzz", {}, "known: .*gsm8k, "),
        ("no_such_package:load", {}, "cannot be imported"),
        ("gsm8k", {"split": "dev", "path": "."}, "train and test"),
        ("lab", {"split": "train"}, "infinite: set limit"),
        ("lab", {"split": "dev", "limit": 1}, "unknown split 'dev'"),
        ("lab", {"limit": 0}, "none left"),
        (f"{OWN}:nothing", {}, f'"{OWN}:nothing" returns no problems but NoneType'),
        (f"{OWN}:rows", {}, "{'id': 'a', 'question': '[?]', 'answer': '1'} is no isocost.records.Problem"),
        (f"{OWN}:untexted", {}, "is no isocost.records.Problem with texts"),
        (f"{OWN}:rows", {"where": {"level": 1}}, "is no isocost.records.Problem"),
        (f"{OWN}:rows", {"repeated": "merge"}, "is no isocost.records.Problem"),
        ("jsonl", {"path": None}, 'problem source "jsonl": path: must be a valid string, not null'),
        ("jsonl", {"path": ["a.jsonl"]}, r'path: must be a valid string, not \["a.jsonl"\]'),
        ("lab", {"split": ["train"], "limit": 1}, "split: must be a valid string"),
        ("lab", {"seed": "one", "limit": 1}, "seed: must be a valid integer"),
        ("tests.broken_part:load", {}, '"tests.broken_part:load" cannot be imported: SystemExit: 3'),
        (".x:f", {}, '".x:f" is a file, not a module'),
    ],
)
def test_bad_options_are_refused(tmp_path: Path, source: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemsError, match=message):
        load_problems(source, options, base=tmp_path)


def test_gsm8k_reads_what_follows_the_hashes(tmp_path: Path) -> None:
    write(tmp_path, row(question="How many?", answer="3+4=<<3+4=7>>7\n#### 1,007"), name="test.jsonl")
    assert load_problems("gsm8k", {"path": ".", "split": "test"}, base=tmp_path) == [
        Problem(id="gsm8k-test-00000", question="How many?", answer="1,007")
    ]
    write(tmp_path, row(question="How many?", answer="7"), name="train.jsonl")
    with pytest.raises(ProblemsError, match=r"train\.jsonl:1: a GSM8K row needs"):
        load_problems("gsm8k", {"path": "."}, base=tmp_path)


def test_math_keeps_level_and_subject(tmp_path: Path) -> None:
    options = write(tmp_path, row(problem="?", solution="long", answer="\\pi", subject="Algebra", level=2, unique_id="test/1"))
    assert load_problems("math", options, base=tmp_path) == [
        Problem(id="test/1", question="?", answer="\\pi", metadata={"subject": "Algebra", "level": 2})
    ]


def test_a_function_of_the_users(tmp_path: Path) -> None:
    options: dict[str, object] = {"count": 3, "limit": 2}
    assert [problem.id for problem in load_problems(f"{OWN}:load", options, base=tmp_path)] == ["own-0", "own-1"]
    with pytest.raises(ProblemsError, match='did you mean "count"'):
        load_problems(f"{OWN}:load", {"cuont": 3}, base=tmp_path)
    with pytest.raises(ProblemsError, match='2 ids occur more than once, first "same-0"'):
        load_problems(f"{OWN}:repeating", {}, base=tmp_path)


def test_a_source_without_end_is_told_to_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.problems.MOST_UNLIMITED", 1000)
    with pytest.raises(ProblemsError, match="has more than 1,000 problems, or no end: set limit"):
        load_problems(f"{OWN}:endless", {}, base=tmp_path)
    assert len(load_problems(f"{OWN}:endless", {"limit": 1500}, base=tmp_path)) == 1500


@pytest.mark.parametrize("source", SOURCES)
def test_the_options_of_every_source_have_types(source: str) -> None:
    hints = get_type_hints(source_function(source))
    assert {key for key in source_options(source) if key not in COMMON} <= hints.keys()


def test_a_field_of_any_type_is_refused_with_its_value() -> None:
    with pytest.raises(ProblemsError, match=r'row 3: field "question" must be text or a number, not "2026-11-30"'):
        to_problem({"question": date(2026, 11, 30), "answer": "1"}, "row 3", default_id="a")


def test_a_pipe_or_device_is_refused_before_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("pipe", "/dev/zero"):
        with pytest.raises(ProblemsError, match=r"is not an ordinary file.*\n  write the problems into a file first"):
            load_problems("jsonl", {"path": path}, base=tmp_path)


def test_a_line_that_never_ends_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LONGEST", 1000)
    fitting = row(id="a", question="x" * 900, answer="1")
    options = write(tmp_path, fitting, "y" * 2000)
    with pytest.raises(ProblemsError, match=r"own\.jsonl:2: is longer than 1,000 bytes"):
        load_problems("jsonl", options, base=tmp_path)
    assert len(load_problems("jsonl", write(tmp_path, fitting), base=tmp_path)) == 1

"""Tables as lines of JSON: what is refused, whichever parser reads it; parts; texts that are read again."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from isocost.errors import TableError
from isocost.measuring import survey
from isocost.tables import scan_table
from isocost.tables.columns import COLUMNS, all_fit, fits
from tests.builders import read_table

ROW: dict[str, Any] = {"problem_id": "p", "model": "m", "correct": True}


def write(folder: Path, *rows: object) -> str:
    path = folder / "table.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def refusal(path: str) -> str:
    with pytest.raises(TableError) as caught:
        scan_table(path)
    return str(caught.value).removeprefix(str(Path(path).parent) + "/")


@pytest.fixture(params=[2, 7, 1000])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.tables.jsonl._LINES", request.param)
    monkeypatch.setattr("isocost.tables.jsonl._SLICE", request.param)


def a_row(i: int) -> dict[str, Any]:
    answer: Any = i if i % 3 else None
    row = {**ROW, "problem_id": i // 10, "sample_index": i % 10, "generation": f"text {i} \u00e9", "predicted_answer": answer, "cost": i}
    return row if i % 2 else {**row, "correct": None, "cost": 0.5}


@pytest.mark.usefixtures("parts")
def test_a_file_in_parts_reads_as_one(tmp_path: Path) -> None:
    rows = [a_row(i) for i in range(50)]
    path = write(tmp_path, *rows[:20], "", "  ", *rows[20:])
    found = read_table(path)
    assert found.height == 50
    assert found["generation"].to_list() == [row["generation"] for row in rows]
    assert found["predicted_answer"].to_list() == [
        None if row["predicted_answer"] is None else str(row["predicted_answer"]) for row in rows
    ]
    assert found["cost"].to_list() == [float(row["cost"]) for row in rows]
    assert found["correct"].to_list() == [row["correct"] for row in rows]
    assert all(found.schema[name] == COLUMNS[name] for name in found.columns)
    lazy = scan_table(path)
    assert lazy.head(9).collect(engine="streaming").height == 9
    assert lazy.select("cost").head(9).collect(engine="streaming").height == 9
    assert lazy.filter("correct").select("generation").collect(engine="streaming").height == 25
    twice = write(tmp_path, *rows[:20], "", "  ", *rows[20:], rows[30])
    assert refusal(twice).startswith('table.jsonl:53: sample_index 0 occurs twice in pool "m", problem "3"')


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"correct": 2}, "correct must be true, false or null, found 2"),
        ({"sample_index": None}, "sample_index must be a whole number of at least 0, found null"),
        ({"sample_index": 1.0}, "sample_index must be a whole number of at least 0, found 1.0"),
        ({"sample_index": True}, "sample_index must be a whole number of at least 0, found true"),
        ({"sample_index": 2**63}, "sample_index must be a whole number of at least 0, found 9223372036854775808"),
        ({"model": 5}, "model must be text, found 5"),
        ({"pool": None}, "pool must be text, found null"),
        ({"generation": ["a"]}, 'generation must be text, found ["a"]'),
        ({"generation": "\ud800"}, 'generation must be text, found "\\ud800"'),
        ({"cost": float("nan")}, "cost must be a number of at least 0, found NaN"),
        ({"cost": 5e-324}, "cost must be 0 or from 1e-60 to 1e+60, found 5e-324"),
        ({"cost": 1e300}, "cost must be 0 or from 1e-60 to 1e+60, found 1e+300"),
        ({"cost": float("inf")}, "cost must be a number of at least 0, found Infinity"),
        ({"cost": 10**400}, "cost must be 0 or from 1e-60 to 1e+60, found 1000000"),
    ],
)
def test_a_bad_value_is_named_in_whatever_part_it_stands(tmp_path: Path, bad: dict[str, Any], words: str) -> None:
    rows = [{**a_row(i), "pool": "a"} for i in range(12)]
    assert refusal(write(tmp_path, *rows[:9], "", {**rows[9], **bad}, rows[10])).startswith(f"table.jsonl:11: {words}")


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("name", ["problem_id", "model", "correct"])
def test_a_line_that_lacks_a_needed_column_is_named(tmp_path: Path, name: str) -> None:
    lacking = {key: value for key, value in a_row(9).items() if key != name}
    assert refusal(write(tmp_path, *map(a_row, range(9)), {**lacking, "meta": {name: True}})).startswith(
        f"table.jsonl:10: missing column {name}"
    )


def test_what_only_the_slow_parser_reads_is_read(tmp_path: Path) -> None:
    deep = "[" * 300 + "]" * 300
    line = json.dumps(ROW)[:-1] + f', "other": {deep}, "odd": "\\ud800", "cost": 1{"0" * 50}}}'
    with pytest.raises(ValueError, match="recursion limit"):
        from_json(line)
    assert read_table(write(tmp_path, ROW, line))["cost"].to_list() == [None, 1e50]


def test_two_objects_in_a_line_and_one_in_two_are_refused(tmp_path: Path) -> None:
    one = json.dumps(ROW)
    assert refusal(write(tmp_path, ROW, f"{one} null {one}")).startswith("table.jsonl:2: not JSON: Extra data")
    assert refusal(write(tmp_path, ROW, one[:-1], "}")).startswith("table.jsonl:2: not JSON: ")
    assert refusal(write(tmp_path, ROW, "null")) == "table.jsonl:2: not a JSON object"


def test_large_numbers_of_a_cost_are_rounded_not_refused(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, {**ROW, "cost": 10**30}, {**ROW, "cost": 2**53 + 1}))["cost"].to_list() == [1e30, 2.0**53]


def test_a_part_ends_with_many_characters_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**ROW, "generation": "x" * 100 * i} for i in range(30)]
    path = write(tmp_path, *rows)
    monkeypatch.setattr("isocost.tables.jsonl._CHARACTERS", 500)
    sizes = [batch.height for batch in scan_table(path).select("generation").collect_batches(maintain_order=True)]
    assert sum(sizes) == 30
    assert read_table(path)["generation"].to_list() == [row["generation"] for row in rows]


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, *map(a_row, range(20)))
    lazy = scan_table(path)
    write(tmp_path, *map(a_row, range(8)))
    with pytest.raises(TableError, match="changed"):
        survey(lazy, [1], levels=["string"])
    write(tmp_path, *map(a_row, range(8)), {**a_row(8), "generation": 5})
    with pytest.raises(TableError, match="generation must be text"):
        survey(lazy, [1], levels=["string"])


def test_texts_are_not_kept(tmp_path: Path) -> None:
    path = write(tmp_path, *map(a_row, range(20)))
    lazy = scan_table(path)
    Path(path).unlink()
    assert lazy.select("problem_id", "predicted_answer").collect().height == 20
    with pytest.raises(TableError, match="cannot be read"):
        lazy.select("generation").collect()


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(2**62, 2**65),
    st.integers(-(2**65), -(2**62)),
    st.floats(),
    st.text(max_size=3),
)


@given(st.lists(VALUES, max_size=4), st.sampled_from([*COLUMNS, "own"]))
def test_a_column_fits_where_each_value_does(values: list[object], name: str) -> None:
    assert all_fit(values, name, given=True) == all(fits(value, name) for value in values)


STRINGS = ['"', "\\ud83d", "\\udc00", "\\u0041", "\\", "\t", "\n", "\x0b", "\xa0", "\x00", "\ufeff", "\u00e9", "/", "'", '"b":', '"c"']
NUMBERS = ["NaN", "-Infinity", "-", "0", "1", ".", "e", "E+", "9" * 30, "1e400", "0.1", "null", "tru", "true"]
PIECES = st.sampled_from([*STRINGS, *NUMBERS, '{"a":', "}", "[", "]", ",", ":", " ", '{"a":1}', '{"a":1,"a":"x"}'])


@given(st.lists(PIECES, max_size=9).map("".join), st.booleans())
def test_what_the_fast_parser_reads_the_standard_library_reads_the_same(text: str, whole: bool) -> None:
    text = '{"a":' + text + "}" if whole else text
    try:
        fast = from_json(text)
    except ValueError:
        return
    assert repr(json.loads(text)) == repr(fast)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = Path(write(tmp_path, ROW, {**ROW, "correct": False}))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_table(str(path))["correct"].to_list() == [True, False]


def test_text_that_is_not_utf_8_says_what_to_do(tmp_path: Path) -> None:
    path = Path(write(tmp_path, ROW))
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1") + b"\xff")
    assert refusal(str(path)) == "table.jsonl:2: not UTF-8, at byte 1, the text encoding of JSON\n  save it as UTF-8"
    for encoding in ("utf-16", "utf-16-le"):
        path.write_bytes(json.dumps(ROW).encode(encoding))
        assert refusal(str(path)).startswith("table.jsonl: is UTF-16")


@pytest.mark.parametrize(
    "text", ['{"correct": false, ', '{"correct" : false, ', '{"more": [{"a": 1, "a": 1}], ', '{"corr\\u0065ct": false, ']
)
def test_a_key_that_occurs_twice_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    path = Path(write(tmp_path, ROW))
    path.write_text(json.dumps(ROW) + "\n" + text + json.dumps(ROW)[1:] + "\n", encoding="utf-8")
    key = "a" if "more" in text else "correct"
    assert refusal(str(path)) == f'table.jsonl:2: key "{key}" occurs twice in one object; keep one'


def test_quotes_and_colons_in_a_text_are_no_keys(tmp_path: Path) -> None:
    generation = 'return {"a": 1, "a": 2, "b" : 3}'
    assert read_table(write(tmp_path, {**ROW, "generation": generation}))["generation"].to_list() == [generation]

from __future__ import annotations

from pathlib import Path

import pytest

from isocost import cli
from isocost.cli.arguments import key_values, refuse_empty, refuse_expanded, whole_numbers
from isocost.errors import InputError


def test_values_of_options_are_read_as_in_a_study_file() -> None:
    assert key_values(["n=3", "x=1e-6", "flag=yes", "name=a b", "list=[1, 2]"], "--option") == {
        "n": 3,
        "x": 1e-6,
        "flag": True,
        "name": "a b",
        "list": [1, 2],
    }
    assert key_values(None, "--option") == {}


@pytest.mark.parametrize("value", ["a: b: c", "010", "[", "%x"])
def test_what_is_no_yaml_or_octal_is_text(value: str) -> None:
    assert key_values([f"path={value}"], "--option") == {"path": value}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["path"], "--option path: write it as KEY=VALUE"),
        (["=x"], "--option =x: write it as KEY=VALUE"),
        (["n=1", "n=2"], "--option n=2: n is given twice; give it once"),
    ],
)
def test_an_option_that_is_written_otherwise_is_refused(settings: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        key_values(settings, "--option")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["import", "a.csv", "--grade", "", "-o", "b.parquet"], "--grade"),
        (["import", "a.csv", "--grade=", "-o", "b.parquet"], "--grade"),
        (["run", "study.yaml", "-o", ""], "-o"),
        (["measure", ""], "argument 2"),
    ],
)
def test_an_argument_of_a_variable_that_is_not_set_is_refused(
    words: list[str], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("isocost.cli.signal.signal", lambda *_: None)  # the handlers of the process that tests stay as they are
    monkeypatch.setattr("sys.argv", ["isocost", *words])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert capsys.readouterr().err == f"error: {name}: is empty\n  is a variable of the shell not set?\n"


def test_a_setting_may_be_empty() -> None:
    refuse_empty(["run", "study.yaml", "--set", "prompt.system=", "--set=name=", "--map=a=", "-"])


def test_a_list_of_whole_numbers_keeps_its_order() -> None:
    assert whole_numbers("10, 1,3", "--k") == [10, 1, 3]


@pytest.mark.parametrize("text", ["", "0", "1,,2", "-1", "1.5", "a", "1;2"])
def test_what_is_no_list_of_whole_numbers_above_0_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=f'^--k: "{text}" is not a list of whole numbers above 0\n  write it as --k 1,3,10$'):
        whole_numbers(text, "--k")


def test_a_pattern_that_the_shell_expanded_is_to_be_quoted(tmp_path: Path) -> None:
    files = [str(tmp_path / f"rs{seed}.jsonl") for seed in range(3)]
    for file in files:
        Path(file).touch()
    with pytest.raises(InputError) as caught:
        refuse_expanded(["measure", *files, "--k", "1"])
    assert f"takes one table, found 3 files: {files[0]}, {files[1]}, ..." in str(caught.value)
    assert f"put a pattern in quotes: isocost measure '{tmp_path}/*.jsonl'" in str(caught.value)
    for words in (["measure", files[0]], ["import", *files], ["measure", files[0], "-o", files[1]], []):
        refuse_expanded(words)

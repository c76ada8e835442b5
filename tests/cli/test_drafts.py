"""`isocost init` writes a study file: by options, by questions on a terminal, and never over a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from isocost.cli import app
from isocost.errors import InputError
from tests.openai_runs import run_process


def test_a_template_asks_nothing(tmp_path: Path) -> None:
    left = run_process("init", tmp_path / "new" / "study.yaml", "--template", "endpoint", "--models", "small,large")
    assert left.code == 0, left.err
    assert "wrote" in left.err
    assert "--dry-run" in left.err
    study = yaml.safe_load((tmp_path / "new" / "study.yaml").read_text(encoding="utf-8"))
    assert [study["models"][name]["model"] for name in ("weak", "strong")] == ["small", "large"]


@pytest.mark.parametrize(
    ("models", "urls", "found"),
    [
        ("small,large", "https://a.example/v1", ["https://a.example/v1"] * 2),
        ("small,large", "http://a:1/v1, http://b:2/v1?k=1#x", ["http://a:1/v1", "http://b:2/v1?k=1#x"]),
        ("one", "http://[::1]:8000/v1", ["http://[::1]:8000/v1"]),
    ],
)
def test_addresses_are_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: str, urls: str, found: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "--template", "endpoint", "--models", models, "--base-url", urls])
    assert done.exit_code == 0, done.output
    assert "its prices are examples" in done.output
    study = yaml.safe_load((tmp_path / "study.yaml").read_text(encoding="utf-8"))
    assert [model["base_url"] for model in study["models"].values()] == found


def test_an_address_and_prices_leave_nothing_to_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are of endpoints alone, so no template is asked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problems.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    options = ["--problems", "problems.jsonl", "--base-url", "http://a/v1", "--price"]
    done = CliRunner().invoke(app, ["init", "two.yaml", *options, "0.1/.4,0.6/2", "--models", "small,large"])
    assert isinstance(done.exception, InputError)
    assert str(done.exception).startswith('--price: "0.1/.4" is no price')
    done = CliRunner().invoke(app, ["init", "two.yaml", *options, "0.1/0.4,0.6/2", "--models", "small,large"])
    assert done.output == "wrote two.yaml: look through it, then\n  isocost run two.yaml --dry-run\n"
    models = yaml.safe_load((tmp_path / "two.yaml").read_text(encoding="utf-8"))["models"]
    assert [model["price"] for model in models.values()] == [{"input": 0.1, "output": 0.4}, {"input": 0.6, "output": 2}]
    assert "example" not in (tmp_path / "two.yaml").read_text(encoding="utf-8")
    done = CliRunner().invoke(app, ["init", "one.yaml", *options, "0.1/0.4", "--models", "small"])
    assert yaml.safe_load((tmp_path / "one.yaml").read_text(encoding="utf-8"))["models"]["generator"]["price"] == {
        "input": 0.1,
        "output": 0.4,
    }
    done = CliRunner().invoke(app, ["init", "three.yaml", *options, "1/2,3/4,5/6", "--models", "small,large"])
    assert str(done.exception) == "--price: 3 prices for 2 models"


@pytest.mark.parametrize(
    ("template", "urls", "message"),
    [
        ("endpoint", "localhost:8000", '--base-url: "localhost:8000" is no address'),
        ("endpoint", "http://a,http://b,http://c", "--base-url: 3 addresses for 2 models"),
        ("endpoint", "", '--base-url: "" is no address'),
        ("gpu", "http://a", "the template gpu has no endpoints"),
    ],
)
def test_wrong_addresses_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, urls: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "--template", template, "--models", "a,b", "--base-url", urls])
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_the_study_is_named_after_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_text('{"text": "1+1?", "answer": "2"}\n')
    for file, name in (("study.yaml", "mine"), ("first.yaml", "first")):
        options = ["--template", "endpoint", "--problems", "mine.jsonl", "--question-field", "text"]
        done = CliRunner().invoke(app, ["init", file, *options])
        assert done.exit_code == 0, done.output
        assert "prices are examples" in done.output
        study = yaml.safe_load((tmp_path / file).read_text(encoding="utf-8"))
        assert (study["name"], study["problems"]["train"]["question_field"]) == (name, "text")


def test_three_questions_are_asked_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("isocost.cli.drafts.is_terminal", lambda: True)
    done = CliRunner().invoke(app, ["init"], input="gpu\n\nsmall,large\n")
    assert done.exit_code == 0, done.output
    assert done.output.count("?") == 3
    study = yaml.safe_load((tmp_path / "study.yaml").read_text(encoding="utf-8"))
    assert study["problems"]["train"]["source"] == "gsm8k"
    assert study["models"]["strong"]["model"] == "large"


def test_without_a_terminal_and_a_template_it_says_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init"])
    assert isinstance(done.exception, InputError)
    assert "--template endpoint|gpu|table|code" in str(done.exception)


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("mine")
    done = CliRunner().invoke(app, ["init", str(path), "--template", "gpu"])
    assert isinstance(done.exception, InputError)
    assert "exists, and is not written over" in str(done.exception)
    assert path.read_text() == "mine"


def test_a_file_of_problems_that_is_missing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "study.yaml", "--template", "endpoint", "--problems", "nope.jsonl"])
    assert isinstance(done.exception, InputError)
    assert "nope.jsonl: no such file of problems" in str(done.exception)
    assert not (tmp_path / "study.yaml").exists()


def test_a_table_that_is_not_there_is_asked_for_by_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "--template", "table"])
    assert isinstance(done.exception, InputError)
    assert str(done.exception) == "samples.parquet: no such table of samples\n  name yours: --table FILE"
    assert not list(tmp_path.iterdir())


def test_a_table_that_is_named_may_be_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"problem_id": "1", "model": model, "generation": "7", "correct": True} for model in ("small", "large")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for number, table in enumerate((f"file://{tmp_path}/rows.jsonl", "*ws.jsonl")):
        done = CliRunner().invoke(app, ["init", f"s{number}.yaml", "--template", "table", "--table", table, "--problems", "gsm8k"])
        assert done.exit_code == 0, done.output

"""Drafts of study files: each template is a valid study, problems choose the grader, and names survive YAML."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from isocost.drafting import DEFAULTS, SOURCES, draft, models_of, refuse_unknown
from isocost.errors import InputError, ProblemsError
from isocost.preparing.parts import known_parts
from isocost.studyfile import load_study

ROOT = Path(__file__).resolve().parents[2]


def drafted(folder: Path, template: str, problems: str | None = None, models: tuple[str, ...] = ()) -> Path:
    """Write a draft into a folder."""
    defaults = DEFAULTS[template]
    table = "samples.parquet" if template == "table" else None
    models = models or defaults.models or ("a", "b")
    path = folder / "study.yaml"
    path.write_text(draft(template, problems=problems or defaults.problems, models=models, folder=folder, table=table), encoding="utf-8")
    return path


def write_rows(path: Path, *answers: str) -> None:
    path.write_text("".join(json.dumps({"question": f"{i}?", "answer": a}) + "\n" for i, a in enumerate(answers)), encoding="utf-8")


@pytest.mark.parametrize("problems", [None, "problems.jsonl", *SOURCES])
@pytest.mark.parametrize("template", DEFAULTS)
def test_every_template_is_a_valid_study(tmp_path: Path, template: str, problems: str | None) -> None:
    study = load_study(drafted(tmp_path, template, problems), (), known_parts())
    assert set(study.models) == {"weak", "strong"}
    assert set(study.arms) == {"weak", "strong", "best"}
    assert study.arms["best"].policy == "adaptive"


@pytest.mark.parametrize(
    ("answers", "grader"),
    [(("12", "-3.5", "1,200"), "number"), (("A", "(C)", "B"), "choice"), (("12", r"\frac{1}{2}x"), "math"), (("1/2", "x+1"), "math")],
)
def test_the_answers_of_a_file_choose_the_grader(tmp_path: Path, answers: tuple[str, ...], grader: str) -> None:
    write_rows(tmp_path / "problems.jsonl", *answers)
    assert load_study(drafted(tmp_path, "endpoint"), (), known_parts()).grader.name == grader


def test_a_file_that_is_not_there_yet_leaves_the_choice_in_a_comment(tmp_path: Path) -> None:
    assert re.search(r"grader: \{name: number\} +# or math, choice", drafted(tmp_path, "endpoint").read_text(encoding="utf-8"))


def test_a_file_from_the_working_directory_is_named_from_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "own.jsonl", "x^2")
    (tmp_path / "studies").mkdir()
    text = draft("gpu", problems="own.jsonl", models=("a", "b"), folder=Path("studies"))
    assert yaml.safe_load(text)["problems"]["train"]["path"] == "../own.jsonl"
    assert yaml.safe_load(text)["grader"]["name"] == "math"


@pytest.mark.parametrize("name", ["no", "1e5", "org/name-2.5", "a: b", 'quo"ted', "#x", "{b}", "é", "2026-11-01", "null"])
def test_names_are_read_back_as_they_were_given(tmp_path: Path, name: str) -> None:
    for template in ("endpoint", "gpu", "code"):
        read = yaml.safe_load(draft(template, problems="gsm8k", models=(name, "b"), folder=tmp_path))
        assert read["models"]["weak"]["model"] == name


def test_the_models_of_a_table_are_ordered_by_their_share_correct(tmp_path: Path) -> None:
    rows = [{"problem_id": "p", "model": m, "sample_index": i, "correct": i < n} for m, n in (("good", 3), ("bad", 1)) for i in range(4)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert models_of("t.jsonl", tmp_path) == ("bad", "good")
    (tmp_path / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:4]), encoding="utf-8")
    with pytest.raises(InputError, match=r"has samples of good; a study compares two"):
        models_of("one.jsonl", tmp_path)


def test_the_lengths_of_a_table_are_the_expected_ones(tmp_path: Path) -> None:
    tokens = {"a": (10, 21), "b": (300, 5000)}
    rows = [
        {"problem_id": "p", "model": model, "sample_index": i, "correct": True, "num_generated_tokens": number}
        for model, numbers in tokens.items()
        for i, number in enumerate(numbers)
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    read = yaml.safe_load(draft("table", problems="gsm8k", models=("a", "b"), folder=tmp_path, table="t.jsonl"))
    assert {name: model["tokens_per_sample"] for name, model in read["models"].items()} == {"weak": 16, "strong": 2650}
    assert read["sampling"]["max_tokens"] == 5000
    unknown = [{key: value for key, value in row.items() if key != "num_generated_tokens"} for row in rows]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in unknown), encoding="utf-8")
    read = yaml.safe_load(draft("table", problems="gsm8k", models=("a", "b"), folder=tmp_path, table="t.jsonl"))
    assert not [model for model in read["models"].values() if "tokens_per_sample" in model]
    assert read["sampling"]["max_tokens"] == 4096


def test_what_cannot_be_drafted_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'no template "endpont"\n  did you mean "endpoint"'):
        refuse_unknown("endpont")
    with pytest.raises(InputError, match=r'no file and no problem source "gsm9k"\n  did you mean "gsm8k"'):
        draft("gpu", problems="gsm9k", models=("a", "b"), folder=tmp_path)
    with pytest.raises(InputError, match=r"two models are needed, the cheaper first, not 3: a, b, c"):
        draft("gpu", problems="gsm8k", models=("a", "b", "c"), folder=tmp_path)
    with pytest.raises(InputError, match=r"needs the recorded samples"):
        draft("table", problems="gsm8k", models=("a", "b"), folder=tmp_path)
    (tmp_path / "broken.jsonl").write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(ProblemsError, match=r"broken\.jsonl:1: not JSON"):
        draft("gpu", problems="broken.jsonl", models=("a", "b"), folder=tmp_path)


def test_one_model_behind_an_endpoint_needs_no_budget(tmp_path: Path) -> None:
    write_rows(tmp_path / "problems.jsonl", "12")
    study = load_study(drafted(tmp_path, "endpoint", models=("org/small",)), (), known_parts())
    assert [spec.model for spec in study.models.values()] == ["org/small"]
    assert [arm.samples_per_problem for arm in study.arms.values()] == [4]
    assert (study.budgets, study.pilot, study.limit) == ({}, None, None)
    with pytest.raises(InputError, match=r"two models are needed, the cheaper first, not 1: a"):
        draft("gpu", problems="gsm8k", models=("a",), folder=tmp_path)
    with pytest.raises(InputError, match=r"one model, or two, the cheaper first, not 3: a, b, c"):
        draft("endpoint", problems="gsm8k", models=("a", "b", "c"), folder=tmp_path)


def test_the_pilot_of_the_endpoint_costs_less_than_the_budget(tmp_path: Path) -> None:
    """However few problems there are, and however long their solutions: the budget is that of strong samples for all of them."""
    study = yaml.safe_load(drafted(tmp_path, "endpoint").read_text(encoding="utf-8"))
    of_each = study["pilot"]["samples_per_problem"]
    assert study["budgets"]["low"]["match"]["model"] == "strong"
    assert study["models"]["weak"]["price"]["output"] < study["models"]["strong"]["price"]["output"]
    assert study["budgets"]["low"]["match"]["samples_per_problem"] >= 2 * of_each


def test_fields_of_a_jsonl_are_written_into_the_study(tmp_path: Path) -> None:
    rows = [{"uid": f"u{i}", "word problem": f"{i}?", "correct": "many" if i == 3 else str(i)} for i in range(20)]
    (tmp_path / "odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fields = {"question_field": "word problem", "answer_field": "correct", "id_field": "uid"}
    models = DEFAULTS["endpoint"].models
    text = draft("endpoint", problems="odd.jsonl", models=models, folder=tmp_path, fields=fields, name="mine")
    study = yaml.safe_load(text)
    assert study["problems"]["train"] == {"source": "jsonl", "path": "odd.jsonl", **fields}
    assert study["name"] == "mine"
    assert "grader: {name: number}   # 1 of 20 answers are no numbers (first: u3): such problems are left out" in text
    with pytest.raises(ProblemsError, match="no question; name its field with question_field"):
        draft("endpoint", problems="odd.jsonl", models=models, folder=tmp_path)
    with pytest.raises(InputError, match="gsm8k: has fields of its own\n  leave out --question-field"):
        draft("endpoint", problems="gsm8k", models=models, folder=tmp_path, fields=fields)


def test_more_than_a_few_other_answers_choose_another_grader(tmp_path: Path) -> None:
    write_rows(tmp_path / "problems.jsonl", *map(str, range(9)), "x+1")
    assert load_study(drafted(tmp_path, "endpoint"), (), known_parts()).grader.name == "number"
    write_rows(tmp_path / "problems.jsonl", *map(str, range(8)), "x+1")
    assert load_study(drafted(tmp_path, "endpoint"), (), known_parts()).grader.name == "math"


def test_the_pages_for_beginners_show_the_drafts(tmp_path: Path) -> None:
    given = {"base_urls": ["http://127.0.0.1:8000/v1"], "prices": ["0.1/0.4", "0.6/2.4"]}
    for template, file, models, more in (
        ("endpoint", "endpoint", ("small", "large"), given),
        ("endpoint", "one", ("small",), {}),
        ("gpu", "study", DEFAULTS["gpu"].models, {}),
    ):
        shown = re.search(rf"(?ms)^`{file}.yaml`:\n\n```yaml\n(.*?)^```", (ROOT / f"docs/start/{template}.md").read_text(encoding="utf-8"))
        assert shown
        defaults = DEFAULTS[template]
        write_rows(tmp_path / "problems.jsonl", "84")
        name = None if file == "study" else file
        assert shown[1] == draft(template, problems=defaults.problems, models=models, folder=tmp_path, name=name, **more)

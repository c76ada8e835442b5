"""What a study file's plain values mean: names, numbers, and files that stand for too much."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from isocost.coercion import coerce_texts
from isocost.config import Arm, Study
from isocost.costs.pricefile import read_prices
from isocost.errors import StudyError
from isocost.preparing.parts import known_parts
from isocost.running.folders import resolved
from isocost.studyfile import load_study
from isocost.yamlfile import parse_value, parse_yaml
from tests.builders import write_problems
from tests.test_yamlfile import BOMB, MERGES

KNOWN = known_parts()
STUDY = """
name: {name}
seed: 0
problems:
  train: {{source: jsonl, path: problems.jsonl}}
models:
  {name}: {{engine: replay, table: table.parquet, model: weak, params: 1000}}
prompt: {{template: gsm8k}}
sampling: {{max_tokens: 64, stop: [{name}]}}
budgets:
  {name}: {{unit: flops, match: {{model: {name}, samples_per_problem: 2}}}}
arms:
  {name}: {{models: [{name}]}}
audit: {{by: judge, model: {name}}}
grader: {{name: judge, model: {name}}}
"""
PLAIN = STUDY.format(name="weak").replace("audit: {by: judge, model: weak}\ngrader: {name: judge, model: weak}", "grader: {name: number}")


def load(folder: Path, text: str, *settings: str) -> Study:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return load_study(path, settings, KNOWN)


def mistakes_of(folder: Path, text: str, *settings: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        load(folder, text, *settings)
    return [mistake.removeprefix(str(folder / "study.yaml")) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    "name", ["no", "No", "on", "off", "yes", "y", "n", "true", "007", "010", "1_000", "0x10", "1e5", "1.5", "10", "2026-11-01"]
)
def test_a_name_is_text_whatever_it_looks_like(tmp_path: Path, name: str) -> None:
    text = STUDY.format(name=name)
    study = load(tmp_path, text)
    quoted = load(tmp_path, STUDY.format(name=f"'{name}'"))
    assert study == quoted
    assert list(study.models) == list(study.arms) == list(study.budgets) == [study.name] == [name]
    assert (study.arms[name].models, study.audit.model, study.grader.options["model"]) == ((name,), name, name)
    assert study.sampling.stop == (name,)
    again = resolved(study, tmp_path)
    assert load(tmp_path, again) == study
    assert resolved(load(tmp_path, again), tmp_path) == again


def test_text_is_put_where_text_is_due_and_numbers_stay_elsewhere() -> None:
    read = parse_value("{policy: no, models: [1e5, 10], samples_per_problem: 10}")
    assert coerce_texts(read.data, read.plain, Arm) == []
    assert read.data == {"policy": "no", "models": ["1e5", "10"], "samples_per_problem": 10}


def test_a_number_that_two_versions_of_yaml_read_differently_is_a_mistake() -> None:
    read = parse_value("{models: [weak], samples_per_problem: 010}")
    ((keys, why),) = coerce_texts(read.data, read.plain, Arm)
    assert keys == ("samples_per_problem",)
    assert why.startswith("010 is 8 in YAML 1.1 and 10 in YAML 1.2")


@pytest.mark.parametrize("name", ["no", "1e5", "007", "10"])
def test_so_is_a_name_in_a_setting(tmp_path: Path, name: str) -> None:
    text = PLAIN.replace("  weak: {engine", f"  '{name}': {{engine: replay, table: t.parquet, model: weak, params: 1}}\n  weak: {{engine")
    study = load(
        tmp_path, text, f"arms.weak.models=[{name}]", f"name={name}", f"budgets.weak.match={{model: {name}, samples_per_problem: 1}}"
    )
    assert (study.name, study.arms["weak"].models) == (name, (name,))
    assert load(tmp_path, text, "arms.weak.models=[no]", f"arms.weak.models=[{name}]").arms["weak"].models == (name,)


def test_numbers_are_numbers(tmp_path: Path) -> None:
    text = PLAIN + (
        "problems: {train: {source: jsonl, path: a}, test: {source: jsonl, path: a}, validation: {source: jsonl, path: a}}\n"
        "finetune: {students: [t], arms: [weak], steps: 1_0, learning_rates: [1e-6, 2.5e-5, 1.0e-4], checkpoints: 1, seeds: [0x10, 1e1]}\n"
    )
    text = text.replace("problems:\n  train: {source: jsonl, path: problems.jsonl}\n", "").replace(
        "  weak: {engine", "  t: {engine: transformers, model: a/b}\n  weak: {price: {input: 1e-1, output: 2E0, dated: 2026-11-01}, engine"
    )
    study = load(tmp_path, text)
    assert study.finetune is not None
    assert study.finetune.learning_rates == (1e-6, 2.5e-5, 1e-4)
    assert (study.finetune.steps, study.finetune.seeds) == (10, (16, 10))
    price = study.models["weak"].price
    assert price is not None
    assert (price.input, price.output, str(price.dated)) == (0.1, 2.0, "2026-11-01")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 0", "seed: 010", ":3: seed: 010 is 8 in YAML 1.1 and 10 in YAML 1.2; write the one you mean"),
        ("seed: 0", "seed: -0_17", ":3: seed: -0_17 is -15 in YAML 1.1 and -17 in YAML 1.2"),
        ("max_tokens: 64", "max_tokens: 0100", ":9: sampling.max_tokens: 0100 is 64 in YAML 1.1"),
        ("path: problems.jsonl", "path: problems.jsonl, limit: 020", ":5: problems.train.limit: 020 is 16 in YAML 1.1"),
        ("seed: 0", "seed: 1:30", ":3: seed: input should be a valid integer"),
        ("seed: 0", "seed: 190:20:30", ":3: seed: input should be a valid integer"),
        ("seed: 0", "seed: 2026-13-45", ":3: seed: input should be a valid integer"),
        ("seed: 0", "seed: 0o17", ":3: seed: input should be a valid integer"),
        ("seed: 0", "seed: =", ":3: seed: input should be a valid integer"),
        ("params: 1000", "params: .inf", ":7: models.weak.params: input should be a finite number"),
        ("params: 1000", "params: 1e400", ":7: models.weak.params: input should be a finite number"),
        ("samples_per_problem: 2", "samples_per_problem: .nan", ":11: budgets.weak.match.samples_per_problem: input should be"),
        ("max_tokens: 64", "max_tokens: 64, top_p: .nan", ":9: sampling.top_p: input should be"),
        ("max_tokens: 64", "max_tokens: 64, temperature: .inf", ":9: sampling.temperature: input should be a finite number"),
        ("max_tokens: 64", "max_tokens: " + "9" * 30, ":9: sampling.max_tokens: input should be less than"),
        ("max_tokens: 64", "max_tokens: " + "9" * 5000, ":9: sampling.max_tokens: unable to parse"),
        ("params: 1000", "params: " + "9" * 900, ":7: models.weak.params: input should be less than"),
        ("samples_per_problem: 2", "samples_per_problem: " + "9" * 900, ":11: budgets.weak.match.samples_per_problem: input should be"),
        ("path: problems.jsonl", "path: problems.jsonl, limit: " + "9" * 30, ":5: problems.train.limit: must be a whole number"),
        ("path: problems.jsonl", "path: problems.jsonl, skip: " + "9" * 5000, ":5: problems.train.skip: must be a whole number"),
        ("seed: 0", "seed: 0\nseed: 1", ":4: seed: occurs twice, first in line 3"),
    ],
)
def test_what_cannot_be_meant_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in PLAIN
    (mistake,) = mistakes_of(tmp_path, PLAIN.replace(old, new, 1))
    assert mistake.startswith(said)
    assert len(mistake) < 300


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("seed=010", "--set seed: 010 is 8 in YAML 1.1"),
        ("seed=" + "9" * 5000, "--set: seed: unable to parse"),
        ("seed=&a [*a]", "--set seed: the alias *a refers to a section that contains it"),
        ("arms={a: 1, a: 2}", "--set arms={a: 1, a: 2}: a occurs twice"),
        ("arms=" + "[" * 2000, "--set arms: sections within sections, deeper than 50"),
        ("arms=" + BOMB, "--set arms: more than 100,000 values"),
        ("seed=!!bool x", "--set seed=!!bool x: the value is not YAML"),
    ],
)
def test_settings_are_read_as_carefully(tmp_path: Path, setting: str, said: str) -> None:
    (mistake,) = mistakes_of(tmp_path, PLAIN, setting)
    assert mistake.startswith(said)
    assert len(mistake) < 300


def test_a_setting_changes_no_section_that_only_shares_an_alias(tmp_path: Path) -> None:
    text = PLAIN.replace("  weak: {engine", "  other: &m {engine: replay, table: t, model: weak, params: 5}\n  third: *m\n  weak: {engine")
    study = load(tmp_path, text, "models.other.params=7")
    assert (study.models["other"].params, study.models["third"].params) == (7, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "prices.yaml:5: more than 100,000 values"),
        ("models: &a\n  x: *a\n", "prices.yaml:2: the alias *a"),
        ("dated: 2026-11-01\nmodels:\n  a: {input: 010, output: 1}\n", 'prices.yaml:3: "input" of model "a": 010 is 8 in YAML 1.1'),
        ("dated: 2026-13-45\nmodels: {}\n", "prices.yaml:1: dated must be a day"),
        ("dated: 2026-11-01\nmodels:\n  a: {input: 1:30, output: 1}\n", 'prices.yaml:3: input of model "a" must be a number'),
    ],
)
def test_prices_are_read_as_carefully(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "prices.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_prices(tmp_path / "prices.yaml", "prices.yaml")
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(said)


def test_models_of_a_price_list_may_be_named_like_numbers(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("dated: 2026-11-01\nmodels: {no: {input: 1e-1, output: 1}, 1:30: {input: 1, output: 1}}\n")
    prices = read_prices(tmp_path / "prices.yaml", "prices.yaml")
    assert list(prices.models) == ["no", "1:30"]
    assert prices.models["no"].input == 0.1


def isocost(*arguments: str) -> tuple[int, str, float]:
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "isocost", *arguments], capture_output=True, text=True, timeout=100)
    return done.returncode, done.stderr, time.monotonic() - started


@pytest.mark.slow
@pytest.mark.parametrize("bomb", [BOMB, MERGES, "models: &a {b: *a}", "[" * 5000], ids=["aliases", "merges", "itself", "deep"])
def test_no_command_hangs_on_a_file_that_stands_for_too_much(tmp_path: Path, bomb: str) -> None:
    write_problems(tmp_path, 2)
    study, folder = tmp_path / "bomb.yaml", tmp_path / "run"
    study.write_text(f"name: bomb\n{bomb}" if bomb[0] != "[" else bomb, encoding="utf-8")
    folder.mkdir()
    (folder / "study.yaml").write_text(study.read_text())
    good = tmp_path / "study.yaml"
    good.write_text(PLAIN)
    for arguments, file in (
        (("plan", str(study)), study),
        (("run", str(study)), study),
        (("run", str(good), "-o", str(folder)), folder / "study.yaml"),
        (("status", str(folder)), folder / "study.yaml"),
        (("report", str(folder)), folder / "study.yaml"),
    ):
        code, complaints, seconds = isocost(*arguments)
        assert code == 2, complaints
        assert complaints.startswith(f"error: {file}:")
        assert complaints.count("\n") == 1 + ("restore it from a copy" in complaints)  # a run's own study has a remedy
        assert seconds < 30


def test_what_an_older_version_wrote_into_a_run_directory_still_reads_the_same(tmp_path: Path) -> None:
    # Written by PyYAML, without quotes: for it these are texts.
    older = PLAIN.replace("stop: [weak]", "stop: [1e5, 0o7, 1e-6]")
    assert load(tmp_path, older).sampling.stop == ("1e5", "0o7", "1e-6")
    options = PLAIN.replace("model: weak, params", "model: 12e5, params")
    assert load(tmp_path, options).models["weak"].options["model"] == "12e5"
    assert parse_yaml("a: 12e5").data == {"a": 12e5}

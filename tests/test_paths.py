"""A path is a path: names that are patterns, URLs or shell syntax elsewhere, beside folders that such a pattern would match."""

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import isocost
from isocost.cli import app
from isocost.cli.arguments import key_values
from isocost.costs.pricefile import read_prices
from isocost.engines.base import Request
from isocost.engines.replay.engine import ReplayEngine
from isocost.errors import EngineError, ModelError, RunDirectoryError
from isocost.finetuning import TrainingSettings, finetune
from isocost.lab import weights
from isocost.measuring import survey_file
from isocost.paths import from_home, matching, read_parquet, scan_jsonl, scan_parquet, shell_word, stamp_of
from isocost.preparing.parts import known_parts
from isocost.problems import load_problems
from isocost.records import SamplingParams
from isocost.running import run, run_stage, runs
from isocost.running.starts import resume_command
from isocost.streams import opened
from isocost.studyfile import load_study
from isocost.summaries.status import status_of
from isocost.verifying import references
from isocost.viewer.rundata import RunData
from tests.builders import InlineExecutor, recorded, write_study
from tests.matrices import first_fast

NAMES = [
    "x[1]", "x*", "x?", "**", "[!a]", "{a,b}", "sp ace", "it's", 'q"q', "a%20b", "h#h", "a=1", "-lead", "ünï😀", "new\nline", "dots..", "~",
    "$HOME", "a::b", "hf:x", "file:x", "_under", ".dot", "back\\slash", "a;b&c", os.fsdecode(b"bytes\xff"),
]  # fmt: skip
RELATIVE = ["x[1]", "-lead", "~", "a::b", "hf:x", "file:x"]  # some mean something else only at the beginning of a path
SIBLINGS = ["x1", "xy", "b", "a b"]  # each is matched by a pattern above
SRC = Path(isocost.__file__).parent


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in a folder of no special name."""
    folder = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "LocalExecutor", InlineExecutor)
        run(write_study(folder, n_problems=6), folder / "run")
    return folder / "run"


def poisoned(folder: Path, root: Path) -> None:
    """Copies of a folder beside it, all of whose texts are another's."""
    for name in SIBLINGS:
        shutil.copytree(folder, root / name)
        for path in (root / name).rglob("*"):
            if path.suffix == ".parquet":
                frame = read_parquet(path)
                texts = [pl.lit("SIBLING").alias(column) for column in ("generation", "answer", "question") if column in frame.columns]
                with path.open("wb") as file:
                    frame.with_columns(texts).write_parquet(file)
            elif path.suffix == ".jsonl":
                path.write_bytes(b"".join(b'{"event": "SIBLING"}\n' for _ in range(3)))


@pytest.mark.parametrize("name", first_fast(NAMES))
def test_a_run_in_a_folder_of_any_name_is_a_run(name: str, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(name) if name in RELATIVE else tmp_path / name
    folder.mkdir()
    study, out = write_study(folder, n_problems=6), folder / "run"
    run(study, out, until="sample")
    poisoned(folder, tmp_path)
    run(study, out)
    run_stage(out, "report")
    data = RunData(out)
    assert data.samples("p03")["generation"].str.starts_with(" Way ").all()
    assert data.counts().problems["n"].to_list() == [8] * 6
    assert data.problem("p03") == RunData(plain).problem("p03")
    assert status_of(out)["trained"] == []
    assert (out / "measures.json").read_bytes() == (plain / "measures.json").read_bytes()
    assert (out / "samples.parquet").read_bytes() == (plain / "samples.parquet").read_bytes()
    for cell in (plain / "trainsets").glob("*@*"):
        assert (out / "trainsets" / cell.name / "train.parquet").read_bytes() == (cell / "train.parquet").read_bytes()
    measured = CliRunner().invoke(app, ["measure", "--json", "--", str(out)])
    assert measured.exit_code == 0, measured.output
    assert json.loads(measured.output) == json.loads(CliRunner().invoke(app, ["measure", "--json", str(plain)]).output)
    assert not any(b"SIBLING" in path.read_bytes() for path in out.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", first_fast(NAMES, 3))
def test_tables_problems_and_prices_of_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own, other = recorded(6, 3), [{**row, "generation": "SIBLING", "model": "SIBLING"} for row in recorded(6, 3)]
    for stem, rows in [*((sibling, other) for sibling in SIBLINGS), (name, own)]:
        with Path(f"{stem}.parquet").open("wb") as file:
            pl.DataFrame([{**row, "correct": True} for row in rows]).write_parquet(file)
        Path(f"{stem}.jsonl").write_text("".join(json.dumps({**row, "correct": True}) + "\n" for row in rows))
        Path(f"{stem}.problems.jsonl").write_text(
            json.dumps({"id": "a", "question": stem.encode().hex() if stem != name else "own", "answer": "2"}) + "\n"
        )
    for suffix in (".parquet", ".jsonl"):
        engine = ReplayEngine(Path(f"{name}{suffix}"), "weak")
        (batch,) = engine.batches([Request(problem_id="p00", prompt="", first_index=0, count=2)])
        found = engine.generate(batch, SamplingParams(temperature=1.0, max_tokens=64), 0)
        assert [one.text for one in found[0]] == [own[0]["generation"], own[1]["generation"]]
        measured = CliRunner().invoke(app, ["measure", "--json", "--", f"{name}{suffix}"])
        assert measured.exit_code == 0, measured.output
        assert list(json.loads(measured.output)["models"]) == ["weak", "strong"]
    Path(f"{name}.yaml").write_text("dated: 2026-11-01\nmodels:\n  m: {input: 1, output: 2}\n")
    assert list(read_prices(Path() / f"{name}.yaml", name).models) == ["m"]
    assert [p.question for p in load_problems("jsonl", {"path": f"{name}.problems.jsonl"}, base=Path())] == ["own"]


@pytest.mark.parametrize("name", NAMES)
def test_verify_reads_files_of_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(f"{name}.jsonl").write_text("a solution")
    with opened(f"{name}.jsonl") as descriptor:
        assert os.read(descriptor, 99) == b"a solution"
    Path(name).write_text('{"id": "a", "question": "1 + 1", "answer": "2"}\n')
    assert references(name, {}) == {"a": "2"}


@pytest.mark.parametrize("name", first_fast(NAMES, 3))
def test_a_folder_of_a_dataset_of_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    for folder, question in [*((sibling, "sibling") for sibling in SIBLINGS), (name, "own")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.jsonl").write_text(json.dumps({"question": question, "answer": "1"}) + "\n")
    for base in (tmp_path, Path()):
        assert [p.question for p in load_problems("hub", {"dataset": name}, base=base)] == ["own"]


@pytest.mark.parametrize("name", NAMES)
def test_the_command_that_resumes_a_run_is_one_that_a_shell_reads(name: str, tmp_path: Path) -> None:
    words = shlex.split(resume_command(tmp_path / name / "study.yaml", tmp_path / name / "run", "report", settings=["a=b c"]))
    assert words == ["isocost", "run", f"{tmp_path}/{name}/study.yaml", "-o", f"{tmp_path}/{name}/run", "--set", "a=b c"]


def test_a_table_that_is_not_there_may_be_a_pattern_of_tables(tmp_path: Path) -> None:
    rows = recorded(4, 2)
    for i in range(4):
        pl.DataFrame([row for row in rows if row["problem_id"] == f"p0{i}"]).write_parquet(tmp_path / f"part-{i}.parquet")
    whole = ReplayEngine(tmp_path / "part-*.parquet", "weak")
    pl.DataFrame(rows).write_parquet(tmp_path / "whole.parquet")
    assert whole.identity == ReplayEngine(tmp_path / "whole.parquet", "weak").identity
    shutil.move(tmp_path / "part-0.parquet", tmp_path / "part-*.parquet")
    engine = ReplayEngine(tmp_path / "part-*.parquet", "weak")
    request = Request(problem_id="p01", prompt="", first_index=0, count=1)
    with pytest.raises(EngineError, match="no sample 0 of problem 'p01'"):
        engine.generate([request], SamplingParams(temperature=1.0, max_tokens=64), 0)


@pytest.mark.parametrize("name", NAMES)
def test_files_are_scanned_by_their_exact_path_and_folders_above_add_no_column(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name / "b=2"
    for place in (folder, *(tmp_path / sibling / "b=2" for sibling in SIBLINGS)):
        place.mkdir(parents=True)
        with (place / f"_{name}.parquet").open("wb") as file:
            pl.DataFrame({"a": [1 if place == folder else 2]}).write_parquet(file)
        (place / f"_{name}.jsonl").write_text('{"a": 1}' if place == folder else '{"a": 2}')
    for frame in (
        read_parquet(folder / f"_{name}.parquet"),
        scan_parquet(folder / f"_{name}.parquet").collect(),
        scan_jsonl(folder / f"_{name}.jsonl").collect(),
    ):
        assert frame.to_dicts() == [{"a": 1}]


def test_a_folder_of_tables_is_one_table(tmp_path: Path) -> None:
    rows = recorded(4, 2)
    for place, some in (("a=1/b.parquet", rows[:5]), ("x[1].parquet", rows[5:])):
        (tmp_path / "all.parquet" / place).parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(some).write_parquet(tmp_path / "all.parquet" / place)
    pl.DataFrame(rows).write_parquet(tmp_path / "whole.parquet")
    assert ReplayEngine(tmp_path / "all.parquet", "weak").identity == ReplayEngine(tmp_path / "whole.parquet", "weak").identity
    (tmp_path / "empty.parquet").mkdir()
    with pytest.raises(ModelError, match=r"empty\.parquet: cannot be read as a table of samples"):
        ReplayEngine(tmp_path / "empty.parquet", "weak")


STUDY = """
name: everything
problems:
  train:      {source: lab, split: train, limit: 6}
  test:       {source: lab, split: test, limit: 4}
models:
  weak:   {engine: transformers, model: MODEL, batch_size: 8, tokens_per_sample: 34}
  strong: {engine: transformers, model: "lab:weak", batch_size: 8, tokens_per_sample: 34}
prompt: {template: lab-2shot}
sampling: {max_tokens: 64}
budgets:
  low: {unit: flops, match: {model: strong, samples_per_problem: 2}}
arms:
  weak:   {models: [weak]}
  strong: {models: [strong]}
grader: {name: number}
finetune: {students: [weak], arms: [strong], steps: 2, batch_size: 2, learning_rates: [1.0e-4], checkpoints: 1}
evaluate: {maj_at: [1]}
"""


@pytest.mark.slow
def test_a_study_with_a_model_that_is_trained_runs_in_worker_processes(tmp_path: Path) -> None:
    """The whole of it from the command line, in a folder with every kind of sign, beside one that its name matches."""
    folder = tmp_path / "x[1] it's a=1 #50%20 {a,b}"
    (tmp_path / "x1 it's a=1 #50%20 {a,b}").mkdir()
    shutil.copytree(weights("tiny"), folder / "m[1]")
    (folder / "m1").mkdir()
    (folder / "study.yaml").write_text(STUDY.replace("MODEL", json.dumps("./m[1]")))

    def isocost(*words: str) -> str:
        command = [sys.executable, "-m", "isocost", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=True).stdout

    isocost("run", "study.yaml", "-o", "-run*")
    again = json.loads((folder / "-run*" / "start.json").read_text())["command"]
    assert shlex.split(again) == ["isocost", "run", f"{folder}/study.yaml", "-o", f"{folder}/-run*"]
    before = (folder / "-run*" / "measures.json").read_bytes()
    isocost(*shlex.split(again)[1:])
    assert (folder / "-run*" / "measures.json").read_bytes() == before
    (trained,) = (folder / "-run*" / "models").iterdir()
    assert (trained / "model.safetensors").exists()
    assert "strong" in isocost("measure", "--", "-run*")
    assert json.loads(isocost("status", "--json", "--", "-run*"))["trained"] == [trained.name]


def test_a_pattern_stands_below_folders_of_any_name(tmp_path: Path) -> None:
    for name in ("x[1]", "x1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").touch()
        (tmp_path / name / "b.jsonl").touch()
    own = tmp_path / "x[1]"
    assert matching(own / "*.jsonl") == [own / "a.jsonl", own / "b.jsonl"]
    assert matching(own / "c*.jsonl") == [own / "c*.jsonl"]
    assert matching(own / "a**.jsonl") in ([own / "a**.jsonl"], [own / "a.jsonl"])  # the latter from Python 3.13 on
    (own / "*.jsonl").touch()
    assert matching(own / "*.jsonl") == [own / "*.jsonl"]


def test_a_tilde_is_the_home_folder_unless_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert from_home(tmp_path, "~/model") == tmp_path / "home" / "model"
    assert from_home(tmp_path, "~no-such-user-here/model") == tmp_path / "~no-such-user-here/model"
    assert not from_home(tmp_path, "a\0b").exists()
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "model").mkdir()
    assert from_home(tmp_path, "~/model") == tmp_path / "~" / "model"


@pytest.mark.parametrize("name", NAMES)
def test_a_hint_names_a_run_as_a_shell_and_the_command_line_read_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    (Path(name) / "study.yaml").touch()
    read = subprocess.run(["bash", "-c", f"printf %s {shell_word(Path(name))}"], capture_output=True, check=True)
    word = os.fsdecode(read.stdout)
    assert Path(word) == Path(name)
    assert not word.startswith("-")
    with pytest.raises(RunDirectoryError) as refused:
        survey_file(Path(name), [1])
    assert str(refused.value).endswith(f"isocost sample {shell_word(Path(name))}")


@pytest.mark.parametrize("value", ["dir #1/p.jsonl", "#h/p.jsonl", "it's #2", "a=b", "x[1]/p.jsonl", "a%20b"])
def test_a_setting_holds_a_whole_path(value: str, tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path), [f"problems.train.path={value}"], known_parts())
    assert study.problems.train.options["path"] == value
    assert key_values([f"path={value}", "n=3", 's="a #b"'], "--option") == {"path": value, "n": 3, "s": "a #b"}


@pytest.mark.parametrize("name", first_fast(["x[1]", "**", "sp ace", "it's", "a=1", "ünï😀", "~", "a::b", "hf:x"]))
def test_a_model_in_a_folder_of_any_name_is_read_and_trained(name: str, model: Path, tmp_path: Path) -> None:
    from isocost.engines.checkpoints import locate

    folder = tmp_path / name
    shutil.copytree(model, folder)
    for sibling in SIBLINGS:
        (tmp_path / sibling).mkdir()
        (tmp_path / sibling / "config.json").write_text("{}")
    checkpoint, config = locate(name, tmp_path, None, None).opened()
    assert checkpoint.identity() == locate("base", model.parent, None, None).identity()
    assert checkpoint.tokenizer()("1 + 1")["input_ids"]
    assert checkpoint.load("cpu", "float32").config.hidden_size == config.hidden_size
    settings = TrainingSettings(steps=1, batch_size=1, learning_rates=(1e-3,), checkpoints=1, method="lora" if name == "a::b" else "full")
    finetune(folder, [{"prompt": "1 + 1", "completion": " = 2"}], tmp_path / f"{name}-out", settings, score=None)
    assert (tmp_path / f"{name}-out" / "model.safetensors").exists()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    pytest.importorskip("torch")
    pytest.importorskip("trl")
    from isocost.lab.corpus import documents
    from isocost.lab.recipe import Recipe, build
    from isocost.lab.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("models") / "base"
    tokenizer = train_tokenizer(itertools.islice(documents(0), 100))
    build(Recipe(hidden=64, layers=1, feed_forward=96, steps=0), tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_polars_pyarrow_and_datasets_are_given_no_path() -> None:
    """Who reads a file with them opens it first, with isocost.paths."""
    called = re.compile(r"\b(?:pl\.(?:read|scan)_\w+|pq\.\w+|i?glob\.i?glob|load_dataset|\w*\.dataset)\((?P<first>\w*)")
    for path in SRC.rglob("*.py"):
        found = [match["first"] for match in called.finditer(path.read_text(encoding="utf-8"))]
        name = str(path.relative_to(SRC))
        if name == "problems/hub.py":
            assert found == ["dataset"]
        else:
            assert set(found) <= {"file", "files"}, name


def test_the_stamp_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    assert stamp_of(file) is None
    file.write_text("abc")
    assert stamp_of(file) == (3, file.stat().st_mtime_ns)
    assert stamp_of(tmp_path) == (tmp_path.stat().st_size, tmp_path.stat().st_mtime_ns)

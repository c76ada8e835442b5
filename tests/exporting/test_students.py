"""`isocost export --student`: a folder that transformers loads, its card, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import isocost
from isocost.cli import main
from isocost.errors import InputError, RunDirectoryError
from isocost.exporting.students import export_student
from isocost.running import run, runs
from isocost.store import RunDirectory
from tests.builders import InlineExecutor, write_study
from tests.exporting.fake_hub import FakeHub, served
from tests.test_oldruns import OLD, taken_out

CELL = "weak@low"
MODEL = OLD / "0.1.0" / "trained" / "run" / "models" / "student-weak@low-0-eeee7c7e552aca93"


def estimate(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": 40, "n_ungraded": 0, "level": 0.95}


def evaluation(cell: str | None, metric: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"student": "small", "cell": cell, "setup": None, "prompt": "plain", "split": "test", "metric": metric, "value": value}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose study also trains the student `small`, with the files of one training and its measures."""
    folder = tmp_path_factory.mktemp("student")
    out = run(write_study(folder, n_problems=8), folder / "run").directory
    study = yaml.safe_load((out / "study.yaml").read_text(encoding="utf-8"))
    study["models"]["small"] = {"engine": "transformers", "model": "/models/of/mine/Small-1B", "license": "apache-2.0"}
    study["models"]["weak"]["terms"] = "outputs may be trained on"
    study["finetune"] = {"students": ["small"], "arms": ["weak"], "seeds": [0, 1], "checkpoints": 1}
    study["problems"]["test"] = study["problems"]["train"]
    (out / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    shutil.copytree(MODEL, out / "models" / f"small-{CELL}-0-{'a' * 16}")
    measures = json.loads((out / "measures.json").read_text(encoding="utf-8"))
    measures["students"] = [
        evaluation(None, "pass@1", estimate(0.2, 0.1, 0.35)),
        evaluation(CELL, "pass@1", estimate(0.3, 0.18, 0.45)),
        evaluation(CELL, "response_tokens", estimate(51.5, 48.0, 55.0)),
        evaluation(CELL, "stopped", estimate(0.925, 0.8, 0.98)),
        evaluation("strong@low", "pass@1", estimate(0.9, 0.8, 0.95)),
    ]
    measures["comparisons"] = [
        {"student": "small", "left": CELL, "right": None, "right_prompt": "plain", "split": "test", "metric": "pass@1", "setup": None,
         "difference": estimate(10.0, -2.5, 22.5), "detectable": 18.0}
    ]  # fmt: skip
    RunDirectory(out).write_json(measures, "measures.json")
    return out


@pytest.fixture
def finished(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "study-a"))


def test_the_folder_holds_the_checkpoint_and_a_card(finished: Path, tmp_path: Path) -> None:
    config = finished / "models" / f"small-{CELL}-0-{'a' * 16}" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_name_or_path": "/models/of/mine/Small-1B"}), encoding="utf-8")
    made = export_student(finished, "small", "weak", tmp_path / "model")
    assert (made.student, made.cell, made.seed) == ("small", CELL, 0)
    assert {path.name for path in (tmp_path / "model").iterdir()} == {path.name for path in MODEL.iterdir()} | {"README.md"}
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == (MODEL / "model.safetensors").read_bytes()
    assert json.loads((tmp_path / "model" / "config.json").read_text())["_name_or_path"] == "Small-1B"
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---")[1])
    assert front == {
        "library_name": "transformers", "license": "apache-2.0", "pipeline_tag": "text-generation", "tags": ["isocost", "synthetic"],
    }  # fmt: skip
    for line in (
        "- model: `Small-1B`",
        "33 rows of the cell `weak@low`, on problems from the source `jsonl`.",
        "- steps: 2 at learning rate 0.001",
        "| test | plain | pass@1 | 20.0% [10.0, 35.0] | 30.0% [18.0, 45.0] | 40 |",
        "| test | plain | response_tokens | – | 51.50 [48.00, 55.00] | 40 |",
        "- ended by themselves or at a stop string, not at `max_tokens`: 92.5% [80.0, 98.0] of the greedy answers on test (plain prompt), "
        "n 40",
        "- pass@1 on test against the untrained student with the prompt plain: +10.0 points [−2.5, +22.5], n 40",
        "- base model `small`: licence apache-2.0",
        "- solutions of `weak`: outputs may be trained on",
        "$ isocost run STUDY.yaml -o study-a",
        "$ isocost export study-a --student small --arm weak@low --seed 0 -o model",
    ):
        assert line in card.splitlines()
    assert "90.0%" not in card  # of another cell
    assert str(tmp_path) not in card
    assert "/models/of" not in card


def test_a_base_model_that_has_a_name_on_the_hub_is_linked(finished: Path, tmp_path: Path) -> None:
    study = finished / "study.yaml"
    study.write_text(study.read_text(encoding="utf-8").replace("/models/of/mine/Small-1B", "Qwen/Qwen2.5-0.5B"), encoding="utf-8")
    export_student(finished, "small", CELL, tmp_path / "model")
    front = yaml.safe_load((tmp_path / "model" / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert front["base_model"] == "Qwen/Qwen2.5-0.5B"


def test_python_exports_and_pushes_a_student_as_the_command_does(hub: FakeHub, finished: Path, tmp_path: Path) -> None:
    made = isocost.export(finished, CELL, tmp_path / "model", student="small")
    assert (made.student, made.cell, made.seed) == ("small", CELL, 0)
    assert isocost.push_to_hub(made.folder, "me/student") == f"{hub.address}/me/student"
    assert hub.kinds == {"me/student": "model"}


def test_what_is_not_there_is_refused_in_a_line(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    with pytest.raises(InputError, match='--student: the study trains no student "smal"'):
        export_student(finished, "smal", CELL, out)
    with pytest.raises(InputError, match=r"has no training of small on strong@low\n  add strong to finetune.arms in the study file, run"):
        export_student(finished, "small", "strong", out)
    with pytest.raises(InputError, match="has no training of small on weak@low with seed 1\n  train it: isocost finetune"):
        export_student(finished, "small", CELL, out, seed=1)
    with pytest.raises(InputError, match=r"with seed 7\n  add 7 to finetune.seeds in the study file"):
        export_student(finished, "small", CELL, out, seed=7)
    shutil.copytree(MODEL, finished / "models" / f"small-{CELL}-0-{'b' * 16}")
    with pytest.raises(InputError, match=r"has several trainings of small on weak@low: small-weak@low-0-a+, small-weak@low-0-b+"):
        export_student(finished, "small", CELL, out)
    shutil.move(finished / "models" / f"small-{CELL}-0-{'b' * 16}", finished / "models" / f"small-{CELL}-1-{'b' * 16}")
    with pytest.raises(InputError, match="with several seeds\n  give --seed: 0, 1"):
        export_student(finished, "small", CELL, out)
    (finished / "models" / f"small-{CELL}-1-{'b' * 16}" / "trained.json").unlink()
    with pytest.raises(RunDirectoryError, match=r"has no trained\.json\n  move it away, and train again"):
        export_student(finished, "small", CELL, out, seed=1)
    out.mkdir()
    with pytest.raises(InputError, match="exists already\n  name another folder"):
        export_student(finished, "small", CELL, out, seed=0)
    assert list(out.iterdir()) == []


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    pytest.importorskip("huggingface_hub")
    with served() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", found.token)
        yield found


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["isocost", "export", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_pushes_a_student_as_a_private_model(
    hub: FakeHub, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = (str(finished), "--student", "small", "--arm", CELL, "-o", str(tmp_path / "model"), "--push-to-hub", "me/student")
    assert command(monkeypatch, *wanted) == 0
    said = capsys.readouterr().err
    assert f"wrote small, trained on weak@low with seed 0, to {tmp_path / 'model'}\n" in said
    assert f"pushed it, private: {hub.address}/me/student\n" in said
    assert (hub.kinds, hub.private) == ({"me/student": "model"}, {"me/student": True})
    held = {name: content for name, content in hub.repos["me/student"].items() if not name.startswith(".")}
    assert held == {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}


@pytest.mark.parametrize("fault", ["token", "name"])
def test_nothing_is_written_where_the_hub_refuses_token_or_name(
    hub: FakeHub, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    if fault == "token":
        monkeypatch.setenv("HF_TOKEN", "hf_bad")
    else:
        hub.repos["me/student"], hub.kinds["me/student"] = {}, "model"
    wanted = (str(finished), "--student", "small", "--arm", CELL, "-o", str(tmp_path / "model"), "--push-to-hub", "me/student")
    assert command(monkeypatch, *wanted) == 2
    said = capsys.readouterr().err
    assert ("the hub refuses the token" if fault == "token" else "me/student: exists already") in said
    assert not (tmp_path / "model").exists()
    assert hub.repos.get("me/student", {}) == {}


def test_options_of_data_and_of_models_do_not_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = (str(tmp_path), "--arm", CELL, "-o", str(tmp_path / "model"))
    assert command(monkeypatch, *wanted, "--seed", "1") == 2
    assert "--seed: goes with --student" in capsys.readouterr().err
    assert command(monkeypatch, *wanted, "--student", "small", "--format", "text") == 2
    assert "--format: is the form of data" in capsys.readouterr().err


@pytest.mark.slow
def test_a_student_of_a_real_run_is_exported_and_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    folder = taken_out("0.1.0", "trained", tmp_path)
    run(folder / "study.yaml", folder / "run")
    export_student(folder / "run", "student", "weak", tmp_path / "model")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path / "model"), AutoTokenizer.from_pretrained(tmp_path / "model")
    assert model.num_parameters() > 0
    assert tokenizer("2 + 2").input_ids
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "| test | plain | pass@1 |" in card

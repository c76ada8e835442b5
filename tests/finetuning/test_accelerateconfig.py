"""Configurations of accelerate: those whose checkpoints are whole models, and those that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from isocost.finetuning.accelerateconfig import config_flaw


def flaw(folder: Path, **config: Any) -> str:
    path = folder / "accelerate.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return config_flaw(path)


@pytest.mark.parametrize("kind", ["NO", False, "MULTI_CPU", "MULTI_GPU"])
def test_processes_with_whole_models_are_accepted(tmp_path: Path, kind: object) -> None:
    assert flaw(tmp_path, distributed_type=kind) == ""


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED", "MEGATRON_LM", "XLA", "TP"])
def test_a_kind_whose_checkpoints_are_no_models_is_refused(tmp_path: Path, kind: str) -> None:
    found = flaw(tmp_path, distributed_type=kind, fsdp_config={"fsdp_version": 2})
    assert found.startswith(f"distributed_type: {kind} may save no whole models\n  use distributed_type: NO, MULTI_CPU or MULTI_GPU;")


@pytest.mark.parametrize(("name", "text"), [("a.yaml", ""), ("a.yaml", "[1]"), ("a.json", "{}"), ("a.yaml", "num_processes: 2")])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert config_flaw(tmp_path / name).startswith("has no distributed_type\n")


@pytest.mark.parametrize(("name", "data"), [("a.yaml", b"a: [1"), ("a.json", b"{"), ("a.yaml", b"\xff\xfe\x00")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert config_flaw(tmp_path / name).startswith("cannot be read: ")


def test_a_configuration_in_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"distributed_type": "DEEPSPEED"}))
    assert "DEEPSPEED" in config_flaw(tmp_path / "a.json")

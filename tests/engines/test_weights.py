"""Weights that are not whole are found when a model is opened, before anything is paid for."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from isocost.engines import load_engine
from isocost.engines.base import Request
from isocost.engines.checkpoints import AutoModelForCausalLM
from isocost.engines.checkpoints.weights import check_weights
from isocost.errors import ModelError
from isocost.records import SamplingParams

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4567\n"
WHOLE = "model.safetensors"


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "model"))


@pytest.fixture
def sharded(checkpoint: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "sharded"))
    AutoModelForCausalLM.from_pretrained(checkpoint).save_pretrained(folder, max_shard_size="100KB")
    (folder / WHOLE).unlink(missing_ok=True)
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    return folder


def pickled(folder: Path, *, legacy: bool = False) -> Path:
    torch.save(load_file(folder / WHOLE), folder / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    (folder / WHOLE).unlink()
    return folder / "pytorch_model.bin"


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_engine("transformers", {"model": str(folder)}, base=folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def shorten(path: Path, to: Callable[[int], int]) -> None:
    path.write_bytes(path.read_bytes()[: to(path.stat().st_size)])


@pytest.mark.parametrize("to", [lambda size: size - 1, lambda size: size // 2, lambda size: 2000])
def test_cut_off_weights(folder: Path, to: Callable[[int], int]) -> None:
    shorten(folder / WHOLE, to)
    message = refused(folder)
    assert str(folder / WHOLE) in message
    assert message.endswith("the model again")


@pytest.mark.parametrize(
    "data", [b"", b"1234", b"\xff" * 64, b"\x05\0\0\0\0\0\0\0[{]}}", b"\x02\0\0\0\0\0\0\0[]", b"<html>not found</html>"]
)
def test_what_is_no_weights(folder: Path, data: bytes) -> None:
    (folder / WHOLE).write_bytes(data)
    assert "not a safetensors file" in refused(folder)


def test_pointers_of_git_lfs_are_told(folder: Path) -> None:
    (folder / WHOLE).write_bytes(POINTER)
    assert refused(folder).endswith("git lfs pull")


def test_no_weights_at_all(folder: Path) -> None:
    (folder / WHOLE).unlink()
    assert "no weights in this folder" in refused(folder)
    (folder / "model.gguf").touch()
    assert "gguf_file" in refused(folder)


def test_shards(sharded: Path) -> None:
    check_weights(sharded)
    shard = sorted(sharded.glob("model-*.safetensors"))[1]
    shorten(shard, lambda size: size - 8)
    assert str(shard) in refused(sharded)
    shard.unlink()
    assert f"are missing, such as {shard.name}" in refused(sharded)


def test_an_index_that_is_not_true(sharded: Path) -> None:
    index = sharded / "model.safetensors.index.json"
    named = json.loads(index.read_bytes())
    named["weight_map"]["model.norm.weight"] = sorted(set(named["weight_map"].values()))[0]
    index.write_text(json.dumps(named))
    assert "lacks model.norm.weight" in refused(sharded)
    index.write_text('{"weight_map": []}')
    assert "not an index of weights" in refused(sharded)


@pytest.mark.parametrize("legacy", [False, True])
def test_pickled_weights(folder: Path, legacy: bool) -> None:
    path = pickled(folder, legacy=legacy)
    engine = load_engine("transformers", {"model": str(folder), "device": "cpu"}, base=folder)
    asked = [Request(problem_id="p", prompt="A", first_index=0, count=1)]
    assert engine.generate(asked, SamplingParams(max_tokens=3), 0)[0][0].num_generated_tokens
    path.write_bytes(b"PK" + path.read_bytes()[2:200])
    assert "not a torch file, or not a whole one" in refused(folder)


def test_a_zipped_pickle_that_was_cut_off(folder: Path) -> None:
    shorten(pickled(folder), lambda size: size - 30)
    assert "not a torch file, or not a whole one" in refused(folder)

"""Find weights that are truncated or were never fetched, by headers and sizes alone: before any payment, and without loading them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from isocost.errors import MissingExtraError, ModelError

_AGAIN = "save, copy or download the model again"
_LONGEST_HEADER = 100_000_000  # bytes; the safetensors format's own limit


def check_weights(folder: Path) -> None:
    """Check the weights that transformers would load from a folder.

    Raises:
        ModelError: a file is missing, has another format than its name says, or is shorter than its header says. It names the file.
    """
    # The order is that in which transformers looks for weights.
    if (folder / "model.safetensors").is_file():
        _tensors(folder / "model.safetensors")
    elif (folder / "model.safetensors.index.json").is_file():
        _check_shards(folder / "model.safetensors.index.json")
    elif (folder / "pytorch_model.bin").is_file():
        _check_pickled(folder / "pytorch_model.bin")
    elif (folder / "pytorch_model.bin.index.json").is_file():
        for file in set(_shards(folder / "pytorch_model.bin.index.json").values()):
            _check_pickled(folder / file)
    elif not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):  # the configuration may name another file
        hint = "name one of its .gguf files as gguf_file" if any(folder.glob("*.gguf")) else "save a model there with save_pretrained"
        raise ModelError(f"{folder}: no weights in this folder; {hint}")


def _shards(index: Path) -> dict[str, str]:
    """Return the file of each tensor, after checking that every file exists."""
    try:
        shards: dict[str, str] = json.loads(index.read_bytes())["weight_map"]
        files = sorted(set(shards.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index}: not an index of weights; {_AGAIN}") from error
    lacking = [file for file in files if not (index.parent / file).is_file()]
    if lacking:
        raise ModelError(f"{index.parent}: {len(lacking)} of {len(files)} files of weights are missing, such as {lacking[0]}; {_AGAIN}")
    return shards


def _check_shards(index: Path) -> None:
    shards = _shards(index)
    # An index may be newer than its files, so the tensors are looked up in the files' own headers.
    held = {file: _tensors(index.parent / file) for file in set(shards.values())}
    lacking = [tensor for tensor, file in shards.items() if tensor not in held[file]]
    if lacking:
        raise ModelError(f"{index.parent / shards[lacking[0]]}: lacks {lacking[0]}, which the index says it holds; {_AGAIN}")


def _tensors(path: Path) -> Mapping[str, Any]:
    """Return the header of a safetensors file, after checking the file's length by it (huggingface.co/docs/safetensors: Format)."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(8)
        length = int.from_bytes(start, "little")
        # Checked before the header is read: in a file of another format these 8 bytes may announce any length.
        if len(start) < 8 or length > min(size - 8, _LONGEST_HEADER):
            raise ModelError(_unreadable(path, start, "safetensors"))
        header = stream.read(length)
    try:
        tensors: dict[str, Any] = json.loads(header)
        tensors.pop("__metadata__", None)
        end = 8 + length + max((tensor["data_offsets"][1] for tensor in tensors.values()), default=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelError(_unreadable(path, start, "safetensors")) from error
    if end != size:
        raise ModelError(f"{path}: {size:,} bytes, {end:,} are needed: the file was cut off or changed; {_AGAIN}")
    return tensors


def _check_pickled(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(8)
    # Files of torch before 1.6 are bare pickles, which only unpickling could check for completeness.
    if not start.startswith(b"\x80") and not zipfile.is_zipfile(path):
        raise ModelError(_unreadable(path, start, "torch"))


def check_gguf(path: Path) -> None:
    """Check a file of weights in GGUF format.

    Raises:
        ModelError: it has another format, or is incomplete.
        MissingExtraError: the packages that read it are not installed.
    """
    for package in ("gguf", "accelerate"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "gguf")
    with path.open("rb") as stream:
        start = stream.read(8)
    if not start.startswith(b"GGUF"):
        raise ModelError(_unreadable(path, start, "GGUF"))
    from gguf import GGUFReader  # an optional package

    try:
        GGUFReader(path)
    except Exception as error:  # it reads past the end of a truncated file, and then fails in any way
        raise ModelError(f"{path}: the GGUF file was cut off or changed; {_AGAIN}") from error


def _unreadable(path: Path, start: bytes, form: str) -> str:
    if start == b"version ":  # the first line of a Git LFS pointer names its version
        return f"{path}: a Git LFS pointer, not the weights; fetch them: git lfs pull"
    return f"{path}: not a {form} file, or not a whole one; {_AGAIN}"

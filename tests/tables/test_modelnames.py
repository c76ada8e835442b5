"""Names of models from the paths of their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.tables.modelnames import folder_names


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/x.jsonl", "b/x.jsonl"], ["a", "b"]),
        (["a/x1.jsonl", "a/x2.jsonl"], ["a", "a"]),
        (["weak/eval/gsm8k/x.jsonl", "strong/eval/gsm8k/x.jsonl"], ["weak", "strong"]),
        (["a/gsm8k/x.jsonl", "b/gsm8k/x.jsonl", "b/math/x.jsonl"], ["a/gsm8k", "b/gsm8k", "b/math"]),
        (["x/x.jsonl", "x/x/x.jsonl"], ["x", "x/x"]),
        (["gsm8k/x.jsonl", "a/gsm8k/x.jsonl"], ["gsm8k", "a/gsm8k"]),
    ],
)
def test_models_of_different_folders_have_different_names(files: list[str], names: list[str]) -> None:
    paths = [Path("/data") / file for file in files]
    assert [folder_names(paths)[path] for path in paths] == names


def test_a_file_of_the_root_folder_has_a_name() -> None:
    assert folder_names([Path("/x.jsonl")]) == {Path("/x.jsonl"): "model"}

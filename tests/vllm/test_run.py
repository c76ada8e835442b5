"""A run that buys its samples from vLLM, through the public `run`, in worker processes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psutil
import pytest
import yaml

from isocost.running import run

STUDY = {
    "name": "vllm",
    "problems": {"train": {"source": "lab", "split": "train", "limit": 12}},
    "models": {
        "weak": {
            "engine": "vllm",
            "model": "lab:weak",
            "dtype": "float32",
            "enforce_eager": True,
            "batch_size": 16,
            "tokens_per_sample": 34,
        }
    },
    "prompt": {"template": "lab-2shot"},
    "sampling": {"temperature": 0.8, "max_tokens": 48},
    "budgets": {"low": {"unit": "flops", "match": {"model": "weak", "samples_per_problem": 4}}},
    "arms": {"weak": {"policy": "uniform", "models": ["weak"]}},
    "grader": {"name": "number"},
}


def test_a_run_up_to_its_samples(installed: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    run(tmp_path / "study.yaml", tmp_path / "run", until="sample")
    assert capfd.readouterr().out == ""
    left = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    assert [command for command in left if "resource_tracker" not in " ".join(command)] == []  # that one is Python's, and stays
    samples = pl.read_parquet(tmp_path / "run" / "samples.parquet")
    assert samples.height == 12 * 4
    assert samples["generation"].n_unique() > 24
    assert samples["num_generated_tokens"].min() > 0
    before = samples.sort("problem_id", "sample_index")
    run(tmp_path / "study.yaml", tmp_path / "run", until="sample")  # nothing is bought again
    assert pl.read_parquet(tmp_path / "run" / "samples.parquet").sort("problem_id", "sample_index").equals(before)

import itertools
from pathlib import Path

import polars as pl
import pytest
import torch

from isocost.engines import load_engine
from isocost.engines.transformers.engine import TransformersEngine
from isocost.lab.corpus import documents
from isocost.lab.recipe import Recipe, build
from isocost.lab.tokenizer import train_tokenizer


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama of random weights with a real tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = train_tokenizer(itertools.islice(documents(0), 300))
    torch.manual_seed(0)
    model = build(Recipe(hidden=64, layers=2, feed_forward=160, steps=1), tokenizer)
    with torch.no_grad():  # as sharp as a trained model's: near ties would make greedy decoding a matter of rounding
        for parameter in model.parameters():
            parameter *= 3
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def engine(checkpoint: Path) -> TransformersEngine:
    engine = load_engine("transformers", {"model": checkpoint.name, "device": "cpu"}, base=checkpoint.parent)
    assert isinstance(engine, TransformersEngine)
    return engine


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Four samples of each of two problems by `gemma`, one by another model."""
    rows = [
        {
            "problem_id": problem,
            "model": "gemma",
            "sample_index": index,
            "generation": f"{problem} solution {index}",
            "num_prompt_tokens": 11,
            "num_generated_tokens": 5 + index,
            "finish_reason": "length" if index == 3 else "stop",
        }
        for problem in ("p1", "p2")
        for index in range(4)
    ]
    path = tmp_path / "samples.parquet"
    pl.DataFrame([*rows, rows[0] | {"model": "other"}]).write_parquet(path)
    return path

"""Studies that buy in batches, with pauses that a test can wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isocost.dispatch.batches.terms import Timing
from tests.engines.openai.batchbooks import StoredBatch
from tests.engines.openai.batchserver import BatchServer
from tests.openai_runs import PRICES, Shell, model, raw, write

Row = dict[str, Any]
SOON = Timing(
    poll=0.01,
    longest_poll=0.02,
    listing=0.1,
    queue=0.05,
    longest_queue=0.1,
    cancelling=5.0,
    results=0.5,
    retry=0.01,
    longest_retry=0.02,
    patience=5.0,
)


def batched(server: BatchServer, name: str = "weak", **options: Any) -> dict[str, Any]:
    """A model that is bought in batches, at half its price."""
    prices = PRICES[name]
    price = {**prices, "batch": {"input": prices["input"] / 2, "output": prices["output"] / 2}}
    return model(server.url, name, price=price, batch=True, **options)


def study_of(server: BatchServer, folder: Path, *, n_problems: int = 8, **changes: Any) -> Path:
    """Write a study with one model that is bought in batches, three draws per problem."""
    changes.setdefault("models", {"weak": batched(server)})
    return write(folder, raw(server.url, **changes), n_problems=n_problems)


def show(server: BatchServer, change: Callable[[Row, StoredBatch], None]) -> None:
    """Change what the endpoint shows of its batches."""
    given = BatchServer._shown

    def shown(batch: StoredBatch, shows: Any) -> Row:
        row = given(server, batch, shows)
        change(row, batch)
        return row

    server._shown = shown  # type: ignore[method-assign]


@pytest.fixture
def quick(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line in this process, with short pauses between looks at a batch."""
    monkeypatch.setattr("isocost.sampling.batches.TIMING", SOON)
    return shell


@pytest.fixture
def patient(quick: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same, which waits for answers until they come."""
    monkeypatch.setattr("isocost.sampling.batches.TIMING", replace(SOON, results=600.0))
    return quick

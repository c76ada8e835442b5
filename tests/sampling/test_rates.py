"""Rates of charge: the draws of a pool that were bought at other ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from isocost.records import ModelCard, PriceTier
from isocost.sampling.rates import FILE, note_mixed_rates
from isocost.store import RunDirectory
from tests.sampling.pooling import CARD, FACTS, buy_all, order, pool_in, problems, wanted

A = CARD
B = replace(CARD, usd_per_million={"input": 1, "output": 3})


def start(folder: Path, card: ModelCard, draws: int, identity: str = "weights") -> tuple[bool, int]:
    """Return if the pool is mixed, and the number of notes, of a start with a card that ends with this many draws."""
    pool = pool_in(folder, problems("p"), facts=replace(FACTS, identity=identity))
    pool.card = card
    notes: list[object] = []
    mixed = note_mixed_rates({"weak": pool}, RunDirectory(folder), notes.append)
    if more := draws - pool.stored.count():
        order(pool, ("p", pool.stored.count(), more))
        buy_all(pool, wanted(p=draws))
        pool.seal()
    return bool(mixed), len(notes)


def test_only_rates_that_draws_were_bought_at_count(tmp_path: Path) -> None:
    assert start(tmp_path, A, 2) == (False, 0)
    assert start(tmp_path, A, 2) == (False, 0)
    assert start(tmp_path, B, 2) == (True, 1)
    assert start(tmp_path, B, 2) == (True, 0)  # noted once
    assert start(tmp_path, A, 4) == (False, 0)  # none was bought at B
    assert start(tmp_path, B, 6) == (True, 1)
    assert start(tmp_path, A, 6) == (True, 1)  # two were
    assert start(tmp_path, A, 6) == (True, 0)


def test_draws_of_another_pool_do_not_count(tmp_path: Path) -> None:
    assert start(tmp_path, A, 2) == (False, 0)
    assert start(tmp_path, B, 2, "other") == (False, 0)
    assert start(tmp_path, B, 2, "other") == (False, 0)
    assert start(tmp_path, A, 2) == (False, 0)
    assert start(tmp_path, B, 2) == (True, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"usd_per_request": 0.1},
        {"price_tiers": (PriceTier(above=100, usd_per_million={"output": 9}),)},
        {"flops_per_token": 4.0},
        {"prompt_reading": "each"},
        {"attention": 64, "counts_attention": True},
    ],
)
def test_all_that_a_cost_follows_from_counts(tmp_path: Path, other: dict[str, object]) -> None:
    card = replace(A, **other)  # type: ignore[arg-type]
    assert start(tmp_path, card, 1) == (False, 0)
    assert start(tmp_path, card, 1) == (False, 0)
    assert start(tmp_path, A, 1) == (True, 1)


@pytest.mark.parametrize(
    "entries", ["x", [], {}, {"weak": 3}, {"weak": [1, {}, {"pool": 1, "draws": 0, "rates": {}}]}, {"weak": [{"pool": "p"}]}]
)
def test_a_damaged_record_is_ignored(tmp_path: Path, entries: object) -> None:
    assert start(tmp_path, A, 2) == (False, 0)
    (tmp_path / FILE).write_text(json.dumps(entries), encoding="utf-8")
    assert start(tmp_path, B, 2) == (False, 0)
    assert start(tmp_path, B, 2) == (False, 0)

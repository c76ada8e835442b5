"""A run that its limit stops: what is paid can be looked at, and a higher limit goes on without buying it again."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from isocost.measuring.rundirs import facts_of
from tests import openai_runs as runs
from tests.engines.openai.server import Server
from tests.openai_runs import Shell, shell

__all__ = ["shell"]


def test_what_is_paid_is_a_table_of_samples(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    arms = {"weak": {"models": ["weak"], "samples_per_problem": 30}}
    with Server() as server:
        path = runs.write(tmp_path, runs.raw(server.url, limit={"unit": "usd", "amount": 0.01}, arms=arms))
        left = shell("run", path, "-o", out)
        assert left.code == 1
        rows = runs.stored(out)
        paid = pl.read_parquet(out / "samples.parquet", glob=False)
        assert sorted(paid["sample_index"]) == sorted(row["sample_index"] for row in rows)
        assert 0 < len(paid) < 240
        assert len(left.errors) == 3
        assert left.errors[0].startswith("error: stopped at the limit: $0.00")
        assert left.errors[1] == f"  {len(paid)} of 240 samples are saved in {out}/samples.parquet; what they say: isocost measure {out}"
        measured = shell("measure", out, "--json")
        assert measured.code == 0, measured
        assert list(json.loads(measured.out)["models"]) == ["weak"]
        facts = facts_of(out)
        assert facts is not None
        assert facts.doubt().startswith("samples.parquet holds what was paid before the run stopped, by its limit or after its pilot; ")
        again = shell("run", path, "-o", out, "--set", "limit.amount=1")
        assert again.code == 0, again
        assert facts.doubt() == ""
    bought = runs.stored(out)
    assert len({row["id"] for row in bought}) == len(bought) == 240
    assert {row["id"] for row in rows} <= {row["id"] for row in bought}

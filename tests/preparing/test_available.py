"""Numbers of recorded samples: counted by the engine, remembered with the facts of engines."""

from pathlib import Path

import polars as pl
import pytest

from isocost.engines import load_engine
from isocost.engines.replay.engine import ReplayEngine
from isocost.executors.engineworker import count_available
from isocost.executors.jobs import EngineFacts, EngineSpec
from isocost.preparing.facts import cache_available, cache_facts
from isocost.store import RunDirectory

SPEC = EngineSpec(name="replay", options=(("model", "m"),), base=Path())
COUNTS = {"p": 2, "q": 0}


def table(folder: Path, *samples: tuple[str, int]) -> EngineSpec:
    rows = [{"problem_id": p, "model": "m", "sample_index": i, "generation": "", "num_generated_tokens": 1} for p, i in samples]
    pl.DataFrame(rows).write_parquet(folder / "table.parquet")
    return EngineSpec(name="replay", options=(("model", "m"), ("table", "table.parquet")), base=folder)


def test_samples_are_counted_up_to_the_first_gap(tmp_path: Path) -> None:
    spec = table(tmp_path, ("p", 0), ("p", 1), ("q", 1), ("r", 0), ("r", 2), ("r", 3), ("a", 0))
    engine = load_engine(spec.name, dict(spec.options), base=spec.base)
    assert isinstance(engine, ReplayEngine)
    assert engine.available() == {"a": 1, "p": 2, "q": 0, "r": 1}
    assert count_available(spec) == engine.available()


def test_an_engine_that_generates_has_no_such_number(tmp_path: Path) -> None:
    assert count_available(EngineSpec(name="tests.executors.engines:open_engine", options=(), base=tmp_path)) is None


@pytest.mark.parametrize("counts", [None, COUNTS])
def test_they_are_counted_once_and_stand_beside_the_facts(tmp_path: Path, counts: dict[str, int] | None) -> None:
    facts = EngineFacts(identity="x", size=None)
    with RunDirectory(tmp_path / "out") as directory:
        assert cache_available(directory, lambda spec: counts)(SPEC) == counts
        assert cache_facts(directory, lambda spec: facts)(SPEC) == facts
        assert cache_available(directory, lambda spec: pytest.fail("is asked again"))(SPEC) == counts
        assert cache_facts(directory, lambda spec: pytest.fail("is asked again"))(SPEC) == facts


@pytest.mark.parametrize("damage", [[], {}, {"available": 3}, {"available": {"p": "2"}}, {"available": {"p": -1}}])
def test_damaged_numbers_are_counted_again(tmp_path: Path, damage: object) -> None:
    with RunDirectory(tmp_path / "out") as directory:
        cache_available(directory, lambda spec: COUNTS)(SPEC)
        known = directory.read_derived("models.json") or {}
        directory.write_json(dict.fromkeys(known, damage), "models.json")
        assert cache_available(directory, lambda spec: {"p": 9})(SPEC) == {"p": 9}

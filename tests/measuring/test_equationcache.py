"""Digests of equations that are kept between measurements: they change no number, and any damage to them changes none."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from isocost.cli import app
from isocost.measuring import equationcache, solutions
from isocost.measuring.draws import load
from isocost.measuring.equationcache import EquationCache
from isocost.measuring.models import Model, models
from isocost.metrics.diversity import distinct_key
from isocost.running import run, run_stage
from tests.builders import write_study

TEXTS = ["2 + 3 = 5", "2+3 = 5", "3 + 2 = 5", "no sum", "no  sum", "", "it is 2 + 3 = 5, then 5 * 4 = 20", "\x1c2 × 3 ＝ 6", "= ="]


def table(texts: list[str]) -> pl.LazyFrame:
    rows = [("p" if number % 3 else "q", "m" if number % 2 else "n", number % 5 > 0, text) for number, text in enumerate(texts)]
    return pl.LazyFrame(
        rows, schema={"problem_id": pl.String, "model": pl.String, "correct": pl.Boolean, "generation": pl.String}, orient="row"
    )


def measured(texts: list[str], known: EquationCache | None = None) -> list[list[object]]:
    """Return the distinct solutions by equations, by model, with their digests."""
    frame = table(texts)
    found: list[Model] = models(frame, load(frame), (), levels=["equations"], identified=True, votes=False, known=known)
    each = [model.solutions["diversity_equations"] for model in found]
    return [[array.tolist() for array in (own.group, own.count, own.right, own.digests) if array is not None] for own in each]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts whose equations were read, in order."""
    texts: list[str] = []
    monkeypatch.setattr(solutions, "distinct_key", lambda text, level: texts.append(text) or distinct_key(text, level))
    return texts


@given(st.lists(st.sampled_from(TEXTS), max_size=20), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=20))
@settings(max_examples=15)
def test_what_is_known_changes_no_number(tmp_path_factory: pytest.TempPathFactory, earlier: list[str], now: list[str]) -> None:
    path = tmp_path_factory.mktemp("cache") / "equations.cache"
    for texts in (earlier, now, earlier + now):
        known = EquationCache(path)
        assert measured(texts, known) == measured(texts)
        known.save()
    assert measured(now, EquationCache(path)) == measured(now)


def test_only_new_texts_are_parsed_and_each_once(tmp_path: Path, parsed: list[str]) -> None:
    path = tmp_path / "equations.cache"
    for texts, new in ((["1 + 1 = 2"] * 9, 1), (["1 + 1 = 2", "2 + 2 = 4"] * 9, 1), (["2 + 2 = 4"] * 9, 0)):
        parsed.clear()
        known = EquationCache(path)
        measured(texts, known)
        known.save()
        assert len(set(parsed)) == new
    assert path.stat().st_size == 65 + 2 * 32


def test_a_measurement_that_parses_nothing_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "equations.cache"
    first = EquationCache(path)
    measured(TEXTS, first)
    first.save()
    before = path.stat().st_ino
    again = EquationCache(path)
    measured(TEXTS, again)
    again.save()
    assert path.stat().st_ino == before


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[:-32]),
    "odd": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "long": lambda path: path.write_bytes(path.read_bytes() + bytes(32)),
    "head": lambda path: flip(path, 3),
    "text": lambda path: flip(path, 65),
    "equation": lambda path: flip(path, -1),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: Callable[[Path], object], parsed: list[str]) -> None:
    path = tmp_path / "equations.cache"
    first = EquationCache(path)
    expected = measured(TEXTS, first)
    first.save()
    damage(path)
    count = len(parsed)
    again = EquationCache(path)
    assert measured(TEXTS, again) == expected
    assert len(parsed) == 2 * count
    again.save()
    if not path.is_dir():
        measured(TEXTS, EquationCache(path))
        assert len(parsed) == 2 * count


def test_digests_of_other_code_or_another_hash_are_not_used(tmp_path: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "equations.cache"
    first = EquationCache(path)
    measured(TEXTS, first)
    first.save()
    count = len(parsed)
    stamp = equationcache._stamp()
    for change in ("code", "hash"):
        with monkeypatch.context() as changed:
            equationcache._stamp.cache_clear()
            if change == "code":
                changed.setattr(
                    Path, "read_bytes", lambda self, read=Path.read_bytes: read(self) + (b"#" if self.name == "lexer.py" else b"")
                )
            else:
                changed.setattr(pl.Series, "hash", lambda self, seed: pl.Series(np.full(len(self), seed, dtype=np.uint64)))
            assert equationcache._stamp() != stamp
            found, _ = EquationCache(path).find(np.zeros((2, 1), dtype=np.uint64))
            assert not found.any()
        equationcache._stamp.cache_clear()
    measured(TEXTS, EquationCache(path))
    assert len(parsed) == count


def test_a_later_report_parses_only_new_solutions_and_its_measures_are_those_of_a_fresh_one(tmp_path: Path, parsed: list[str]) -> None:
    path, out = write_study(tmp_path, n_problems=4, n_samples=6), tmp_path / "out"
    run(path, out)
    first = (out / "measures.json").read_text(encoding="utf-8")
    assert parsed
    parsed.clear()
    run_stage(out, "report", force=True)
    assert not parsed
    assert (out / "measures.json").read_text(encoding="utf-8") == first
    run_stage(out, "report", settings=["seed=0", "audit.per_model=3"])
    assert not parsed
    kept = (out / "measures.json").read_text(encoding="utf-8")
    (out / "equations.cache").unlink()
    run_stage(out, "report", force=True)
    assert parsed
    assert (out / "measures.json").read_text(encoding="utf-8") == kept


@pytest.mark.slow
def test_measure_reads_what_is_known_of_a_run_and_writes_nothing(tmp_path: Path, parsed: list[str]) -> None:
    out = tmp_path / "out"
    run(write_study(tmp_path, n_problems=4, n_samples=6), out)
    command = ["measure", str(out), "--json"]
    parsed.clear()
    expected = CliRunner().invoke(app, command)
    assert expected.exit_code == 0
    assert not parsed
    (out / "equations.cache").unlink()
    assert CliRunner().invoke(app, command).output == expected.output
    assert parsed
    assert not (out / "equations.cache").exists()

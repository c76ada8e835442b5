"""The command `backtest`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from isocost.cli import app
from isocost.errors import InputError, StorageError
from tests.backtesting.pools import table

COSTS = ["--cost", "weak=1/draw", "--cost", "strong=3/draw"]
QUICK = ["--policies", "uniform", "--seeds", "2", "--resamples", "2", "--targets", "0.5"]


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    draws = {(f"p{i}", model): (generator.random(8) < 0.5).tolist() for i in range(6) for model in ("weak", "strong")}
    rows = sum(map(len, draws.values()))
    path = tmp_path / "pool.jsonl"
    table(draws, generation=[f"1 + {i % 3} = 2" for i in range(rows)], level=["Level 2"] * rows).write_ndjson(path)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["backtest", *map(str, arguments)])


def test_text_names_what_is_not_sure(pool: Path) -> None:
    result = run(pool, *QUICK, *COSTS)
    assert result.exit_code == 0
    assert "## 50% of problems covered" in result.stdout
    assert "- The table has no sample_index: each row counts as a draw of its own" in result.stdout
    assert "- Few problems: 6." in result.stdout


def test_json_and_figure(pool: Path, tmp_path: Path) -> None:
    result = run(pool, *QUICK, *COSTS, "--json", "--figure", tmp_path / "ratios.svg", "--label", "level")
    found = json.loads(result.stdout)
    assert found["targets"][0]["policies"][0]["policy"] == "uniform"
    assert (tmp_path / "ratios.svg").read_text(encoding="utf-8").startswith("<svg")


def test_solutions_are_compared_if_there_are_texts(pool: Path, tmp_path: Path) -> None:
    kept = ["--objective", "kept:4", "--targets", "2", "--policies", "uniform", "--seeds", "2", "--resamples", "2", *COSTS]
    assert "all correct draws of a problem count as different" not in run(pool, *kept).stdout
    bare = tmp_path / "bare.jsonl"
    lines = [json.loads(text) for text in pool.read_text(encoding="utf-8").splitlines()]
    bare.write_text("\n".join(json.dumps({k: v for k, v in row.items() if k != "generation"}) for row in lines), encoding="utf-8")
    assert "all correct draws of a problem count as different" in run(bare, *kept).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--targets", "0.3,x"], '--targets: "0.3,x" is not a list of numbers above 0'),
        (["--distinct", "words"], '--distinct: "words" is no level'),
        (["--targets", "0"], '--targets: "0" is not a list'),
        (["--objective", "kept"], '--objective: "kept" is no objective'),
        (["--policies", "uniform,adaptve", *COSTS], 'there is no policy "adaptve"'),
        (["--cost", "weak"], '--cost: "weak" is not MODEL=AMOUNT'),
        (["--cost", "weak=1/draw"], 'no cost for model "strong"'),
        (["--cost", "weak=1", "--cost", "strong=3"], "the table has no column num_generated_tokens"),
        ([], "neither the column cost nor num_generated_tokens"),
        (["--budget", "-1", *COSTS], "--budget: must be a number above 0"),
        (["--label", "levle", *COSTS], 'has no column "levle"'),
        (["--cost", "weak=1e91/draw", "--cost", "strong=3/draw"], 'the cost of "weak" is 1e+91; a cost is from 1e-60 to 1e+60'),
        (["--policies", "builtins:len", *COSTS], "builtins:len cannot be made from its terms: object of type 'Terms' has no len()"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], message: str, pool: Path) -> None:
    result = run(pool, "--seeds", "2", "--resamples", "2", *arguments)
    assert isinstance(result.exception, InputError)
    assert message in result.exception.happened
    assert "\n" not in result.exception.happened


def test_a_figure_that_cannot_be_written_is_an_error(pool: Path, tmp_path: Path) -> None:
    assert isinstance(run(pool, *QUICK, *COSTS, "--figure", tmp_path / "none" / "a.svg").exception, InputError)
    (tmp_path / "a.svg").mkdir()
    assert isinstance(run(pool, *QUICK, *COSTS, "--figure", tmp_path / "a.svg").exception, StorageError)


def test_a_figure_overwrites_no_file_of_another_kind(pool: Path) -> None:
    before = pool.read_bytes()
    result = run(pool, *QUICK, *COSTS, "--figure", pool)
    assert isinstance(result.exception, InputError)
    assert f"--figure {pool}: is no name of an SVG file" in str(result.exception)
    assert pool.read_bytes() == before

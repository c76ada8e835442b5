"""`isocost forecast` on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from isocost.cli import main
from tests.predicting.tabled import sampled, written


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["isocost", "forecast", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_options_reach_the_forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(sampled(problems=20), tmp_path))
    options = ["--pilot", "4", "--at", "8,16", "--budget", "6e2", "--objective", "kept:2", "--cost", "weak=2", "--cost", "strong=1"]
    options += ["--false-positives", "weak=0.1"]
    assert run(monkeypatch, path, *options, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["pilot"], data["objective"], data["unit"]) == (4, "kept:2", "priced tokens")
    assert (data["counts"], data["false_positive_rates"]) == ("sound", {"weak": 0.1})
    assert [point["k"] for point in data["models"]["weak"]["points"]] == [8, 16]
    (comparison,) = data["choices"]
    assert comparison["budget"] == 600.0
    draws = {choice["name"]: choice["draws"] for choice in comparison["choices"]}
    assert draws["weak"] == {"weak": 30.0}
    assert "adaptive" in draws


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pilot", "99"], "error: --pilot 99: model weak has at most 20 graded draws per problem"),
        (["--budget", "-1"], "error: --budget -1.0: is not an amount above 0"),
        (["--budget", "nan"], "error: --budget nan: is not an amount above 0"),
        (["--budget", "1e308"], "error: --budget 1e+308 per problem: buys "),
        (["--pilot", "4", "--budget", "10"], "error: --budget 10 tokens per problem: the pilot alone costs 160 tokens per problem"),
        (["--objective", "solved"], 'error: --objective: "solved" is no objective'),
        (["--false-positives", "weak=2"], 'error: --false-positives: "weak=2" is not MODEL=RATE with a rate of at least 0 and below 1'),
        (["--at", "0"], 'error: --at: "0" is not a list of whole numbers above 0'),
        (["--cost", "weak=1"], 'error: --cost: no cost for model "strong"'),
    ],
)
def test_bad_input_is_one_clear_line(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(written(sampled(problems=4), tmp_path))
    assert run(monkeypatch, path, *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith(message)
    assert len(err.splitlines()) <= 2


def test_a_missing_column_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, str(written(sampled(problems=2).drop("correct"), tmp_path))) == 2
    assert "missing column correct" in capsys.readouterr().err

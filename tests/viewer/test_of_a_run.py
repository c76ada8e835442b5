"""The pages of a directory that a run has really written."""

from pathlib import Path

import pytest

from isocost.running import run, runs
from isocost.viewer.rundata import RunData
from tests.builders import InlineExecutor, write_study
from tests.viewer.conftest import open_pages
from tests.viewer.rundirs import labels


def test_what_a_run_leaves_is_listed_and_labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LocalExecutor", InlineExecutor)
    out = tmp_path / "run"
    run(write_study(tmp_path), out)
    chosen = list(RunData(out).audited().chosen)
    assert chosen
    pages = open_pages(out, chosen)
    listed = pages.get("/")
    assert "What is 29 + 7?" in listed
    assert "30 problems, 240 samples" in listed
    for number, one in enumerate(chosen, start=1):
        page = pages.get(f"/label/{number}")
        i = int(one.problem_id[1:])
        assert f"#### {i + 7}" in page
        assert f"What is {i} + 7?" in page
        assert not {"weak", "strong"} & set(page.replace('"', " ").split())
    assert pages.post("/label", sample=chosen[0].sample_id, verdict="sound") == "/label/2"
    assert "all that could be read hold" in pages.get("/label/1")
    assert [line["sample_id"] for line in labels(out)] == [chosen[0].sample_id]

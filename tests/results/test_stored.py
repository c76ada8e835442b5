"""results.json is read back as it was written, and what is no results.json is refused in a line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from isocost.errors import RunDirectoryError
from isocost.results.stored import RESULTS, read_results, results_json
from isocost.store import RunDirectory
from tests.reporting.curved import curved
from tests.reporting.test_csv import rich


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text("name: a\n")
    return tmp_path


def test_results_are_read_back_as_they_were(folder: Path) -> None:
    for results in (curved(), rich(), replace(curved(), reasoning={("data", "weak"): (3, 40)})):
        (folder / RESULTS).write_text(json.dumps(results_json(results)))
        assert read_results(folder) == results


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"study": 1, "reasoning": []}', '{"reasoning": [1]}', "null"])
def test_a_damaged_file_is_named_with_the_remedy(folder: Path, text: str) -> None:
    (folder / RESULTS).write_text(text)
    with pytest.raises(RunDirectoryError, match=r"results\.json: damaged") as raised:
        read_results(folder)
    assert "isocost report" in str(raised.value)


def test_a_run_without_report_and_a_folder_that_is_no_run_are_told_apart(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="has no report"):
        read_results(folder)
    with pytest.raises(RunDirectoryError, match="is it a run directory"):
        read_results(tmp_path / "nothing")


def test_results_that_were_changed_by_hand_are_refused(folder: Path) -> None:
    study = curved()
    path = RunDirectory(folder).write_json(results_json(study), RESULTS)
    assert read_results(folder) == study
    path.write_text(path.read_text().replace(f'"study": "{study.study}"', '"study": "another"'))
    with pytest.raises(RunDirectoryError, match=r"results\.json was changed after the run had written it\n  write it again: isocost"):
        read_results(folder)

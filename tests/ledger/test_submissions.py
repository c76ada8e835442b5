"""The record of submissions: its order of events, and what a damaged line does."""

from __future__ import annotations

from pathlib import Path

import pytest

from isocost.errors import StorageError
from isocost.ledger.submissions import FILE, Submissions, read_submissions
from isocost.store import RunDirectory


def submissions(folder: Path) -> Submissions:
    return Submissions(RunDirectory(folder).log(FILE))


def submit(found: Submissions, id: str) -> None:
    found.record("reserved", id, model="weak", requests=10)
    found.record("creating", id, file="file-1", requests=8)


def test_a_submission_is_read_as_it_was_left(tmp_path: Path) -> None:
    first = submissions(tmp_path)
    submit(first, "a")
    first.record("created", "a", batch="batch-1")
    first.record("state", "a", status="in_progress", completed=3, failed=1)
    again = submissions(tmp_path)
    assert again["a"] == first["a"]
    own = again["a"]
    assert (own.stage, own.file, own.batch, own.requests, own.status, own.completed, own.failed) == (
        "created", "file-1", "batch-1", 8, "in_progress", 3, 1,
    )  # fmt: skip
    assert again.batches() == ["batch-1"]


def test_a_submission_may_be_paid_from_its_creation_until_its_answers_are_committed(tmp_path: Path) -> None:
    found = submissions(tmp_path)
    paid = []
    for event, facts in [
        ("reserved", {"model": "weak", "requests": 1}),
        ("creating", {"file": "f", "requests": 1}),
        ("created", {"batch": "b"}),
        ("collected", {}),
        ("closed", {"why": ""}),
    ]:
        own = found.record(event, "a", **facts)  # type: ignore[arg-type]
        paid.append((own.may_be_paid, own.is_open))
    assert paid == [(False, True), (True, True), (True, True), (False, True), (False, False)]
    assert found.open() == []


def test_a_withdrawn_submission_is_open_until_its_file_is_deleted_and_cannot_be_paid(tmp_path: Path) -> None:
    found = submissions(tmp_path)
    submit(found, "a")
    assert not found["a"].is_unused
    own = found.record("withdrawn", "a", why="refused")
    assert (own.is_unused, own.is_open, own.may_be_paid, own.file) == (True, True, False, "file-1")
    assert submissions(tmp_path).open() == [own]
    assert not found.record("closed", "a", why="").is_open


@pytest.mark.parametrize(
    "line", ['{"event": "created", "submission": "z", "batch": "b", "time": 1}', '{"event": "odd", "submission": "a"}', "{"]
)
def test_a_damaged_line_stops_a_start_and_is_skipped_by_a_reader(tmp_path: Path, line: str) -> None:
    found = submissions(tmp_path)
    submit(found, "a")
    path = tmp_path / FILE
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(StorageError, match="never remove it"):
        submissions(tmp_path)
    assert list(read_submissions(RunDirectory(tmp_path).log(FILE).peek())) == ["a"]

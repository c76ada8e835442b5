"""Input files of batches at the endpoint: none is left once it is certain that no batch uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isocost.ledger.submissions import Submissions
from tests.batch_runs import quick, study_of
from tests.engines.openai.batchserver import BatchServer
from tests.matrices import first_fast
from tests.openai_runs import Shell, events, shell, stored

__all__ = ["quick", "shell"]
DRAWS = 24
OUT = "out"


def stop_before(monkeypatch: pytest.MonkeyPatch, event: str) -> None:
    """Stop the next start as a kill would, before it records an event for the first time."""
    record, stopped = Submissions.record, list[bool]()

    def recorded(self: Submissions, name: Any, id: str, **facts: Any) -> Any:
        if name == event and not stopped:
            stopped.append(True)
            raise RuntimeError("stopped")
        return record(self, name, id, **facts)

    monkeypatch.setattr(Submissions, "record", recorded)


def assert_whole(server: BatchServer, folder: Path) -> None:
    assert server.books.files == {}
    assert (server.bill()["lines"], server.bill()["twice"]) == (DRAWS, 0)
    assert len(stored(folder / OUT)) == DRAWS
    assert not list((folder / OUT / "batches").iterdir())


def test_a_file_that_a_killed_start_uploaded_is_deleted_by_the_next_one(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(page=1) as server:
        study = study_of(server, tmp_path)
        stop_before(monkeypatch, "creating")
        assert "stopped" in quick("run", study, "-o", tmp_path / OUT).err
        server.books.add_file("of somebody else.jsonl", "batch", b"")
        assert len(server.books.files) == 2
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert [file.name for file in server.books.files.values()] == ["of somebody else.jsonl"]
        server.books.files.clear()
        assert_whole(server, tmp_path)
        assert server.calls["create"] == 1


def test_an_upload_whose_reply_did_not_come_is_deleted_with_the_batch(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"upload": ["500 done", "cut done"]}) as server:
        assert quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT).code == 0
        assert server.calls["upload"] == 3
        assert_whole(server, tmp_path)


@pytest.mark.slow
def test_the_file_of_a_batch_that_is_refused_is_deleted(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"create": ["403"]}) as server:
        study = study_of(server, tmp_path)
        assert quick("run", study, "-o", tmp_path / OUT).code == 1
        assert server.books.files == {}
        assert events(tmp_path / OUT) == {"reserve": DRAWS, "retry": DRAWS}
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert_whole(server, tmp_path)


def test_a_start_that_is_killed_while_it_withdraws_a_batch_is_followed_by_one_that_goes_on(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(faults={"create": ["403"]}) as server:
        study = study_of(server, tmp_path)
        stop_before(monkeypatch, "withdrawn")
        assert "stopped" in quick("run", study, "-o", tmp_path / OUT).err
        assert len(server.books.files) == 1
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert_whole(server, tmp_path)


@pytest.mark.slow
def test_a_file_that_cannot_be_deleted_now_is_deleted_at_the_next_start(
    quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchServer(faults={"files": ["500"]}) as server:
        study = study_of(server, tmp_path)
        stop_before(monkeypatch, "creating")
        assert "stopped" in quick("run", study, "-o", tmp_path / OUT).err
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert len(server.books.files) == 1
        assert quick("run", study, "-o", tmp_path / OUT).code == 0
        assert_whole(server, tmp_path)


@pytest.mark.slow
def test_an_endpoint_without_a_list_of_files_has_the_file_named(quick: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BatchServer(faults={"files": ["404"]}) as server:
        study = study_of(server, tmp_path)
        stop_before(monkeypatch, "creating")
        assert "stopped" in quick("run", study, "-o", tmp_path / OUT).err
        (file,) = server.books.files.values()
        left = quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 0
        assert f"a file {file.name} may be left at the endpoint, which no batch uses: delete it there" in left.err
        assert "may be left" not in quick("run", study, "-o", tmp_path / OUT).err


def test_the_file_of_a_batch_that_may_exist_is_not_deleted(quick: Shell, tmp_path: Path) -> None:
    with BatchServer(faults={"create": ["cut done"]}, shows=()) as server:
        left = quick("run", study_of(server, tmp_path), "-o", tmp_path / OUT)
        assert left.code == 1
        assert server.calls["delete"] == 0
        assert list(server.books.files) == ["file-000001"]


@pytest.fixture
def under_way(quick: Shell, tmp_path: Path) -> Iterator[tuple[BatchServer, Path]]:
    """A study that was left while its batch is under way."""
    with BatchServer(delay=3600.0) as server:
        study = study_of(server, tmp_path, limit={"unit": "usd", "amount": 1})
        left = quick("run", study, "-o", tmp_path / OUT, "--no-wait")
        assert "under way: batch batch-000001 of weak (24 requests)" in left.err + left.out
        yield server, study


@pytest.mark.parametrize("kept", first_fast([1, 2, 3]))
def test_a_record_of_batches_that_was_cut_is_missed(quick: Shell, tmp_path: Path, under_way: tuple[BatchServer, Path], kept: int) -> None:
    (server, study), record = under_way, tmp_path / OUT / "batches.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:kept]))
    calls = dict(server.calls)
    for how in ((), ("--cancel-batches",)):
        left = quick("sample", tmp_path / OUT, *how) if how else quick("run", study, "-o", tmp_path / OUT)
        assert left.code == 1
        assert f"{record}: was cut, changed or removed since there were under way: batch batch-000001 of weak (24 requests)" in left.err
    assert dict(server.calls) == calls
    record.write_bytes(b"".join(lines))
    server.books.delay = 0.0
    assert quick("run", study, "-o", tmp_path / OUT).code == 0
    assert_whole(server, tmp_path)


@pytest.mark.parametrize("kept", first_fast([5, 0]))
def test_a_ledger_that_lacks_requests_of_a_batch_under_way_is_told(
    quick: Shell, tmp_path: Path, under_way: tuple[BatchServer, Path], kept: int
) -> None:
    (server, study), out = under_way, tmp_path / OUT
    ledger, progress = (out / "ledger.jsonl").read_bytes(), (out / "progress.json").read_bytes()
    (out / "ledger.jsonl").write_bytes(b"".join(ledger.splitlines(keepends=True)[:kept]))
    (out / "progress.json").unlink()
    calls = dict(server.calls)
    left = quick("run", study, "-o", out)
    assert left.code == 1
    assert f"lacks {DRAWS - kept} requests of what is under way: batch batch-000001 of weak (24 requests)" in left.err
    assert dict(server.calls) == calls
    (out / "ledger.jsonl").write_bytes(ledger)
    (out / "progress.json").write_bytes(progress)
    server.books.delay = 0.0
    assert quick("run", study, "-o", out).code == 0
    assert_whole(server, tmp_path)

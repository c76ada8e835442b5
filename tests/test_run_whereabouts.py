"""A run directory that is moved, removed, locked, full or set with traps, while a run works in it and before."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from isocost.errors import RunDirectoryError, StorageError
from isocost.store import BatchLog, Log, RunDirectory
from isocost.store.files import atomic_write
from isocost.store.rounds import MARK
from isocost.viewer.labelbook import LabelBook
from tests import openai_runs as runs
from tests.engines.openai.replies import Asked
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Shell, shell

__all__ = ["shell"]

LIMIT = 0.01


def study(folder: Path, server: Server, *, samples: int = 10, limit: float = LIMIT) -> Path:
    arms = {"weak": {"models": ["weak"], "samples_per_problem": samples}}
    return runs.write(folder, runs.raw(server.url, limit={"unit": "usd", "amount": limit}, arms=arms))


class After:
    """Does something once, when an endpoint is asked for the so many-th time."""

    def __init__(self, server: Server, count: int, what: object) -> None:
        self._left, self._what = count, what
        server.on_request = self

    def __call__(self, asked: Asked) -> None:
        self._left -= 1
        if self._left == 0:
            self._what()  # type: ignore[operator]


def paid(out: Path) -> float:
    return sum(line["usd"] for line in runs.ledger(out) if line["event"] in ("done", "lost"))


# a first start that loses its study file


def test_a_folder_with_draws_is_kept_though_its_study_is_removed(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server() as server:
        After(server, 10, lambda: (out / "study.yaml").unlink())
        left = shell("run", study(tmp_path, server), "-o", out)
        assert left.code in (0, 1)
        assert runs.stored(out)
        asked = runs.completions(server)
        assert shell("report", out).code == left.code
        assert runs.completions(server) == asked


@pytest.mark.parametrize("name", ["ledger.jsonl", "pools", "mine.txt", "arms"])
def test_a_new_folder_with_anything_in_it_is_kept(tmp_path: Path, name: str) -> None:
    with RunDirectory(tmp_path / "new") as directory:
        (directory.path / name).write_text("x")
    assert (tmp_path / "new" / name).exists()


def test_a_new_folder_that_was_replaced_is_kept(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "new") as directory:
        directory.path.rename(tmp_path / "old")
        directory.path.mkdir()
    assert (tmp_path / "new").exists()
    assert (tmp_path / "old").exists()


def test_draws_without_a_study_are_named(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server() as server:
        path = study(tmp_path, server, samples=1)
        assert shell("run", path, "-o", out).code == 0
        (out / "study.yaml").unlink()
        left = shell("run", path, "-o", out)
        assert left.code == 2
        assert "holds what a run bought, but no study.yaml" in left.errors[0]
        shutil.copy(path, out / "study.yaml")
        assert shell("run", path, "-o", out).code == 0


# moved or removed meanwhile


def _go(out: Path, away: Path, how: str) -> None:
    if how == "pools removed":
        shutil.rmtree(out / "pools")
    elif how == "pool files removed":
        for path in out.glob("pools/weak/*.w0.jsonl"):
            path.unlink()
    else:
        out.rename(away)
    if how == "removed":
        shutil.rmtree(away)  # not under its own name: the run may be adding files to it
    elif how == "replaced":
        out.mkdir()


@pytest.mark.parametrize("how", first_fast(["moved", "removed", "replaced", "pools removed", "pool files removed"]))
def test_a_run_whose_folder_goes_away_fails_and_makes_no_other(tmp_path: Path, shell: Shell, how: str) -> None:
    out, away = tmp_path / "out", tmp_path / "away"
    with Server() as server:
        After(server, 20, lambda: _go(out, away, how))
        left = shell("run", study(tmp_path, server), "-o", out)
        assert left.code == 1, left
        assert len(left.errors) == 2, left
        assert "fault of isocost" not in left.err
        assert "report" not in left.out
        assert out.exists() == (how not in ("moved", "removed")), sorted(out.rglob("*"))
        if not away.exists():
            return
        if how == "replaced":
            out.rmdir()  # empty
        away.rename(out)
        left = shell("run", study(tmp_path, server), "-o", out)
        assert left.code in (0, 1), left
        assert len({row["id"] for row in runs.stored(out)}) == len(runs.stored(out))
        assert paid(out) <= LIMIT


def test_a_worker_makes_no_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="its folder is gone"):
        BatchLog(tmp_path / "run" / "pools" / "m" / "p", "w0").append("a", [{"id": "x"}])
    assert not (tmp_path / "run").exists()


# locks


def other(out: Path) -> str:
    code = """
import sys
from pathlib import Path
from isocost.errors import IsocostError
from isocost.store import RunDirectory
try:
    with RunDirectory(Path(sys.argv[1])):
        print("opened")
except IsocostError as error:
    print(error)
"""
    return subprocess.run([sys.executable, "-c", code, str(out)], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("how", first_fast(["removed", "replaced", "emptied", "moved"]))
def test_a_lock_file_that_goes_lets_nobody_in(tmp_path: Path, how: str) -> None:
    out = tmp_path / "run"
    with RunDirectory(out) as directory:
        directory.write_text("name: x", "study.yaml")
        directory.write_json({"pid": os.getpid()}, "start.json")
        if how == "emptied":
            (out / "lock").write_text("")
        elif how == "moved":
            (out / "lock").rename(out / "was")
        else:
            (out / "lock").unlink()
        if how == "replaced":
            (out / "lock").write_text("")
        assert other(out).startswith(f"{out}: in use by process {os.getpid()}\n")
        directory.check()
        assert (out / "lock").read_text() == str(os.getpid()) or how == "emptied"
        assert other(out).startswith(f"{out}: in use by process {os.getpid()}\n")
    assert other(out) == "opened"


@pytest.mark.parametrize("linked", [False, True])
def test_rounds_of_a_study_are_worked_on_by_one_process(tmp_path: Path, linked: bool) -> None:
    """They share a limit, and a process reads what the others have paid when it starts."""
    first, second = tmp_path / "run", tmp_path / "run" / "rounds" / "2"
    for folder in (first, second):
        with RunDirectory(folder) as directory:
            directory.write_text("name: x", "study.yaml")
            if folder == second:
                directory.write_json({"round": 2}, MARK)
    if linked:
        (first / "rounds").rename(tmp_path / "disk")
        (first / "rounds").symlink_to(tmp_path / "disk")
    with RunDirectory(second):
        assert other(first).startswith(f"{first}: in use by process ")
    assert other(first) == "opened"
    with RunDirectory(first):
        assert other(second).startswith(f"{first}: in use by process {os.getpid()}\n")
        with RunDirectory(second):  # the process that has the first round goes on to later ones
            pass
        assert other(first).startswith(f"{first}: in use by process ")
    assert other(second) == "opened"


def test_where_folders_have_no_locks_a_lock_file_that_another_took_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with RunDirectory(tmp_path / "run") as directory:
        directory.write_text("name: x", "study.yaml")
        (tmp_path / "run" / "lock").unlink()
        with RunDirectory(tmp_path / "run"), pytest.raises(StorageError, match="was removed while the run was working"):
            directory.ready()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_a_disk_without_locks_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(RunDirectoryError, match="cannot be locked") as caught, RunDirectory(tmp_path):
        pass
    assert "in use" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_a_forked_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "run") as directory:
        directory.write_text("name: x", "study.yaml")
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
    try:
        assert other(tmp_path / "run") == "opened"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.slow
def test_two_runs_with_the_lock_file_removed_between_them(tmp_path: Path, shell: Shell) -> None:
    out = tmp_path / "out"
    with Server(delay=0.05) as server:
        path = study(tmp_path, server)
        with runs.started("run", path, "-o", out) as first:
            while runs.completions(server) < 4:
                time.sleep(0.01)
            (out / "lock").unlink()
            second = shell("run", path, "-o", out)
            assert second.code == 2
            assert f"in use by process {first.pid}" in second.errors[0]
            first.wait(timeout=60)
    assert paid(out) <= LIMIT


def test_labels_are_written_one_at_a_time_though_the_lock_file_is_removed(tmp_path: Path) -> None:
    book = LabelBook(tmp_path, "a")
    entered, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def hold() -> None:
        with book._writing():
            entered.set()
            go_on.wait(10)
            order.append("first")

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    (tmp_path / "audits" / "labels.lock").unlink()

    def say() -> None:
        LabelBook(tmp_path, "b").say("x", "sound")
        order.append("second")

    second = threading.Thread(target=say)
    second.start()
    time.sleep(0.2)
    go_on.set()
    holder.join()
    second.join()
    assert order == ["first", "second"]


# full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_on_a_disk_that_is_still_full_nothing_is_sent(tmp_path: Path, shell: Shell, small_disk: Path) -> None:
    with Server(answer=lambda prompt, seed, choice: f"{'so ' * 300}{seed}") as server:
        path = study(tmp_path, server, samples=100, limit=1.0)
        left = shell("run", path, "-o", small_disk / "out")
        assert left.code == 1
        assert "the disk is full" in left.errors[0]
        asked = runs.completions(server)
        assert asked
        for _ in range(2):
            left = shell("run", path, "-o", small_disk / "out")
            assert left.code == 1
            assert "the disk is full" in left.errors[0]
        assert runs.completions(server) == asked


# traps


def test_nothing_is_written_through_a_link_at_a_temporary_name(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / ".file.tmp").symlink_to(target)
    with atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("new")
    assert target.read_text() == "precious"
    assert (tmp_path / "file").read_text() == "new"
    assert not (tmp_path / ".file.tmp").exists()


def _write(out: Path, name: str) -> None:
    if name == "lock":
        with RunDirectory(out):
            pass
    elif name == "audits/labels.lock":
        LabelBook(out, "me").say("x", "sound")
    else:
        Log(out / name).append({"a": 1})


@pytest.mark.parametrize("name", ["lock", "ledger.jsonl", "audits/labels.lock", "pools/m/p.w0.jsonl"])
def test_nothing_is_written_through_a_link_at_the_name_of_a_log_or_a_lock(tmp_path: Path, name: str) -> None:
    target, out = tmp_path / "precious", tmp_path / "run"
    target.write_text("precious, and not the end of a line")
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(target)
    with pytest.raises(StorageError, match="symbolic link"):
        _write(out, name)
    with pytest.raises(StorageError, match="symbolic link"):
        list(Log(out / name).entries())
    assert target.read_text() == "precious, and not the end of a line"


def test_folders_may_be_links(tmp_path: Path, shell: Shell) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "pools").symlink_to(tmp_path / "big")
    (tmp_path / "real" / "study.yaml").write_text("name: asked\n")
    with Server() as server:
        assert shell("run", study(tmp_path, server, samples=1), "-o", tmp_path / "out").code == 0
    assert list((tmp_path / "big").glob("weak/*.parts/*.parquet"))


# power loss


def test_names_are_on_the_disk_before_anything_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    log = Log(tmp_path / "a" / "b" / "log.jsonl")
    log.append({"x": 1})
    assert {str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b"), str(log.path)} <= set(synced)
    synced.clear()
    log.append({"x": 2})
    assert synced == [str(log.path)]
    synced.clear()
    RunDirectory(tmp_path).write_text("x", "c", "file")
    assert synced[-1] == str(tmp_path / "c")
    assert str(tmp_path) in synced

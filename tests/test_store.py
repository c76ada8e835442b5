import contextlib
import errno
import json
import os
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from isocost.errors import RunDirectoryError, StorageError
from isocost.store import BatchLog, Log, Row, RunDirectory, write_parquet
from isocost.store.files import make_folder, storage_errors
from isocost.store.parts import Parts

FORMER: list[Row] = [{"key": "a", "text": "zwölf\n\u2028"}, {"key": "b", "rows": [1, 2.5, None]}]
LAST = {"key": "c", "text": 'ü "quoted" \\ {"key": "d"}'}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    log = Log(tmp_path / "new" / "log.jsonl")
    assert list(log.entries()) == []
    log.append(*FORMER)
    log.append(LAST)
    assert list(Log(log.path).entries()) == [*FORMER, LAST]


def test_a_log_holds_any_text_a_model_writes(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append({"text": "\ud800 \0 \x85 \u2029"})
    assert list(log.entries()) == [{"text": "\ud800 \0 \x85 \u2029"}]


@pytest.mark.parametrize("read_first", [True, False])
def test_a_line_torn_anywhere_is_dropped(tmp_path: Path, *, read_first: bool) -> None:
    whole = Log(tmp_path / "whole.jsonl")
    whole.append(*FORMER)
    start = whole.path.stat().st_size
    whole.append(LAST)
    data = whole.path.read_bytes()
    for cut in range(start, len(data) - 1):
        log = Log(tmp_path / "torn.jsonl")
        log.path.write_bytes(data[:cut])
        if read_first:
            assert list(log.entries()) == FORMER
        log.append({"key": "next"})
        assert list(log.entries()) == [*FORMER, {"key": "next"}], cut


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("read_first", [True, False])
def test_a_line_that_lacks_only_its_newline_is_kept(tmp_path: Path, *, read_first: bool, checked: bool) -> None:
    log = Log(tmp_path / "log.jsonl", checked=checked)
    log.append(*FORMER, LAST)
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[:-1])  # as an editor saves it
    log = Log(log.path, checked=checked)
    if read_first:
        assert [entry["key"] for entry in log.entries()] == [entry["key"] for entry in [*FORMER, LAST]]
        assert log.path.read_bytes() == whole
    log.append({"key": "next"})
    assert log.path.read_bytes().startswith(whole)
    assert [entry["key"] for entry in log.entries()] == [*(entry["key"] for entry in [*FORMER, LAST]), "next"]


@pytest.mark.parametrize("length", [10, 65_535, 65_536, 65_537, 200_000])
def test_a_torn_line_of_any_length_is_dropped(tmp_path: Path, length: int) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append(*FORMER)
    with log.path.open("ab") as file:
        file.write(b"x" * length)
    assert list(log.entries()) == FORMER


def test_a_log_that_is_one_torn_line_is_empty(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.path.write_bytes(b'{"key": ' + b" " * 70_000)
    assert list(log.entries()) == []


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.path.write_text('{"key": 1}\n{"key": \n{"key": 3}\n', encoding="utf-8")
    with pytest.raises(StorageError, match=r"log\.jsonl:2: damaged line"):
        list(log.entries())


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_an_edited_line_is_told_however_its_editor_spaces_json(tmp_path: Path, separators: tuple[str, str]) -> None:
    log = Log(tmp_path / "log.jsonl", checked=True)
    log.append(*FORMER)
    entries = [json.loads(line) for line in log.path.read_bytes().splitlines()]
    assert all("check" in entry for entry in entries)
    assert list(log.entries()) == FORMER  # without their checksums
    entries[0]["key"] = "another"
    log.path.write_text("".join(json.dumps(entry, separators=separators) + "\n" for entry in entries), encoding="utf-8")
    with pytest.raises(StorageError, match=r"log\.jsonl:1: damaged line: was changed after it was written"):
        list(log.entries())


def test_line_ends_of_an_editor_damage_no_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl", checked=True)
    log.append(*FORMER)
    log.path.write_bytes(log.path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(log.entries()) == FORMER
    log.append(*FORMER)
    assert list(log.entries()) == FORMER * 2
    log.path.write_bytes(log.path.read_bytes().replace(b"key", b"kex", 1))
    with pytest.raises(StorageError, match=r"log\.jsonl:1: damaged line: was changed after it was written"):
        list(log.entries())


def test_a_log_on_a_full_disk_keeps_its_former_entries(small_disk: Path) -> None:
    log = Log(small_disk / "log.jsonl")
    log.append(*FORMER)
    with pytest.raises(StorageError) as caught:
        log.append({"text": "x" * 40_000}, {"text": "y" * 40_000})
    first, advice = str(caught.value).split("\n")
    assert first.startswith(f"{log.path}: the disk is full: ")
    assert "run the same command again" in advice
    assert list(log.entries()) == FORMER
    log.append(LAST)
    assert list(log.entries()) == [*FORMER, LAST]


def test_half_a_line_that_still_fitted_is_taken_back(small_disk: Path) -> None:
    log = Log(small_disk / "log.jsonl")
    log.append(*FORMER)
    with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    with pytest.raises(StorageError, match="the disk is full"):
        log.append({"text": "x" * 5000})  # the first of its pages has room
    assert list(log.entries()) == FORMER
    log.append(LAST)
    assert list(log.entries()) == [*FORMER, LAST]


def test_a_full_disk_seen_only_by_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append(*FORMER)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="the disk is full"):
            log.append(LAST)
    assert list(log.entries()) == FORMER


@pytest.mark.parametrize("kind", ["text", "parquet"])
def test_a_finished_file_on_a_full_disk_stays_as_it_was(small_disk: Path, kind: str) -> None:
    directory = RunDirectory(small_disk)
    # Random, or Parquet would pack it onto the disk.
    large = os.urandom(100_000).hex()
    if kind == "text":
        directory.write_text("old", "file")
        with pytest.raises(StorageError, match="the disk is full"):
            directory.write_text(large, "file")
        assert directory.read_text("file") == "old"
    else:
        directory.write_rows([{"a": 1}], "file")
        with pytest.raises(StorageError, match="the disk is full"):
            directory.write_rows([{"a": large}], "file")
        assert directory.read_rows("file") == [{"a": 1}]
    assert [p.name for p in small_disk.iterdir()] == ["file"]


def test_what_fails_for_another_reason_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"log\.jsonl: cannot be written: "):
        Log(tmp_path / "file" / "log.jsonl").append(LAST)
    with pytest.raises(StorageError, match=r"(?s)File too large.*ulimit -f"), storage_errors(tmp_path):
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def test_a_part_never_takes_the_name_of_one_that_is_gone(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "run") as directory:
        log = directory.batches("pools", "weak", "p")
        log.append("a", [{"n": 1}])
        log.seal()
        (part,) = log.parts.iterdir()
        part.rename(tmp_path / "kept.parquet")
        log.append("b", [{"n": 2}])
        log.seal()
        (tmp_path / "kept.parquet").rename(part)  # whoever puts the copy back overwrites nothing
        assert [frame["batch"].to_list() for frame in directory.batches("pools", "weak", "p").frames(["batch"])] == [["a"], ["b"]]


def test_an_exception_in_the_middle_of_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.parquet"
    write_parquet(pl.DataFrame({"a": [1]}), path)

    def half(file: Path, data: bytes) -> int:
        with file.open("wb") as opened:
            opened.write(data[:4])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", half)
        with pytest.raises(KeyboardInterrupt):
            write_parquet(pl.DataFrame({"a": [2]}), path)
    assert pl.read_parquet(path)["a"].to_list() == [1]
    assert list(tmp_path.iterdir()) == [path]


def batch(name: str) -> list[Row]:
    return [{"id": f"{name}{i}", "text": None if i else name} for i in range(2)]


def with_batch(name: str) -> list[Row]:
    return [{**row, "batch": name} for row in batch(name)]


def test_a_batch_log_reads_the_same_before_and_after_sealing(tmp_path: Path) -> None:
    log = BatchLog(tmp_path / "pool")
    assert (log.batches(), list(log.rows())) == (set(), [])
    log.append("a", batch("a"))
    log.append("b", batch("b"))
    before = list(log.rows())
    assert before == with_batch("a") + with_batch("b")
    log.seal()
    assert not log.log.path.exists()
    assert list(log.rows()) == before
    assert log.batches() == {"a", "b"}


def test_sealing_again_adds_and_keeps(tmp_path: Path) -> None:
    log = BatchLog(tmp_path / "pool")
    for name in "abc":
        log.append(name, batch(name))
        log.seal()
        log.seal()
    assert list(log.rows()) == with_batch("a") + with_batch("b") + with_batch("c")
    assert log.batches() == {"a", "b", "c"}


def test_killed_between_the_part_and_the_end_of_the_log(tmp_path: Path) -> None:
    log = BatchLog(tmp_path / "pool")
    log.append("a", batch("a"))
    left_behind = log.log.path.read_bytes()
    log.seal()
    log.log.path.write_bytes(left_behind)
    assert list(log.rows()) == with_batch("a")
    log.append("b", batch("b"))
    assert list(log.rows()) == with_batch("a") + with_batch("b")
    log.seal()
    assert list(log.rows()) == with_batch("a") + with_batch("b")
    assert not log.log.path.exists()


def test_killed_while_a_part_is_written(tmp_path: Path) -> None:
    log = BatchLog(tmp_path / "pool")
    log.append("a", batch("a"))
    log.parts.mkdir()
    (log.parts / ".0000.parquet.tmp").write_bytes(b"PAR1 half")
    assert list(log.rows()) == with_batch("a")
    log.seal()
    assert list(log.rows()) == with_batch("a")


def test_columns_may_be_empty_in_one_part_and_filled_in_the_next(tmp_path: Path) -> None:
    log = BatchLog(tmp_path / "pool")
    log.append("a", [{"answer": None, "cost": None}])
    log.seal()
    log.append("b", [{"answer": "12", "cost": 0.5}])
    log.seal()
    assert [(r["answer"], r["cost"]) for r in log.rows()] == [(None, None), ("12", 0.5)]


def test_finished_files_come_back(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert directory.read_json("a", "b.json") is None
    assert directory.read_text("c.txt") is None
    directory.write_json({"ü": [1, None]}, "a", "b.json")
    directory.write_text("zwölf", "c.txt")
    directory.write_rows([{"x": 1}, {"x": None}], "d.parquet")
    assert directory.read_json("a", "b.json") == {"ü": [1, None]}
    assert directory.read_text("c.txt") == "zwölf"
    assert directory.read_rows("d.parquet") == [{"x": 1}, {"x": None}]
    assert directory.unknown_names() == ["a", "c.txt", "d.parquet"]
    directory.remove("a")
    directory.remove("c.txt")
    directory.remove("never-there")
    assert directory.unknown_names() == ["d.parquet"]


def test_a_second_process_is_refused_and_told_which_one(tmp_path: Path) -> None:
    code = """
import sys
import tracemalloc
import weakref
from pathlib import Path
from isocost.errors import RunDirectoryError
from isocost.store import RunDirectory
try:
    with RunDirectory(Path(sys.argv[1])):
        print("opened")
except RunDirectoryError as error:
    print(error)
"""

    def other() -> str:
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    with RunDirectory(tmp_path / "run") as directory:
        directory.write_text("name: x", "study.yaml")
        assert other() == (
            f"{tmp_path / 'run'}: in use by process {os.getpid()}\n  wait for it, or stop it, or name another folder with -o"
        )
    assert other() == "opened"
    assert (tmp_path / "run" / "study.yaml").exists()


def test_a_new_folder_on_a_full_disk_is_named_and_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes, place: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(StorageError, match=f"^{path / 'lock'}: the disk is full"), RunDirectory(path):
            pass
    assert not path.exists()
    with RunDirectory(path):
        assert (path / "lock").read_text() == str(os.getpid())


def test_a_file_is_no_run_directory(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunDirectoryError, match="run: is a file, not a folder"), RunDirectory(tmp_path / "run"):
        pass


def test_a_new_folder_without_a_study_is_taken_away_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RunDirectory(tmp_path / "new"):
        raise ZeroDivisionError
    assert not (tmp_path / "new").exists()


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with RunDirectory(tmp_path) as directory:
        assert directory.unknown_names() == ["mine.txt"]
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_what_is_stored_is_jsonl(tmp_path: Path) -> None:
    with RunDirectory(tmp_path) as directory:
        directory.log("logs", "x.jsonl").append(*FORMER)
        directory.batches("pools", "m", "1").append("a", batch("a"))
    assert [json.loads(line) for line in (tmp_path / "logs" / "x.jsonl").read_bytes().split(b"\n") if line] == FORMER
    assert json.loads((tmp_path / "pools" / "m" / "1.jsonl").read_bytes())["batch"] == "a"


def test_two_writers_are_read_together_and_a_batch_in_both_once(tmp_path: Path) -> None:
    for writer, names in (("", "a"), ("w0", "bc"), ("w1", "cd")):
        for name in names:
            BatchLog(tmp_path / "pool", writer).append(name, batch(name))
    log = BatchLog(tmp_path / "pool")
    assert log.batches() == set("abcd")
    assert sorted(row["id"] for row in log.rows()) == [f"{name}{i}" for name in "abcd" for i in range(2)]
    log.seal(lambda name: -ord(name))
    assert [row["id"] for row in log.rows()] == [f"{name}{i}" for name in "dcba" for i in range(2)]
    assert [p.name for p in tmp_path.iterdir()] == ["pool.parts"]


def test_a_name_with_signs_of_patterns_finds_its_own_writers_only(tmp_path: Path) -> None:
    for name in ("po[ol]*", "pool", "po[ol]*2"):
        BatchLog(tmp_path / name, "w0").append(name, batch(name))
    assert BatchLog(tmp_path / "po[ol]*").batches() == {"po[ol]*"}


def test_batches_with_quotes_in_their_names_are_found(tmp_path: Path) -> None:
    log = BatchLog(tmp_path / "pool")
    for name in ('a"b', "c\\d", "ü", '{"batch": "x"}'):
        log.append(name, batch(name))
    assert log.batches() == {'a"b', "c\\d", "ü", '{"batch": "x"}'}
    log.seal()
    assert log.batches() == {'a"b', "c\\d", "ü", '{"batch": "x"}'}


def test_parts_hold_whole_batches_and_hardly_more_than_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocost.store.batches.ROWS_A_PART", 10)
    log = BatchLog(tmp_path / "pool")
    log.append_all([(f"b{i:02d}", [{"id": f"{i}-{j}"} for j in range(4)]) for i in range(10)])
    log.seal(lambda name: name)
    parts = [pl.read_parquet(path) for path in sorted(log.parts.iterdir())]
    assert [part.height for part in parts] == [12, 12, 12, 4]
    assert all(part.group_by("batch").len()["len"].eq(4).all() for part in parts)
    assert [frame.height for frame in log.frames(["id"])] == [12, 12, 12, 4]


@pytest.mark.parametrize("after", range(5))
def test_killed_after_any_step_of_sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Parts are written, then the logs go: whatever was done, nothing is lost, doubled or put in another order."""
    monkeypatch.setattr("isocost.store.batches.ROWS_A_PART", 4)
    for number, name in enumerate("fedcba"):
        BatchLog(tmp_path / "pool", f"w{number % 2}").append(name, batch(name))
    log, steps = BatchLog(tmp_path / "pool"), iter(range(after))

    def dying(of: object, name: str) -> None:
        original = getattr(of, name)

        def step(*args: object, **kwargs: object) -> object:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return original(*args, **kwargs)

        patched.setattr(of, name, step)

    with monkeypatch.context() as patched:
        dying(Parts, "add")
        dying(Path, "unlink")
        with contextlib.suppress(KeyboardInterrupt):
            log.seal(lambda name: name)
    assert sorted(row["id"] for row in log.rows()) == [f"{name}{i}" for name in "abcdef" for i in range(2)]
    log.seal(lambda name: name)
    assert [row["id"] for row in log.rows()] == [f"{name}{i}" for name in "abcdef" for i in range(2)]
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.slow
def test_sealing_and_reading_hold_a_part_in_memory_not_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x" * 1000
    peaks = {}
    for size in (40, 160):
        monkeypatch.setattr("isocost.store.batches.ROWS_A_PART", 500)
        log = BatchLog(tmp_path / f"pool{size}")
        for i in range(size):
            log.append_all([(f"{i}", [{"id": f"{i}-{j}", "text": text} for j in range(100)])])
        tracemalloc.start()
        log.seal(lambda name: int(name))
        assert sum(1 for _ in log.rows()) == 100 * size
        peaks[size] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[160] < 1.5 * peaks[40] < 160 * 100 * 1000


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_a_file_of_parts_is_written_with_two_of_them_in_memory(tmp_path: Path, n: int) -> None:
    alive: list[weakref.ref[pl.DataFrame]] = []
    most = 0

    def parts() -> Iterator[pl.DataFrame]:
        nonlocal most
        for i in range(n):
            most = max(most, sum(ref() is not None for ref in alive))
            part = pl.DataFrame({"a": [i, i]})
            alive.append(weakref.ref(part))
            yield part
            del part

    path = RunDirectory(tmp_path).write_frames(parts(), "parts.parquet")
    assert pl.read_parquet(path).to_series(0).to_list() == [i for i in range(n) for _ in range(2)] if n else path.exists()
    assert most <= 1  # beside the one that is being made


def test_a_folder_that_was_moved_is_not_made_again(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    make_folder(root / "pools" / "weak", root)
    root.rename(tmp_path / "away")
    log = Log(root / "pools" / "weak" / "a.jsonl", root=root)
    for write in (lambda: log.append({"a": 1}), lambda: write_parquet(pl.DataFrame({"a": [1]}), root / "b" / "c.parquet", root)):
        with pytest.raises(StorageError, match="its folder is gone"):
            write()
    assert not root.exists()

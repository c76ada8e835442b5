"""Damaged files in a run directory: each is named with what to do, and what can be made again is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isocost.running import run
from isocost.store.parts import Parts
from tests import openai_runs as runs
from tests.builders import write_study
from tests.engines.openai.server import Server
from tests.matrices import first_fast
from tests.openai_runs import Left, Shell, shell

__all__ = ["shell"]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def study(folder: Path, server: Server, *, limit: float | None = 0.02, samples: int = 3) -> Path:
    arms = {"weak": {"models": ["weak"], "samples_per_problem": samples}}
    return runs.write(folder, runs.raw(server.url, limit=limit and {"unit": "usd", "amount": limit}, arms=arms))


@pytest.fixture
def stopped(tmp_path: Path, shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that its limit stopped, and that was killed before it sealed what it paid: draws and verdicts are still in logs."""
    with monkeypatch.context() as killed:
        killed.setattr("isocost.sampling.pools.Pool.seal", lambda self: None)
        killed.setattr("isocost.running.stages.StudyRun._keep_paid", lambda self, pools: "")
        left = shell("run", study(tmp_path, server, limit=0.004, samples=30), "-o", tmp_path / "out")
    assert left.code == 1
    assert "stopped at the limit" in left.errors[0]
    return tmp_path / "out"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of a finished run on recorded samples, `kept`, and its study file."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isocost.running.runs.LocalExecutor", runs.ThreadExecutor)
        run(write_study(folder), folder / "out" / "run")
    (folder / "out" / "run").rename(folder / "kept")
    return folder


@pytest.fixture
def done(finished: Path) -> tuple[Path, Path]:
    """The finished run where it was made, since it names its folder; and its study file."""
    shutil.rmtree(finished / "out")
    out = finished / "out" / "run"
    shutil.copytree(finished / "kept", out)
    return out, finished / "study.yaml"


def is_told_well(left: Left, *words: str) -> None:
    said = "\n".join(left.errors)
    assert left.code in (1, 2), left
    assert len(left.errors) == 2, left
    assert all(word in said for word in words), said
    assert "fault of isocost" not in said


def is_fine(left: Left) -> None:
    assert left.code == 0, left
    assert "fault of isocost" not in left.err


def changed(entry: dict[str, Any], row: dict[str, Any] | None = None, **changes: Any) -> bytes:
    if row is not None:
        entry = entry | {"rows": [entry["rows"][0] | row, *entry["rows"][1:]]}
    entry = {key: value for key, value in (entry | changes).items() if value != "gone"}
    return json.dumps(entry).encode() + b"\n"


LINES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda line: line[: len(line) // 2] + b"\n",
    "NUL bytes": lambda line: b"\0" * (len(line) - 1) + b"\n",
    "no UTF-8": lambda line: line[:20] + b"\xff\xfe" + line[22:],
    "a list": lambda line: b"[]\n",
    "blank": lambda line: b"\n",
    "a byte": lambda line: line.replace(b"is", b"iz", 1).replace(b"correct", b"korrect", 1),
    "lacks a key": lambda line: changed({k: v for k, v in json.loads(line).items() if k in ("batch", "check")}),
    "without its checksum, rows of another type": lambda line: changed(json.loads(line), check="gone", rows=[7]),
    "without its checksum, no list": lambda line: changed(json.loads(line), check="gone", rows={"a": 1}),
    "without its checksum, an id of another type": lambda line: changed(json.loads(line), {"id": None, "sample_id": 3}, check="gone"),
    "without its checksum, another enum": lambda line: changed(json.loads(line), {"finish_reason": "x", "outcome": "y"}, check="gone"),
}


@pytest.mark.parametrize("how", first_fast(LINES))
@pytest.mark.parametrize("pattern", ["pools/weak/*.w0.jsonl", "verdicts/*/*.jsonl"])
def test_a_damaged_line_is_named_and_only_it_is_made_again(
    tmp_path: Path, shell: Shell, server: Server, stopped: Path, pattern: str, how: str
) -> None:
    (log,) = stopped.glob(pattern)
    lines = log.read_bytes().splitlines(keepends=True)
    lines[2] = LINES[how](lines[2])
    log.write_bytes(b"".join(lines))
    asked, spent = runs.completions(server), paid(stopped)
    path = study(tmp_path, server, limit=0.004, samples=30)
    left = shell("run", path, "-o", stopped)
    is_told_well(left, f"{log}:3: damaged line", "remove line 3")
    assert runs.completions(server) == asked

    log.write_bytes(b"".join(lines[:2] + lines[3:]))  # as it was told to
    left = shell("run", study(tmp_path, server, limit=0.0042, samples=30), "-o", stopped)
    assert "stopped at the limit" in left.errors[0], left
    noted = [note for note in left.notes if "1 draw of 1 batch that were paid" in note]
    assert bool(noted) == pattern.startswith("pools")
    assert spent <= paid(stopped) <= 0.0042
    assert len({row["id"] for row in runs.stored(stopped)}) == len(runs.stored(stopped))


def paid(out: Path) -> float:
    return sum(line["usd"] for line in runs.ledger(out) if line["event"] in ("done", "lost"))


@pytest.mark.parametrize(
    "line", first_fast([b"{", b"7", b'{"pool": 3, "batches": []}', b'{"pool": "x", "batches": [[["p", "q", -1, 2]]]}'])
)
def test_a_damaged_round_is_named(tmp_path: Path, shell: Shell, server: Server, stopped: Path, line: bytes) -> None:
    log = stopped / "pools" / "weak" / "rounds.jsonl"
    log.write_bytes(log.read_bytes() + line + b"\n")
    path = study(tmp_path, server, limit=0.0042, samples=30)
    is_told_well(shell("run", path, "-o", stopped), f"{log}:2: damaged line", "remove line 2")
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    assert "stopped at the limit" in shell("run", path, "-o", stopped).errors[0]


def test_a_round_that_is_there_twice_is_named_and_bought_once(tmp_path: Path, shell: Shell, server: Server, stopped: Path) -> None:
    log, path = stopped / "pools" / "weak" / "rounds.jsonl", study(tmp_path, server, limit=None, samples=30)
    whole = log.read_bytes()
    log.write_bytes(whole + whole)
    before = server.requests.total()
    is_told_well(shell("run", path, "-o", stopped), f"{log}:2: damaged line: is a copy of line 1", "remove line 2")
    assert server.requests.total() == before
    log.write_bytes(whole)
    assert shell("run", path, "-o", stopped).code == 0
    stored = runs.stored(stopped)
    assert len({(row["problem_id"], row["sample_index"]) for row in stored}) == len(stored)


@pytest.mark.parametrize(
    "line", first_fast([b"{", b'{"round": 0, "terms": 3, "allocations": []}', b'{"round": 0, "terms": "x", "allocations": [["p", "m"]]}'])
)
def test_a_damaged_allocation_is_named(shell: Shell, done: tuple[Path, Path], line: bytes) -> None:
    out, path = done
    log = out / "arms" / "weak@low" / "rounds.jsonl"
    log.write_bytes(line + b"\n")
    is_told_well(shell("run", path, "-o", out), f"{log}:1: damaged line", "remove line 1")
    log.write_bytes(b"")
    is_fine(shell("run", path, "-o", out))


MADE_AGAIN = [
    "plan.json",
    "progress.json",
    "start.json",
    "rates.json",
    "seconds.json",
    "measures.json",
    "models.json",
    "samples.json",
    "problems/digests.json",
]


@pytest.mark.parametrize(
    "data", first_fast([b"", b"{", b"[1]", b"7", b'{"ledger": 3, "done": "x"}', b"\xff\xfe", b"{}", b"[" * 99_999, None])
)
@pytest.mark.parametrize("name", first_fast(MADE_AGAIN))
def test_what_is_made_from_other_files_is_made_again(shell: Shell, done: tuple[Path, Path], name: str, data: bytes | None) -> None:
    out, path = done
    damage(out / name, data)
    ledger = (out / "ledger.jsonl").read_bytes()
    for command in ("status", "measure"):
        is_fine(shell(command, out))
    if data is None:  # a folder in the place of a file cannot be written over
        for command in (("report", out), ("run", path, "-o", out)):
            is_told_well(shell(*command), f"{out / name}: ", "folder")
        (out / name / "mine").unlink()
        (out / name).rmdir()
    is_fine(shell("report", out))
    damage(out / name, data or b"\0")
    is_fine(shell("run", path, "-o", out))
    assert isinstance(json.loads((out / name).read_text()), dict)
    assert (out / "ledger.jsonl").read_bytes() == ledger


def test_what_a_ledger_lacks_in_flops_alone_is_told_in_flops(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    progress = json.loads((out / "progress.json").read_text())
    progress["ledger"]["check"] += 1
    progress["ledger"]["accounts"][0]["cost"]["flops"] *= 3
    (out / "progress.json").write_text(json.dumps(progress))
    left = shell("run", path, "-o", out)
    is_fine(left)
    (note,) = [note for note in left.notes if "that progress.json counts" in note]
    assert "FLOPs that progress.json counts" in note


def damage(path: Path, data: bytes | None) -> None:
    """Write these bytes, or make a folder in the place of the file."""
    path.unlink()
    if data is None:
        path.mkdir()
        (path / "mine").write_text("mine")
    else:
        path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("data", first_fast([b"", b"{", b"[1]", b"\xff", b'{"base": 3}', None]))
def test_a_damaged_manifest_is_written_again_by_run(shell: Shell, done: tuple[Path, Path], data: bytes | None) -> None:
    out, path = done
    damage(out / "manifest.json", data)
    is_told_well(shell("report", out), f"{out / 'manifest.json'}: ", f"isocost run STUDY.yaml -o {out}")
    if data is not None:
        is_fine(shell("run", path, "-o", out))
        is_fine(shell("report", out))


@pytest.mark.parametrize("data", first_fast([b"", b"{", b"- 1", b"a: [", b"\xff", b"x: *y", b"name: other", None]))
def test_a_damaged_study_is_named(shell: Shell, done: tuple[Path, Path], data: bytes | None) -> None:
    out, path = done
    damage(out / "study.yaml", data)
    for command in (("run", path, "-o", out), ("report", out), ("status", out)):
        if data != b"name: other":
            is_told_well(shell(*command), f"{out / 'study.yaml'}", "put a copy of the run's study file in its place")
        else:
            assert "fault of isocost" not in shell(*command).err
    assert shell("view", out, "--port", "99999999").code != 0
    if data is not None:
        (out / "study.yaml").write_bytes(path.read_bytes())
        is_fine(shell("run", path, "-o", out))


@pytest.mark.parametrize("data", first_fast([b"", b"PAR1", b"{", None]))
@pytest.mark.parametrize("pattern", first_fast(["pools/weak/*.parts/0000.parquet", "verdicts/*/*.parts/0000.parquet"]))
def test_a_damaged_part_is_named(shell: Shell, done: tuple[Path, Path], pattern: str, data: bytes | None) -> None:
    out, path = done
    part = sorted(out.glob(pattern))[0]
    whole = part.read_bytes()
    damage(part, data)
    is_told_well(shell("run", path, "-o", out), f"{part}: ", "restore it from a copy")
    if data is not None:
        part.write_bytes(whole)
        make_old(out)
        damage(part, data)
    is_told_well(shell("run", path, "-o", out), f"{part}: ", "restore it from a copy")


PARTS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "a text": lambda frame: frame.with_columns(generation=pl.lit("#### 1")),
    "a cost": lambda frame: frame.with_columns(cost_flops=pl.lit(1.0)),
    "a doubled row": lambda frame: pl.concat([frame, frame.tail(1)]),
    "doubled rows": lambda frame: pl.concat([frame, frame]),
    "a missing row": lambda frame: frame.head(-1),
    "a missing column": lambda frame: frame.drop("finish_reason"),
    "another type": lambda frame: frame.with_columns(sample_index=pl.lit("a")),
    "an empty cell": lambda frame: frame.with_columns(num_generated_tokens=pl.lit(None, dtype=pl.Int64)),
    "another word": lambda frame: frame.with_columns(finish_reason=pl.lit("tired")),
    "a negative count": lambda frame: frame.with_columns(sample_index=-pl.col("sample_index") - 1),
    "another id": lambda frame: frame.with_columns(batch=pl.lit("b")),
}


@pytest.mark.parametrize("old", first_fast([False, True]))
@pytest.mark.parametrize("how", first_fast(PARTS))
def test_rows_of_a_part_that_were_changed_are_noticed(shell: Shell, done: tuple[Path, Path], how: str, *, old: bool) -> None:
    out, path = done
    (part,) = out.glob("pools/weak/*.parts/0000.parquet")
    if old:
        make_old(out)
    PARTS[how](pl.read_parquet(part)).write_parquet(part)
    left = shell("run", path, "-o", out)
    if old and how == "a text":  # earlier versions left no digest: nothing tells
        is_fine(left)
    else:
        is_told_well(left, str(out), "restore")


def test_line_ends_of_an_editor_damage_no_draw(shell: Shell, stopped: Path, tmp_path: Path, server: Server) -> None:
    logs = [*stopped.glob("pools/weak/*.w0.jsonl"), *stopped.glob("verdicts/*/*.jsonl")]
    assert len(logs) == 2
    for log in logs:
        log.write_bytes(log.read_bytes().replace(b"\n", b"\r\n"))
    asked = runs.completions(server)
    left = shell("run", study(tmp_path, server, limit=0.004, samples=30), "-o", stopped)
    assert "stopped at the limit" in left.errors[0], left
    assert runs.completions(server) == asked


def test_a_part_that_was_cut_is_paid_for_again_as_the_message_says(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    (part,) = out.glob("pools/weak/*.parts/0000.parquet")
    rows = pl.read_parquet(out / "samples.parquet").height
    part.write_bytes(part.read_bytes()[:-100])
    is_told_well(shell("run", path, "-o", out), f"{part}: cannot be read", "restore it", f"isocost sample {out} --force")
    part.unlink()
    is_fine(shell("sample", out, "--force"))
    assert pl.read_parquet(out / "samples.parquet").height == rows


@pytest.mark.slow
def test_a_part_may_be_taken_as_it_is(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    (part,) = out.glob("pools/weak/*.parts/0000.parquet")
    pl.read_parquet(part).with_columns(generation=pl.lit("#### 1")).write_parquet(part)
    is_told_well(shell("run", path, "-o", out), "was changed after it was written", "digests.jsonl")
    lines = [json.loads(line) for line in (out / "digests.jsonl").read_text().splitlines()]
    own = str(part.relative_to(out))
    kept = [line | {"sha256": "any"} if line["part"] == own else line for line in lines]
    (out / "digests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
    is_fine(shell("run", path, "-o", out))


def make_old(out: Path) -> None:
    """Make the sealed parts as earlier versions left them, which stored no digests."""
    (out / "digests.jsonl").unlink()
    for part in out.glob("*/*/*.parts/*.parquet"):
        pl.read_parquet(part).write_parquet(part)


def test_parts_of_earlier_versions_are_read_without_digests(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    make_old(out)
    for command in (("run", path, "-o", out), ("report", out), ("status", out), ("measure", out)):
        left = shell(*command)
        is_fine(left)
        assert "digests" not in left.err + left.out


@pytest.mark.parametrize("how", first_fast(["removed", "emptied", "one line"]))
def test_digests_that_were_removed_are_noticed(shell: Shell, done: tuple[Path, Path], how: str) -> None:
    out, path = done
    digests = out / "digests.jsonl"
    lines = digests.read_text().splitlines(keepends=True)
    part = next(json.loads(line)["part"] for line in lines if "pools/weak/" in line)
    n = 1 if how == "one line" else sum(".parts/" in line for line in lines)
    if how == "removed":
        digests.unlink()
    else:
        digests.write_text("".join(line for line in lines if part not in line) if how == "one line" else "")
    lacks = f"lacks the digests of {n} part"
    for command in (("run", path, "-o", out), ("report", out), ("sample", out)):
        is_told_well(shell(*command), str(digests), lacks, "restore it from a copy")
    for command in (("status", out), ("measure", out)):
        left = shell(*command)
        is_fine(left)
        assert f"{digests} {lacks}" in left.out + left.err, left

    with digests.open("a") as file:  # as it was told to
        file.write('{"part": "*", "sha256": "any"}\n')
    for command in (("run", path, "-o", out), ("status", out), ("measure", out)):
        left = shell(*command)
        is_fine(left)
        assert "lacks the digests" not in left.out + left.err


@pytest.mark.parametrize("kept", first_fast(["digest", "digest and part"]))
def test_a_kill_between_a_digest_and_its_part_is_no_loss(
    tmp_path: Path, shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """The digest comes first, and the logs go last, so that no killed run lacks a digest."""
    path, out = study(tmp_path, server, limit=None), tmp_path / "out"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    add = Parts.add
    with monkeypatch.context() as killed:
        if kept == "digest":
            killed.setattr("isocost.store.parts.atomic_write", stop)
        else:
            killed.setattr(Parts, "add", lambda self, rows: stop(add(self, rows)))
        shell("run", path, "-o", out)
    assert [*out.glob("pools/weak/*.w0.jsonl")]
    assert (out / "digests.jsonl").exists()
    asked = runs.completions(server)
    left = shell("run", path, "-o", out)
    is_fine(left)
    assert runs.completions(server) == asked
    assert "digests" not in shell("status", out).out


def test_a_batch_in_two_parts_is_noticed(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    (part,) = out.glob("pools/weak/*.parts/0000.parquet")
    (part.parent / "0001.parquet").write_bytes(part.read_bytes())
    is_told_well(shell("run", path, "-o", out), "draw 0 of problem p", "is stored twice", "move that file away")


@pytest.mark.slow
@pytest.mark.parametrize("data", first_fast([b"", b"PAR1", None]))
@pytest.mark.parametrize("name", first_fast(["samples.parquet", "problems/train.parquet", "audits/chosen.parquet", "audits/rates.json"]))
def test_tables_for_people_are_named_or_made_again(shell: Shell, done: tuple[Path, Path], name: str, data: bytes | None) -> None:
    out, _ = done
    damage(out / name, data)
    for command in (("measure", out), ("measure", out, "--by", "level"), ("status", out)):
        left = shell(*command)
        assert "fault of isocost" not in left.err, (command, left)
        assert left.code == 0 or len(left.errors) in (1, 2)
    if data is not None:
        is_fine(shell("report", out))
        is_fine(shell("measure", out))
    else:
        is_told_well(shell("report", out), f"{out / name}: ", "folder")


@pytest.mark.parametrize(
    "name", first_fast(["pools", "pools/weak", "verdicts", "arms", "problems", "audits", "trainsets", "figures", "tables", "judge"])
)
def test_a_file_where_a_folder_should_be_is_named(shell: Shell, done: tuple[Path, Path], name: str) -> None:
    out, path = done
    folder = out / name
    if folder.exists():
        folder.rename(out.parent / "away")
    folder.write_text("mine")
    for command in (("run", path, "-o", out), ("report", out), ("status", out), ("measure", out)):
        left = shell(*command)
        assert "fault of isocost" not in left.err, (command, left)
        assert left.code == 0 or len(left.errors) == 2, (command, left)
    assert folder.read_text() == "mine"


def edited(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new"),
    first_fast(
        [
            ("arms/weak@number/rounds.jsonl", b'"weak", 0, 3]', b'"weak", 0, 30]'),
            ("arms/weak@number/rounds.jsonl", b'"weak", 0, 3]', b'"weak", 0, 1]'),
            ("pools/weak/rounds.jsonl", b", 0, 1]", b", 0, 3]"),
        ]
    ),
)
def test_a_round_that_was_edited_buys_nothing_and_can_be_ordered_again(
    tmp_path: Path, shell: Shell, server: Server, name: str, old: bytes, new: bytes
) -> None:
    """Three draws that were made thirty would be bought past the cell's budget; made one, the report would be about fewer."""
    path, out = study(tmp_path, server), tmp_path / "out"
    is_fine(shell("run", path, "-o", out))
    asked = runs.completions(server)
    edited(out / name, old, new)
    is_told_well(shell("run", path, "-o", out), f"{out / name}:1: damaged line: was changed after it was written", "remove line 1")
    (out / name).write_bytes(b"".join((out / name).read_bytes().splitlines(keepends=True)[1:]))
    is_fine(shell("run", path, "-o", out))
    assert runs.completions(server) == asked
    assert pl.read_parquet(out / "samples.parquet").height == 24


@pytest.mark.parametrize(("field", "what"), first_fast([(0, "problem"), (1, "model")]))
def test_a_round_of_an_earlier_version_that_names_what_the_study_lacks_is_damaged(
    shell: Shell, done: tuple[Path, Path], field: int, what: str
) -> None:
    out, path = done
    log = next(out.glob("arms/*/rounds.jsonl"))
    entry = json.loads(log.read_bytes().splitlines()[0])
    entry["allocations"][0][field] = "nobody's"
    log.write_bytes(changed(entry, check="gone"))
    is_told_well(shell("run", path, "-o", out), f"{log}:1: damaged line", f'the {what} "nobody\'s"', "remove line 1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data"),
    first_fast(
        [
            ("problems/digests.json", '{"train": 3}'),
            ("problems/digests.json", '{"train": {"p0": ["a"]}}'),
            ("problems/digests.json", '{"train": {"p0": [1, 2]}}'),
            ("stale.json", "{"),
            ("stale.json", "[[]]"),
            ("stale.json", '{"not_of_these": 3}'),
            ("stale.json", '{"not_of_these": [[]]}'),
            ("seconds.json", '{"sample": NaN, "audit": Infinity, "report": -1e9, "grade": true}'),
        ]
    ),
)
def test_odd_values_in_what_is_made_again_are_none(shell: Shell, done: tuple[Path, Path], name: str, data: str) -> None:
    out, path = done
    (out / name).write_text(data)
    for command in (("run", path, "-o", out), ("report", out), ("status", out)):
        left = shell(*command)
        is_fine(left)
        assert "problems changed" not in left.err


@pytest.mark.slow
@pytest.mark.parametrize("name", first_fast([*MADE_AGAIN, "lock", "PART", "arms/weak@low/rounds.jsonl", "ledger.jsonl", "digests.jsonl"]))
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(shell: Shell, done: tuple[Path, Path], name: str) -> None:
    out, path = done
    odd = next(out.glob("pools/weak/*.parts/*.parquet")) if name == "PART" else out / name
    odd.unlink()
    os.mkfifo(odd)
    with alarm(60):
        is_fine(shell("status", out))
        shell("measure", out)
        left = shell("run", path, "-o", out)
    if name in MADE_AGAIN:
        is_fine(left)
    else:
        is_told_well(left, f"{odd}: ")


def test_samples_of_another_run_are_named_and_not_exported(shell: Shell, done: tuple[Path, Path], tmp_path: Path) -> None:
    """With the file that has their digest: each fits the other, and both are not this run's."""
    out, _ = done
    other = pl.read_parquet(out / "samples.parquet").with_columns(pool=pl.lit("00112233deadbeef"))
    other.write_parquet(out / "samples.parquet")
    noted = json.loads((out / "samples.json").read_text())
    noted["sha256"] = hashlib.sha256((out / "samples.parquet").read_bytes()).hexdigest()
    (out / "samples.json").write_text(json.dumps(noted))
    said = "has draws of the pool 00112233deadbeef, which this run does not have"
    assert said in shell("measure", out).out
    is_told_well(shell("export", out, "--arm", "weak@low", "--format", "parquet", "-o", tmp_path / "set"), said)
    assert not (tmp_path / "set").exists()
    is_fine(shell("report", out))
    assert said not in shell("measure", out).out


def test_a_table_that_was_cut_is_named_with_what_writes_it_again(shell: Shell, done: tuple[Path, Path]) -> None:
    out, _ = done
    samples = out / "samples.parquet"
    samples.write_bytes(samples.read_bytes()[:-50])
    is_told_well(shell("measure", out), f"{samples}: cannot be read as Parquet", f"isocost report {out} writes it again")


@pytest.mark.parametrize("command", ["report", "measure", "status"])
def test_a_run_without_its_study_file_is_told_from_a_folder_that_is_no_run(shell: Shell, done: tuple[Path, Path], command: str) -> None:
    out, _ = done
    (out / "study.yaml").unlink()
    if command == "measure":
        (out / "samples.parquet").unlink()
    is_told_well(shell(command, out), f"{out}: holds what a run bought, but no study.yaml", "restore it from a copy")


def test_pipes_in_the_place_of_files_that_are_only_read_keep_nobody_waiting(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    for name in ("manifest.json", "audits/rates.json", "problems/train.parquet", "study.yaml"):
        (out / name).unlink()
        os.mkfifo(out / name)
        with alarm(60):
            shell("measure", out)
            if name != "study.yaml":
                is_fine(shell("run", path, "-o", out))
            else:
                is_told_well(shell("run", path, "-o", out), f"{out / name}: is not an ordinary file")
    (out / "study.yaml").unlink()
    shutil.copy(path, out / "study.yaml")
    for device in ("pipe", "/dev/zero"):
        labels = out / "audits" / "labels.jsonl"
        labels.unlink(missing_ok=True)
        os.mkfifo(labels) if device == "pipe" else labels.symlink_to(device)
        with alarm(60):
            is_told_well(shell("report", out), f"{labels}: cannot be read: is not an ordinary file, but a pipe or a device")


def test_a_folder_in_the_place_of_the_lock_is_named(shell: Shell, done: tuple[Path, Path]) -> None:
    out, path = done
    (out / "lock").unlink()
    (out / "lock").mkdir()
    is_told_well(shell("run", path, "-o", out), f"{out / 'lock'}: ", "a folder is in the place of the file: move it away")


@contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Fail rather than wait for ever."""

    def late(*_: object) -> None:
        raise AssertionError(f"waited for {seconds} seconds")

    former = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)

"""What a ledger sums up to, with and without a summary of its beginning."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from isocost.errors import StorageError
from isocost.ledger.summary import paid_in_other_rounds, read_ledger, summarise_ledger


def reserve(request: str) -> dict[str, Any]:
    facts = {"account": "data", "model": "far", "remote": True, "count": 2}
    return {"event": "reserve", "request": request, "flops": None, "usd": 2.0, "seconds": 0.0, **facts}


def done(request: str) -> dict[str, Any]:
    return {"event": "done", "request": request, "flops": None, "usd": 0.25, "seconds": 1.5, "count": 2, "tokens": 30}


def lost(request: str) -> dict[str, Any]:
    return {"event": "lost", "request": request, "reason": "gone", "flops": None, "usd": 2.0}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    add(path, *(reserve(f"r{i}") for i in range(60)), *(done(f"r{i}") for i in range(50)), lost("r50"))
    return path


def add(path: Path, *lines: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))


def stored(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(summarise_ledger(*read_ledger(path), path)))
    return found


def test_a_summary_and_what_follows_is_the_whole(log: Path) -> None:
    summary = stored(log)
    add(log, done("r51"), {"event": "retry", "request": "r52", "reason": "busy"}, reserve("r60"))
    assert read_ledger(log, summary) == read_ledger(log)
    accounts, waiting = read_ledger(log, summary)
    assert accounts["data", "far"].requests == 51
    assert accounts["data", "far"].lost_cost.usd == 2.0
    assert list(waiting) == ["r53", "r54", "r55", "r56", "r57", "r58", "r59", "r60"]


def test_lines_that_are_summed_up_are_not_read_again(log: Path) -> None:
    summary = stored(log)
    summary["accounts"][0]["tokens"] = 7
    assert read_ledger(log, summary)[0]["data", "far"].tokens == 7


@pytest.mark.parametrize("cut", [1, 40, 10_000_000])
def test_a_summary_of_lines_that_power_loss_took_is_not_believed(log: Path, cut: int) -> None:
    summary = stored(log)
    text = log.read_bytes()
    log.write_bytes(text[: -min(cut, len(text))])
    add(log, *(reserve(f"s{i}") for i in range(100)))
    assert read_ledger(log, summary) == read_ledger(log)


def test_nothing_is_summed_up_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert read_ledger(path) == ({}, {})
    assert read_ledger(path, stored(path)) == ({}, {})
    add(path, reserve("a"))
    assert list(read_ledger(path, {"bytes": 0, "check": 0, "accounts": [], "open": []})[1]) == ["a"]


def test_a_torn_line_among_whole_ones_is_passed_over(log: Path) -> None:
    with log.open("a") as file:
        file.write('{"event": "done", "req\n')
    add(log, done("r52"))
    assert read_ledger(log)[0]["data", "far"].requests == 51


def test_what_other_rounds_have_paid_counts_with_what_may_still_be_charged(tmp_path: Path) -> None:
    run, second, third = tmp_path, tmp_path / "rounds" / "2", tmp_path / "rounds" / "3"
    for folder in (second, third):
        folder.mkdir(parents=True)
        (folder / "round.json").write_text("{}")
    for folder in (run, second, third):
        (folder / "study.yaml").write_text("name: a\n")
    add(run / "ledger.jsonl", reserve("a"), done("a"))
    add(second / "ledger.jsonl", reserve("b"), done("b"), reserve("c"))
    assert paid_in_other_rounds(run, "usd") == 2.25  # the answer to b, and c at its worst
    assert paid_in_other_rounds(second, "usd") == 0.25
    assert paid_in_other_rounds(third, "usd") == 2.5
    assert paid_in_other_rounds(third, "flops") is None  # not known
    # Its folder is made before its study file, and the limit holds from its first request on.
    fourth = tmp_path / "rounds" / "4"
    fourth.mkdir()
    (fourth / "round.json").write_text("{}")
    assert paid_in_other_rounds(fourth, "usd") == 2.5
    # A round that was copied out of its study is a run of its own.
    copied = tmp_path / "elsewhere" / "deep" / "copy"
    copied.mkdir(parents=True)
    (copied / "round.json").write_text("{}")
    assert paid_in_other_rounds(copied, "usd") == 0.0
    # Rounds on another disk: a link leads there, and the way back is the path as it was given.
    for moved in (run / "rounds", second):
        away = tmp_path / f"disk-{moved.name}"
        moved.rename(away)
        moved.symlink_to(away)
        assert paid_in_other_rounds(run, "usd") == 2.25
        assert paid_in_other_rounds(second, "usd") == 0.25
        assert paid_in_other_rounds(third, "usd") == 2.5
        moved.unlink()
        away.rename(moved)


def iterated(tmp_path: Path) -> Path:
    """The run directory of a study whose second round has paid 0.5."""
    second = tmp_path / "rounds" / "2"
    second.mkdir(parents=True)
    (second / "round.json").write_text("{}")
    for folder in (tmp_path, second):
        (folder / "study.yaml").write_text("name: a\n")
    add(second / "ledger.jsonl", reserve("a"), done("a"), reserve("b"), done("b"))
    (second / "progress.json").write_text(json.dumps({"ledger": stored(second / "ledger.jsonl")}))
    return tmp_path


@pytest.mark.parametrize("line", [0, 1, 2, 3])
@pytest.mark.parametrize("summarised", [True, False])
@pytest.mark.parametrize("damage", ["", "{", '{"event": "done"}', '{"event": "done", "request": "z", "flops": null, "usd": 0.0}', "[]"])
def test_a_damaged_ledger_of_another_round_never_makes_room_under_the_limit(
    tmp_path: Path, line: int, damage: str, *, summarised: bool
) -> None:
    run = iterated(tmp_path)
    ledger = run / "rounds" / "2" / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    lines[line] = damage
    ledger.write_text("\n".join(lines) + "\n")
    if not summarised:
        (ledger.parent / "progress.json").unlink()
    with pytest.raises(StorageError, match=r"rounds/2/ledger\.jsonl: a line is damaged: .*\n  restore the file from a copy"):
        paid_in_other_rounds(run, "usd")
    assert paid_in_other_rounds(run, "usd", strict=False) is not None  # a status shows what it can read


@pytest.mark.parametrize("kept", [0, 1, 2, 3, None])
def test_a_ledger_of_another_round_that_was_cut_or_removed_counts_as_before(tmp_path: Path, kept: int | None) -> None:
    run = iterated(tmp_path)
    ledger = run / "rounds" / "2" / "ledger.jsonl"
    if kept is None:
        ledger.unlink()
    else:
        ledger.write_text("".join(ledger.read_text().splitlines(keepends=True)[:kept]))
    assert paid_in_other_rounds(run, "usd") == (2.25 if kept == 3 else 2.0 if kept == 1 else 0.5)


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_a_ledger_of_another_round_that_cannot_be_read_is_refused(tmp_path: Path, kind: str) -> None:
    run = iterated(tmp_path)
    ledger = run / "rounds" / "2" / "ledger.jsonl"
    ledger.unlink()
    if kind == "folder":
        ledger.mkdir()
    elif kind == "pipe":
        os.mkfifo(ledger)
    else:
        ledger.symlink_to(ledger.name)
    with pytest.raises(StorageError, match=r"rounds/2/ledger\.jsonl: (cannot be read|is not an ordinary file)"):
        paid_in_other_rounds(run, "usd")


@pytest.mark.parametrize("strict", [True, False])
def test_a_ledger_that_may_not_be_read_is_not_taken_for_one_that_has_spent_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, strict: bool
) -> None:
    (tmp_path / "ledger.jsonl").write_text("")

    def refuse(path: Path, *args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match=r"ledger\.jsonl: cannot be read: Permission denied\n  make it readable"):
        read_ledger(tmp_path / "ledger.jsonl", strict=strict)


def test_a_round_without_its_study_file_has_paid_all_the_same(tmp_path: Path) -> None:
    run = iterated(tmp_path)
    (run / "rounds" / "2" / "study.yaml").unlink()
    assert paid_in_other_rounds(run, "usd") == 0.5


def test_a_line_that_another_process_is_writing_is_no_damage(tmp_path: Path) -> None:
    run = iterated(tmp_path)
    with (run / "rounds" / "2" / "ledger.jsonl").open("a") as file:
        file.write('{"event": "done", "req')
    assert paid_in_other_rounds(run, "usd") == 0.5

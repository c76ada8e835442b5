"""Labels are read strictly: a torn end is harmless, and nothing else is passed over."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from isocost.auditing.labelfile import count_file, read_labels
from isocost.errors import StorageError
from isocost.viewer.labelbook import LabelBook


def line(number: int, **more: object) -> bytes:
    said = {"at": "2026-01-01T00:00:00.000+00:00", "labeller": "ann", "sample_id": f"s{number}", "verdict": "sound", "note": "5 € – 漢"}
    return json.dumps(said | more, ensure_ascii=False).encode() + b"\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "audits").mkdir()
    return tmp_path / "audits" / "labels.jsonl"


def refusal(file: Path) -> str:
    with pytest.raises(StorageError) as caught:
        read_labels(file)
    said = str(caught.value)
    assert 2 <= len(said.splitlines()) <= 3
    return said


def test_without_a_file_there_are_none(file: Path) -> None:
    assert read_labels(file) == []
    assert read_labels(file / "below") == []


def test_a_line_torn_at_any_byte_is_harmless_and_the_next_word_takes_its_place(file: Path) -> None:
    last = line(2)
    for cut in range(len(last) - 1):
        file.write_bytes(line(1) + last[:cut])
        assert [label.sample_id for label in read_labels(file)] == ["s1"], cut
    LabelBook(file.parent.parent, "bo").say("s3", "unsound")
    assert [label.sample_id for label in read_labels(file)] == ["s1", "s3"]


def test_a_line_that_lacks_nothing_but_its_end_is_read_and_kept(file: Path) -> None:
    file.write_bytes(line(1) + line(2).rstrip())
    assert [label.sample_id for label in read_labels(file)] == ["s1", "s2"]
    LabelBook(file.parent.parent, "bo").say("s3", "unsound")
    assert [label.sample_id for label in read_labels(file)] == ["s1", "s2", "s3"]


def test_blank_lines_hold_no_label(file: Path) -> None:
    file.write_bytes(line(1) + b"\n \r\n" + line(2).replace(b"\n", b"\r\n") + b"\n")
    assert len(read_labels(file)) == 2


def test_damage_in_the_middle_is_named_by_its_line(file: Path) -> None:
    file.write_bytes(line(1) + line(2)[:30] + b"\n" + line(3))
    said = refusal(file)
    assert said.startswith(f"{file}:2: this line cannot be read as JSON\n")
    assert "restore the file from a copy" in said
    file.write_bytes(line(1) + b"".join(line(i)[9:] for i in range(11)) + line(3))
    assert f"{file}:2: this line cannot be read as JSON; so are 10 more lines, the last is 12\n" in refusal(file)


@pytest.mark.parametrize("end", [bytes(range(256)) * 12, b"\x00" * 300, b"\x89PNG" * 9, b"oops", b'{"at": "2026\x00\x00'])
def test_what_is_behind_the_labels_and_never_was_one_is_named(file: Path, end: bytes) -> None:
    file.write_bytes(line(1) + b"\n" + line(2) + end)
    why = "is not UTF-8, at byte 1" if end.startswith(b"\x89") else "cannot be read as JSON"
    assert f"{file}:4: this line {why}" in refusal(file)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (line(2, verdict="maybe"), 'verdict "maybe" is not one of sound, unsound, unsure, skip, undo'),
        (line(2, verdict=["sound"]), 'verdict ["sound"] is not one of'),
        (line(2, verdict="x" * 999), 'verdict "xxx'),
        (line(2, at=1), "at is not a text"),
        (line(2, note=[]), "note is not a text"),
        (line(2, colour="red"), 'unknown field "colour"'),
        (b"[]\n", "not an object"),
        (b'{"verdict": "sound"}\n', "at is not a text"),
        (b"[" * 100_000 + b"\n", "cannot be read as JSON"),
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_a_line_that_is_no_label_is_named_with_why(file: Path, row: bytes, why: str, *, ended: bool) -> None:
    file.write_bytes(line(1) * 82 + b"\n" + (row if ended else row.rstrip()))
    said = refusal(file)
    assert said.startswith(f"{file}:84: this line ")
    assert why in said


def test_a_damaged_file_is_not_written_to(file: Path) -> None:
    file.write_bytes(line(1) + b"oops\n" + line(2))
    with pytest.raises(StorageError, match=":2: "):
        LabelBook(file.parent.parent, "ann").say("s3", "sound")
    assert file.read_bytes() == line(1) + b"oops\n" + line(2)


def test_a_folder_in_its_place_is_said_in_a_line(file: Path) -> None:
    file.mkdir()
    assert refusal(file).startswith(f"{file}: is a folder, not a file\n")
    with pytest.raises(StorageError, match="is a folder"):
        LabelBook(file.parent.parent, "ann").labels()


def test_a_key_that_occurs_twice_is_refused_with_its_line(file: Path) -> None:
    file.write_bytes(line(1) + line(2).replace(b"{", b'{"verdict": "unsound", ', 1))
    assert 'labels.jsonl:2: this line is ambiguous: key "verdict" occurs twice in one object; keep one' in refusal(file)


def test_a_pipe_in_its_place_keeps_nobody_waiting(file: Path) -> None:
    os.mkfifo(file)
    assert refusal(file).startswith(f"{file}: cannot be read: is not an ordinary file, but a pipe or a device\n")


def test_a_device_in_its_place_is_not_read_without_an_end(file: Path) -> None:
    file.symlink_to("/dev/zero")
    assert refusal(file).startswith(f"{file}: cannot be read: is not an ordinary file, but a pipe or a device\n")


@pytest.fixture
def saved(file: Path) -> Path:
    """Six saved labels of two people."""
    books = [LabelBook(file.parent.parent, name) for name in ("ann", "bo")]
    for number in range(6):
        books[number % 2].say(f"s{number}", "unsound" if number % 3 else "sound", note="5 € – 漢")
    assert len(read_labels(file)) == 6
    return file


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: data.index(b"\n", len(data) // 2) + 1],  # at a line's end
        lambda data: data[:-20],  # the last line, which was saved
        lambda data: data.split(b"\n", 1)[1],
    ],
)
def test_labels_that_were_saved_are_missed(saved: Path, damage: Callable[[bytes], bytes]) -> None:
    saved.write_bytes(damage(saved.read_bytes()))
    said = refusal(saved)
    assert " of the 6 lines that were saved" in said
    assert f"remove {count_file(saved)}" in said
    with pytest.raises(StorageError, match="6 lines that were saved"):
        LabelBook(saved.parent.parent, "ann").say("s9", "sound")
    count_file(saved).unlink()
    kept = len(read_labels(saved))
    assert kept < 6
    LabelBook(saved.parent.parent, "ann").say("s9", "sound")
    assert len(read_labels(saved)) == kept + 1
    saved.unlink()
    assert f"has 0 of the {kept + 1} lines" in refusal(saved) if kept else "has 0 of the 1 line" in refusal(saved)


@pytest.mark.parametrize(("old", "new"), [(b'"sound"', b'"unsound"'), (b'"s4"', b'"s5"'), (b"ann", b"amn"), (b", ", b",")])
def test_a_label_that_was_changed_is_named(saved: Path, old: bytes, new: bytes) -> None:
    data = saved.read_bytes()
    number = data[: data.index(old)].count(b"\n") + 1
    saved.write_bytes(data.replace(old, new, 1))
    said = refusal(saved)
    assert f"labels.jsonl:{number}: this line was changed after it was written" in said
    lines = [json.loads(each) for each in saved.read_text(encoding="utf-8").splitlines()]
    lines[number - 1].pop("check")  # as the message says
    rest = data.split(b"\n")
    rest[number - 1] = json.dumps(lines[number - 1], ensure_ascii=False).encode()
    saved.write_bytes(b"\n".join(rest))
    assert len(read_labels(saved)) == 6


def test_line_ends_of_an_editor_change_no_label(saved: Path) -> None:
    before = read_labels(saved)
    saved.write_bytes(saved.read_bytes().replace(b"\n", b"\r\n"))
    assert read_labels(saved) == before
    LabelBook(saved.parent.parent, "bo").say("s9", "sound")
    assert len(read_labels(saved)) == 7


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"lines": "many"}', b'{"lines": -1}', b"[" * 100_000])
def test_a_damaged_count_loses_no_label(saved: Path, content: bytes) -> None:
    count_file(saved).write_bytes(content)
    assert len(read_labels(saved)) == 6
    LabelBook(saved.parent.parent, "bo").say("s9", "sound")
    assert json.loads(count_file(saved).read_bytes()) == {"lines": 7}


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines + lines[:3],
        lambda lines: lines[::-1],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [lines[0], *lines],
    ],
)
def test_lines_that_are_doubled_or_in_another_order_are_named(saved: Path, damage: Callable[[list[bytes]], list[bytes]]) -> None:
    """The last label of a solution holds, so either would bring an earlier one back."""
    lines = saved.read_bytes().splitlines(keepends=True)
    saved.write_bytes(b"".join(damage(lines)))
    assert "is out of order: it was written as line " in refusal(saved)
    saved.write_bytes(b"".join(lines))
    assert len(read_labels(saved)) == 6


def test_a_line_that_was_taken_out_on_purpose_leaves_its_number_free(saved: Path) -> None:
    lines = saved.read_bytes().splitlines(keepends=True)
    saved.write_bytes(b"".join(lines[:2] + lines[3:]))
    count_file(saved).unlink()
    book = LabelBook(saved.parent.parent, "ann")
    book.say("s9", "sound")
    book.say("s10", "sound")
    assert [json.loads(each)["number"] for each in saved.read_bytes().splitlines()] == [1, 2, 4, 5, 6, 7, 8]
    assert len(read_labels(saved)) == 7


def test_labels_whose_folder_is_gone_are_missed(saved: Path) -> None:
    for each in saved.parent.iterdir():
        each.unlink()
    saved.parent.rmdir()
    assert "has 0 of the 6 lines that were saved" in refusal(saved)

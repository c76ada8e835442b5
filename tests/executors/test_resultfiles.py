"""Result files of batches: read by custom_id, whatever their order and whatever is in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isocost.executors import resultfiles
from isocost.executors.resultfiles import ResultFiles


def files(folder: Path, *contents: bytes) -> ResultFiles:
    paths = [folder / f"{number}.jsonl" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return ResultFiles(paths)


def line(custom_id: str, **more: object) -> bytes:
    return json.dumps({"custom_id": custom_id, **more}).encode() + b"\n"


def test_lines_are_found_by_their_id_in_any_order_and_file(tmp_path: Path) -> None:
    found = files(tmp_path, line("b", n=1) + line("a", n=2), line("c", n=3))
    assert [found.line(id) for id in "abc"] == [{"custom_id": "a", "n": 2}, {"custom_id": "b", "n": 1}, {"custom_id": "c", "n": 3}]
    assert found.line("d") is None
    assert len(found) == 3


def test_a_reply_goes_before_an_error_of_the_same_id_and_the_first_of_two_counts(tmp_path: Path) -> None:
    found = files(tmp_path, line("a", n=1) + line("a", n=2), line("a", n=3))
    assert found.line("a") == {"custom_id": "a", "n": 1}


@pytest.mark.parametrize(
    "other",
    [
        line("a", response=None, error={"code": "batch_expired"}),
        line("a", response={"status_code": 500, "body": {"error": {"message": "no"}}}),
        b'{"custom_id": "a", "response": {"body"\n',
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_a_paid_reply_is_not_lost_because_another_line_of_its_id_says_that_there_is_none(
    tmp_path: Path, other: bytes, *, last: bool
) -> None:
    body = {"choices": [{"text": "4"}]}
    paid = line("a", response={"status_code": 200, "body": body})
    for number, contents in enumerate(([paid + other] if last else [other + paid], [paid, other] if last else [other, paid])):
        (tmp_path / str(number)).mkdir()
        opened = files(tmp_path / str(number), *contents)
        found = opened.line("a")
        opened.close()
        assert found is not None
        assert found["response"]["body"] == body


def test_an_id_that_a_reply_quotes_is_not_the_lines_own(tmp_path: Path) -> None:
    quoting = json.dumps({"response": {"body": {"custom_id": "b", "text": '"custom_id": "c"'}}, "custom_id": "a"}).encode() + b"\n"
    found = files(tmp_path, quoting)
    assert found.line("a") is not None
    assert found.line("b") is None
    assert found.line("c") is None


@pytest.mark.parametrize(
    "rubbish", [b"", b"\n", b"not JSON\n", b"[1]\n", b'{"custom_id": 5}\n', b'{"custom_id": "a"\n', b"\xff\xfe\n", b"[" * 99_999]
)
def test_rubbish_is_no_line_and_hides_no_other(tmp_path: Path, rubbish: bytes) -> None:
    found = files(tmp_path, rubbish + (b"" if rubbish.endswith(b"\n") or not rubbish else b"\n") + line("z"))
    assert found.line("z") == {"custom_id": "z"}
    assert found.line("a") is None


def test_a_line_without_end_is_cut_and_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resultfiles, "LONGEST_LINE", 100)
    found = files(tmp_path, line("a", text="x" * 500) + line("b"))
    assert found.line("a") is None
    assert found.line("b") == {"custom_id": "b"}


def test_lines_that_are_not_whole_are_counted(tmp_path: Path) -> None:
    whole = files(tmp_path, line("a") + b"\n", line("b", n=1)[:-1])
    torn = files(tmp_path, line("a") + b"\n", line("b", n=1)[:-3])
    assert (whole.cut_off, torn.cut_off) == (0, 1)
    whole.close()
    torn.close()

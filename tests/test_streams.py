"""Streams that fail say so in one error, with the number of lines that went out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isocost.errors import InputError, StorageError
from isocost.streams import Output, opened, refuse_same_file


def test_lines_are_written_at_once_and_counted(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        output = Output(file.fileno())
        output.write(b"one\ntwo\n")
        assert (tmp_path / "out").read_bytes() == b"one\ntwo\n"
        output.write(b"three\n")
    assert output.lines == 3


def test_a_pipe_that_takes_a_part_at_a_time_gets_everything() -> None:
    data = b"x" * 99 + b"\n"
    read, write = os.pipe()
    os.set_blocking(read, False)
    output, received = Output(write), b""
    for _ in range(1000):  # more than a pipe holds, were it not read
        output.write(data)
        received += os.read(read, 1000)
    assert received == data * 1000
    assert output.lines == 1000
    os.close(read)
    with pytest.raises(BrokenPipeError):
        output.write(data)
    os.close(write)


def test_a_full_disk_is_an_error_of_storage_that_counts_the_lines() -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 - a device
        output = Output(full.fileno())
        output.lines = 1234
        with pytest.raises(StorageError, match=r"^standard output: No space left on device\n  1,234 lines were written before it$"):
            output.write(b"one more\n")


def test_a_closed_descriptor_is_an_error_of_input(tmp_path: Path) -> None:
    with (tmp_path / "in").open("wb") as file:
        descriptor = file.fileno()
    with pytest.raises(InputError, match="standard output: is closed"):
        Output(descriptor).write(b"a line\n")


def test_the_file_that_is_read_is_not_written(tmp_path: Path) -> None:
    path, other = tmp_path / "lines", tmp_path / "other"
    path.touch()
    with path.open("rb") as source, path.open("ab") as same, other.open("wb") as target, open(os.devnull, "r+b") as null:  # noqa: PTH123
        with pytest.raises(InputError, match="lines: is the input and the output at once"):
            refuse_same_file(source.fileno(), same.fileno(), "lines")
        refuse_same_file(source.fileno(), target.fileno(), "lines")
        refuse_same_file(null.fileno(), null.fileno(), "lines")  # no file that reading and writing would mix up


def test_a_file_is_open_until_the_block_ends(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a\n")
    with opened(str(tmp_path / "lines")) as descriptor:
        assert os.read(descriptor, 10) == b"a\n"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(("name", "message"), [("missing", "cannot be read: No such file"), (".", "is a folder, not a file of lines")])
def test_what_cannot_be_read_as_a_file_is_an_error_of_input(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message), opened(str(tmp_path / name)):
        pass


def test_a_closed_standard_input_is_an_error_of_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input: is closed"), opened("-"):
        pass


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_the_number_of_a_closed_stream_is_given_to_no_file(tmp_path: Path, closed: str) -> None:
    """A ledger that is opened as number 2 would get what libraries write to standard error."""
    program = (
        "import os; from isocost.streams import prepare_streams; prepare_streams();"
        f"file = open({str(tmp_path / 'ledger')!r}, 'w'); os.write(2, b'noise'); print(file.fileno() > 2)"
    )
    shell = f'exec "$0" -c "$1" {closed}'
    done = subprocess.run(["sh", "-c", shell, sys.executable, program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"
    assert (tmp_path / "ledger").read_text() == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_character_that_the_encoding_lacks_is_written_as_an_escape(encoding: str) -> None:
    program = "from isocost.streams import prepare_streams; prepare_streams(); print('a \\u2013 b', '\\udc80')"
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=env, timeout=60)
    dash = "\u2013" if encoding == "utf-8" else "\\u2013"
    assert done.stdout.decode("utf-8") == f"a {dash} b \\udc80\n"

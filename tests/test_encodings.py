"""Text in another encoding than UTF-8, told by its first bytes."""

import bz2
import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from isocost.auditing.labelfile import read_labels
from isocost.encodings import LONGEST_MARK, kind_flaw
from isocost.errors import IsocostError, RunDirectoryError
from isocost.preparing.changes import read_last_study
from isocost.problems.rows import read_rows
from isocost.store import Log, RunDirectory
from isocost.store.kinds import LEDGER
from isocost.tables.jsonl import scan_jsonl
from isocost.tables.reading import records_of
from isocost.yamlfile import read_yaml


@pytest.mark.parametrize("text", ["name: x", '{"a": 1}', "\ufeffname: x", "ä: 1", "", "n"])
def test_utf_8_is_accepted(text: str) -> None:
    assert kind_flaw(text.encode()[:LONGEST_MARK], Path("a.yaml")) == ""


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (gzip.compress(b"{}", mtime=0), "is compressed\n  gzip -dc a.yaml > FILE"),
        (bz2.compress(b"{}"), "bzip2 -dc"),
        (lzma.compress(b"{}"), "xz -dc"),
        (b"PAR1\x15", "is a Parquet table"),
        ("{}".encode("utf-32"), "is UTF-32 text"),
        ("{}".encode("utf-16-be"), "is UTF-16BE text"),
    ],
)
def test_other_kinds_are_named(start: bytes, words: str) -> None:
    assert words in kind_flaw(start[:LONGEST_MARK], Path("a.yaml"))


def test_the_command_is_safe_to_paste() -> None:
    flaw = kind_flaw("name".encode("utf-16"), Path("-my file.yaml"))
    assert flaw == "is UTF-16 text, not UTF-8\n  convert it: iconv -f UTF-16 -t UTF-8 './-my file.yaml' > './-my file-utf8.yaml'"


READERS: dict[str, Callable[[Path], object]] = {
    "study.yaml": lambda path: read_yaml(path, str(path), "study file"),
    "problems.jsonl": lambda path: list(read_rows(path)),
    "table.jsonl": lambda path: scan_jsonl(str(path), ["model"]),
    "values.json": lambda path: list(records_of(path)),
    "values.csv": lambda path: list(records_of(path)),
    "values.yaml": lambda path: list(records_of(path)),
    "ledger.jsonl": lambda path: list(Log(path, LEDGER).entries()),
    "labels.jsonl": read_labels,
}
TEXTS = {
    "yaml": "a: 1\nb: a\N{SNOWMAN}b?\n",
    "json": '[{"a": 1},\n {"b": "\N{SNOWMAN}?"}]',
    "csv": "a,b\n\N{SNOWMAN},?\n",
    "jsonl": '\n{"\N{SNOWMAN}": "?"}\n',
}


@pytest.mark.parametrize("name", READERS)
def test_a_byte_that_is_not_utf_8_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = TEXTS[path.suffix[1:]].encode().replace(b"?", b"\xe3")
    if name == "ledger.jsonl":
        data = data[1:]
    path.write_bytes(data)
    line = data[: data.index(b"\xe3")].count(b"\n") + 1
    byte = data.index(b"\xe3") - data.rfind(b"\n", 0, data.index(b"\xe3"))
    with pytest.raises(IsocostError, match=rf"{re.escape(str(path))}:{line}: .*not UTF-8, at byte {byte}\b"):
        READERS[name](path)


def test_the_study_of_a_run_directory_is_told_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_bytes("name: a\n\N{SNOWMAN}: ".encode() + b"\xe3\n")
    with pytest.raises(RunDirectoryError, match=r"study\.yaml:2: not UTF-8, at byte 6\n  restore it"):
        read_last_study(RunDirectory(tmp_path))

"""Text in another encoding than UTF-8, told by its first bytes."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from isocost.encodings import LONGEST_MARK, kind_flaw


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

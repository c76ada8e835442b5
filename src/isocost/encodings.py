"""Files that are no text in UTF-8: the first such place, and other kinds by their first bytes (UTF-16, compressed files, Parquet)."""

from __future__ import annotations

import codecs
from pathlib import Path

from isocost.paths import open_file, shell_word

_MARKS = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


# Kinds of compressed files, and what unpacks them.
COMPRESSED = {b"\x1f\x8b": "gzip -dc", b"\x28\xb5\x2f\xfd": "zstd -dc", b"BZh": "bzip2 -dc", b"\xfd7zXZ": "xz -dc"}
LONGEST_MARK = 6  # bytes that tell the kinds


def kind_flaw(start: bytes, path: Path) -> str:
    """Return why a file that should be UTF-8 text is none, with the remedy; "" for any other file.

    Args:
        start: Its first `LONGEST_MARK` bytes, or more.
        path: The file.
    """
    if command := next((command for mark, command in COMPRESSED.items() if start.startswith(mark)), ""):
        return f"is compressed\n  {command} {shell_word(path)} > FILE, and read FILE"
    if start.startswith(b"PAR1"):
        return "is a Parquet table, not text\n  give it a name that ends in .parquet"
    # Without a mark, every other byte of ASCII text is zero. The first character of YAML and of JSON is nearly always ASCII.
    unmarked = {(False, True): "UTF-16LE", (True, False): "UTF-16BE"}.get((start[:1] == b"\0", start[1:2] == b"\0"))
    name = next((name for mark, name in _MARKS.items() if start.startswith(mark)), unmarked)
    if name is None:
        return ""
    file = shell_word(path)
    return f"is {name} text, not UTF-8\n  convert it: iconv -f {name} -t UTF-8 {file} > {shell_word(path.with_stem(path.stem + '-utf8'))}"


def utf8_flaw(error: UnicodeDecodeError) -> str:
    """Return why a line is not text: `not UTF-8, at byte 12`."""
    return f"not UTF-8, at byte {error.start + 1}"


def place_not_utf8(path: Path, shown: str = "") -> str:
    """Return the first place of a file that is not UTF-8: `table.csv:3: not UTF-8, at byte 12`, counted within the line.

    "" if all of it is UTF-8.

    Args:
        path: The file.
        shown: Its name in messages; default its path.

    Raises:
        OSError: The file cannot be read.
    """
    with open_file(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"{shown or path}:{number}: {utf8_flaw(error)}"
    return ""

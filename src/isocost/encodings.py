"""Files of text in another encoding than UTF-8, recognised by their first bytes."""

from __future__ import annotations

import codecs
from pathlib import Path

from isocost.paths import shell_word

_MARKS = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


def utf16_flaw(start: bytes, path: Path) -> str:
    """Return why a file of UTF-16 or UTF-32 text cannot be read, with the remedy; "" for any other file.

    Args:
        start: Its first four bytes, or more.
        path: The file.
    """
    # Without a mark, every other byte of ASCII text is zero. The first character of YAML and of JSON is nearly always ASCII.
    unmarked = {(False, True): "UTF-16LE", (True, False): "UTF-16BE"}.get((start[:1] == b"\0", start[1:2] == b"\0"))
    name = next((name for mark, name in _MARKS.items() if start.startswith(mark)), unmarked)
    if name is None:
        return ""
    file = shell_word(path)
    return f"is {name} text, not UTF-8\n  convert it: iconv -f {name} -t UTF-8 {file} > {shell_word(path.with_stem(path.stem + '-utf8'))}"

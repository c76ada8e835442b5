"""Text in another encoding than UTF-8, told by its first bytes."""

from pathlib import Path

import pytest

from isocost.encodings import utf16_flaw


@pytest.mark.parametrize("text", ["name: x", '{"a": 1}', "\ufeffname: x", "ä: 1", "", "n"])
def test_utf_8_is_accepted(text: str) -> None:
    assert utf16_flaw(text.encode()[:4], Path("a.yaml")) == ""


def test_the_command_is_safe_to_paste() -> None:
    flaw = utf16_flaw("name".encode("utf-16"), Path("-my file.yaml"))
    assert flaw == "is UTF-16 text, not UTF-8\n  convert it: iconv -f UTF-16 -t UTF-8 './-my file.yaml' > './-my file-utf8.yaml'"

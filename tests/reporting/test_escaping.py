import pytest

from isocost.reporting import escaping


def test_reordering_and_control_characters_go() -> None:
    assert escaping.clean("a\u202eb\x00c\x1b[31m\ud800") == "abc[31m"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a|b\nc", r"a\|b c"),
        ("<script>", "&lt;script&gt;"),
        ("[x](http://evil)", "[x]\\(http://evil)"),
        ("[x][y]", "[x]\\[y]"),
        ("44.7% [42.1, 47.3]", "44.7% [42.1, 47.3]"),
        ("+9.5 points [+5.6, +13.4]: weak", "+9.5 points [+5.6, +13.4]: weak"),
        ("[x]: http://evil", "[x]\\: http://evil"),
        ("  [x]: http://evil", "[x]\\: http://evil"),
        ("far_weak@low", "far_weak@low"),
        ("_x_ `y` *z*", r"\_x\_ \`y\` \*z\*"),
    ],
)
def test_markdown(text: str, safe: str) -> None:
    assert escaping.markdown(text) == safe


def test_a_spreadsheet_reads_no_formula() -> None:
    assert escaping.csv("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert escaping.csv("train-01") == "train-01"


def test_xml() -> None:
    assert escaping.xml('<a b="c">&') == "&lt;a b=&#34;c&#34;&gt;&amp;"

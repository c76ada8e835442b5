"""A Markdown reader that removes no character of arithmetic: structure is added, and only clear markup disappears."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import escapedSplit, getLine, table
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

OPEN, CLOSE = "\ue000", "\ue001"  # around the number of a formula while Markdown is read

# A quote's ">" may be a comparison, and the backslash of an escape may be one of LaTeX.
_OFF = (
    "link",
    "image",
    "autolink",
    "html_inline",
    "html_block",
    "reference",
    "entity",
    "lheading",
    "blockquote",
    "escape",
)
_BEFORE = frozenset("([{\"'“‘*_")  # besides white space, what may precede emphasis
_AFTER = frozenset(")]}\"'”’*_.,;:!?")  # and what may follow it
_OPERAND_ENDS = re.compile(rf"(?:[\d)\]}}%$!{CLOSE}]|\b[^\W\d_])\Z")
_OPERAND_BEGINS = re.compile(rf"(?:[\d(\[{{$√−+\-{OPEN}]|[^\W\d_]\b)")


def reader(renderer: type[RendererHTML]) -> MarkdownIt:
    """Return a reader of Markdown without links, images, HTML, quotes and escapes."""
    made = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=renderer).enable("table").disable(list(_OFF))
    made.inline.ruler.at("emphasis", _emphasis)
    made.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    return made


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Read a run of `*` or `_` as the library does, but let it open or close emphasis only where it cannot be an operator."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    begin, scanned = state.pos, state.scanDelims(state.pos, marker == "*")
    end = begin + scanned.length
    opens, closes = scanned.can_open and _opens(state.src, begin, end), scanned.can_close and _closes(state.src, begin, end)
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        token = len(state.tokens) - 1
        state.delimiters.append(Delimiter(marker=ord(marker), length=scanned.length, token=token, end=-1, open=opens, close=closes))
    state.pos = end
    return True


def _opens(text: str, begin: int, end: int) -> bool:
    before = text[begin - 1 : begin]
    return (not before or before.isspace() or before in _BEFORE) and not _is_operator(text, begin, end)


def _closes(text: str, begin: int, end: int) -> bool:
    after = text[end : end + 1]
    return (not after or after.isspace() or after in _AFTER) and not _is_operator(text, begin, end)


def _is_operator(text: str, begin: int, end: int) -> bool:
    """Return True if there is an operand on both sides of a run; of one longer than a single `*`, both in its line."""
    blank = " \t*_" + ("\n" if text[begin:end] == "*" else "")
    left, right = text[max(0, begin - 40) : begin].rstrip(blank), text[end : end + 40].lstrip(blank)
    return _OPERAND_ENDS.search(left) is not None and _OPERAND_BEGINS.match(right) is not None


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table as the library does, and put cells beyond the header's last column, which it drops, into that column."""
    first = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    columns = len(_cells(state, start))
    row: list[Token] = []
    for token in state.tokens[first:]:
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(token)
            if len(row) == columns and token.map is not None:
                rest = _cells(state, token.map[0])[columns:]
                token.content = " | ".join([token.content, *rest])
    return True


def _cells(state: StateBlock, line: int) -> list[str]:
    """Return the cells of a row as the library cuts them."""
    cells = escapedSplit(getLine(state, line).strip())
    return cells[1 if cells[0] == "" else 0 : len(cells) - (1 if cells[-1] == "" else 0)]


def marker_of(token: Token) -> str:
    """Return the marker of a list's item as it was written, such as `1986.` or `-`."""
    return f"{token.info}{token.markup}"

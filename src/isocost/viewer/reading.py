"""Solutions as people read them: Markdown and formulas of models, with everything off that loads, links or runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from isocost.viewer.formulas import LONGEST, mathml
from isocost.viewer.markdown import CLOSE, OPEN, marker_of, reader
from isocost.viewer.visible import visible

MOST = 20_000  # characters; a longer text is shown as it was written
_MARKED_HEADING = 4  # of headings with as many # or more, the # stay: "#### 12" is a final answer
_FORMULA = re.compile(
    rf"\\\[(?P<bracket>.{{1,{LONGEST}}}?)\\\]"
    rf"|\\\((?P<round>.{{1,{LONGEST}}}?)\\\)"
    rf"|\$\$(?P<double>[^$]{{1,{LONGEST}}})\$\$"
    rf"|(?<![\\$\w])\$(?P<single>(?!\s)[^$\n]{{1,{LONGEST}}}?(?<!\s))\$(?![\d$])"
    r"|(?P<boxed>\\boxed\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\})",
    flags=re.DOTALL,
)
_PLACE = re.compile(f"{OPEN}(\\d+){CLOSE}")


def readable(text: str) -> Markup | None:
    """Return a solution as HTML of paragraphs, lists, tables, code and formulas; None if it is too long to be worth it.

    Headings become bold lines: the page has its own. Formulas that `mathml` refuses, all HTML, links, images and quotes, and the markers of
    lists are text as written.
    """
    if len(text) > MOST:
        return None
    text = visible(text)
    formulas: list[re.Match[str]] = []

    def take(found: re.Match[str]) -> str:
        formulas.append(found)
        return f"{OPEN}{len(formulas) - 1}{CLOSE}"

    if OPEN not in text and CLOSE not in text:
        text = _FORMULA.sub(take, text)
    try:
        return Markup(_reader().render(text, {"formulas": formulas}))
    except RecursionError:  # quotes and lists nested hundreds deep
        return None


class _Renderer(RendererHTML):
    """Write tokens as HTML without any attribute that a text could set."""

    def renderToken(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: N802 - the library's name
        token = tokens[idx]
        token.attrs = {}
        if token.type == "heading_open":
            return '<p class="head">' + (f"{token.markup} " if len(token.markup) >= _MARKED_HEADING else "")
        if token.type == "list_item_open":
            return f'<li><span class="mark">{escape(marker_of(token))}</span> '
        return "</p>" if token.type == "heading_close" else super().renderToken(tokens, idx, options, env)

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Mapping[str, Any]) -> str:
        """Write a text, its formulas as MathML."""
        return _with_formulas(tokens[idx].content, env["formulas"])

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Mapping[str, Any]) -> str:
        """Write code as it is."""
        return f"<code>{_as_written(tokens[idx].content, env['formulas'])}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Mapping[str, Any]) -> str:
        """Write a block of code as it is. What follows the opening of a fence is left out only if it is the name of a language."""
        token = tokens[idx]
        info = "" if re.fullmatch(r"[A-Za-z+#-]*", token.info.strip()) else f"{token.info.strip()}\n"
        return f"<pre><code>{_as_written(info + token.content, env['formulas'])}</code></pre>\n"

    fence = code_block


@cache
def _reader() -> MarkdownIt:
    return reader(_Renderer)


def _with_formulas(content: str, formulas: Sequence[re.Match[str]]) -> str:
    parts = _PLACE.split(content) if formulas else [content]  # text, number, text, ...
    return "".join(_formula(formulas[int(part)]) if i % 2 else escape(part) for i, part in enumerate(parts))


def _formula(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    made = mathml(found[kind], block=kind in ("bracket", "double"))
    return f'<span class="raw-formula">{escape(found[0])}</span>' if made is None else made


def _as_written(content: str, formulas: Sequence[re.Match[str]]) -> Markup:
    return escape(_PLACE.sub(lambda found: formulas[int(found[1])][0], content) if formulas else content)

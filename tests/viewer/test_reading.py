"""Solutions as people read them: Markdown and formulas are shown, and nothing of a model's text loads, links, runs or hides."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocost.viewer.formulas import DEEPEST, LONGEST, mathml
from isocost.viewer.reading import MOST, readable

NAMES = (
    "p ul ol li pre code strong em blockquote table thead tbody tr th td hr br span math mrow mi mn mo mtext mspace mfrac msqrt mroot msup "
    "msub msubsup mover munder munderover mtable mtr mtd mstyle mpadded mphantom menclose"
)
ALLOWED = set(NAMES.split())
ATTRIBUTES = {"class", "display", "notation", "stretchy", "mathvariant", "columnalign", "fence", "separator", "form", "accent"}
ATTRIBUTES |= {"displaystyle", "scriptlevel", "linethickness", "width", "height", "lspace", "rspace", "minsize", "maxsize", "largeop"}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.example/a.png)",
    "[x](javascript:alert(1)) <http://evil.example> http://evil.example",
    "[x]: http://evil.example 'title'\n\n[x]",
    "```<script>\nalert(1)\n```",
    "```js onload=alert(1)\nx\n```",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\style{position:fixed}{x}$",
    "$\\text{<script>alert(1)</script>}$",
    "$\\text{</math><img src=x onerror=alert(1)>}$",
    "$\\class{evil}{x}$ $\\id{evil}{x}$",
    "\\[ \\color{red;background:url(http://evil.example)}{x} \\]",
    "$$\\unicode{x3c}script$$",
    "\\boxed{<b onclick=x>}",
    "$<!DOCTYPE a [<!ENTITY b 'c'>]>&b;$",
    "# <style>*{display:none}</style>",
    "> " * 400 + "deep",
    "- " * 400 + "deep",
    "*" * 5000,
    "[" * 5000,
    "`" * 5000,
    "\ue0000\ue001 $x$",
    "\u202eevil\u202c $a\u202eb$ \x1b[31m",
    "| a |\n|---|\n| <svg onload=alert(1)> |",
    "&lt;script&gt; &#x3c;script&#x3e;",
    "$" + "{" * 500 + "x" + "}" * 500 + "$",
    "$" + "\\frac{1}{" * 40 + "x" + "}" * 40 + "$",
    "$" * 3001,
]


def checked(text: str) -> ElementTree.Element | None:
    """The text as it is shown, once all its elements and attributes are found to be harmless."""
    made = readable(text)
    if made is None:
        return None
    root = ElementTree.fromstring(f"<div>{made}</div>")  # well-formed, so it cannot end an element around it
    for each in list(root.iter())[1:]:
        assert each.tag in ALLOWED, each.tag
        assert set(each.attrib) <= ATTRIBUTES, each.attrib
        assert all(re.fullmatch(r"[\w.+\-% ]{1,24}", value) for value in each.attrib.values())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", made)
    return root


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:24])
def test_hostile_text_stays_text(text: str) -> None:
    checked(text)


@given(st.text(st.sampled_from(list("$\\(){}[]<>&`*_#|-!:\"' \nab1^~=/")) | st.characters(), max_size=300))
def test_any_text_is_harmless(text: str) -> None:
    checked(text)


def test_markdown_and_formulas_are_shown() -> None:
    root = checked("# Sum\n\nSo $x^2$ and \\(a<b\\):\n\n1. **one**\n2. two\n\n\\[\\frac{1}{2}\\]\n\n| a |\n|---|\n| 2 |\n")
    assert root is not None
    tags = [each.tag for each in root.iter()]
    assert {"msup", "mfrac", "ol", "strong", "td"} <= set(tags)
    assert tags.count("math") == 3
    assert [each.get("display") for each in root.iter("math")] == ["inline", "inline", "block"]
    assert "h1" not in tags  # the page has its own headings


def test_the_answer_has_a_box() -> None:
    for text in ("\\boxed{42}", "$\\boxed{42}$", "so \\boxed{\\frac{1}{2}} it is"):
        root = checked(text)
        assert root is not None
        assert [each.get("notation") for each in root.iter("menclose")] == ["box"]


def test_money_and_code_are_no_formulas() -> None:
    for text in ("It costs $5 and $6.", "from $3 to $4", "`$x$` and\n\n```\n$y$ \\boxed{1}\n```"):
        root = checked(text)
        assert root is not None
        assert not list(root.iter("math"))
        assert all(part in "".join(root.itertext()) for part in text.replace("`", " ").split())


def test_what_is_refused_is_shown_as_it_was_written() -> None:
    for latex in ("\\frac{", "x" * (LONGEST + 1), "{" * (DEEPEST + 1) + "x" + "}" * (DEEPEST + 1), "\\href{a}{b}", "\\text{<b>}"):
        assert mathml(latex) is None
    assert html.unescape(str(readable("so $\\href{a}{b}$"))) == '<p>so <span class="raw-formula">$\\href{a}{b}$</span></p>\n'
    assert readable("x" * (MOST + 1)) is None
    assert mathml("{" * DEEPEST + "x" + "}" * DEEPEST) is not None


NUMBERS = st.integers(0, 99).map(str) | st.sampled_from(["x", "n", "$5", "1.5", "(2 + 3)", "7%", "-4"])
OPERATORS = st.sampled_from(
    ["*", " * ", "**", " *", "* ", "_", " _ ", "+", " - ", "/", " = ", "=", " > ", "<", " and ", " | ", "\\n* ", "\n- "]
)
STARTS = st.sampled_from(["", "", "", "> ", ">= ", "#### ", "1986. ", "3) ", "- ", "+ ", "* ", "#5 ", "\\* ", "So ", "| "])
LINES = st.builds(
    lambda start, first, rest: start + first + "".join(operator + number for operator, number in rest),
    STARTS,
    NUMBERS,
    st.lists(st.tuples(OPERATORS, NUMBERS), max_size=6),
)


@given(st.lists(LINES, min_size=1, max_size=5), st.sampled_from(["\n", "\n\n", "\n   "]))
def test_arithmetic_loses_no_character(lines: list[str], between: str) -> None:
    text = between.join(lines)
    root = checked(text)
    assert root is not None
    if not list(root.iter("math")):  # a formula between two "$" is shown as MathML
        assert squeezed("".join(root.itertext())) == squeezed(text)


def squeezed(text: str) -> str:
    """The characters of a text without white space."""
    return "".join(text.split())


def test_cells_beyond_the_header_and_the_line_of_a_fence_stay() -> None:
    for text in ("| a | b |\n|---|---|\n| 1 | 2 | 3 |", "```3*4=12\n5\n```"):
        root = checked(text)
        assert root is not None
        assert all(part in "".join(root.itertext()) for part in re.findall(r"\d+", text))


@pytest.mark.parametrize(
    "text", ["The answer is **12**.", "**Step 1:** 3 + 4", "**12** apples", "there are 5 *red* ones", "(**7**)", "**2*3 = 6**"]
)
def test_clear_emphasis_is_shown(text: str) -> None:
    root = checked(text)
    assert root is not None
    assert [each.tag for each in root.iter() if each.tag in ("em", "strong")] == ["em" if "**" not in text else "strong"]

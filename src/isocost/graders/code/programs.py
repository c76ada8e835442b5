"""Find the program in a solution: a fenced block, the text between MBPP's markers, or the text itself without the prose around it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from isocost.graders.extract import LONGEST
from isocost.graders.replies import program_text

# Possessive: a line that does not match is not tried again from each of its characters.
_FENCE = re.compile(r"^([ \t]*+)(`{3,}+|~{3,}+)[ \t]*+([\w+#.-]*+)[^\n`]*+$", re.MULTILINE)
# A fence behind words, as in "Answer: ```python": it opens a block if no code stands before it.
_LATE_FENCE = re.compile(r"^(?![ \t]*+[`~])([^`\n]++)(?=`{3,}+(?i:python3?|py3?)[ \t]*+$)", re.MULTILINE)
_LATE_END = re.compile(r"(?<=[^\s`])`{3,}+[ \t]*+$", re.MULTILINE)  # behind the last line of a block
_TILDES = re.compile(r"^[ \t]*~~~[ \t]*\w", re.MULTILINE)
_DEEPEST = 3  # spaces before the fence that ends a block: a fence with more is part of a docstring
_PYTHON = ("python", "python3", "py", "py3", "")  # a block without a language counts as Python
_DEFINES = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(?!test|Test|check\b|main\b)\w", re.MULTILINE)
_NAMES_FUNCTION = re.compile(r"^\w+[ \t]*=[ \t]*(?:lambda\b|(?:functools\.)?partial\()", re.MULTILINE)
_DEFINES_ANY = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w", re.MULTILINE)
# Code before the first fence: the prompt has opened the block
_BEGUN = re.compile(r"^[ \t]*(?:def \w|class \w|import \w|from [\w.]+ import|return\b)", re.MULTILINE)
_OPERATOR = r"(?:in|is|if|and|or|not|for|else)\b"
_NO_PROSE = rf"(?!{_OPERATOR})"
_KEYWORD = (
    r"(?:and|as|assert|async|await|break|case|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|match"
    r"|nonlocal|not|or|pass|raise|return|try|type|while|with|yield)\b"
)
# A capitalised word and another one ("Here is the code"), a numbered or bulleted item, a heading: no Python statement begins like this.
_PROSE = re.compile(
    rf"[A-Z][a-z']*[.!?]? +{_NO_PROSE}[A-Za-z`'\"]|[A-Z][a-z']*, +{_NO_PROSE}[a-z`'\"](?!.*=)|[A-Z][a-z']*[.!?]$"
    rf"|(?!None|True|False)[A-Z][a-z']+ +{_OPERATOR} +[a-z]"
    r"|[-*•] +\w|\d+[.)] +\w|#{2,} |\*\*\w|>>> |```"
    # Words without the punctuation of a statement, a word and a colon, a text in another script
    rf"|(?!{_KEYWORD})[^\W\d_][\w'’-]*(?:[,;:]? [\w'’`:,-]++)+(?:[.:!?]*| :\))$"
    rf"|(?!{_KEYWORD})[^\W\d_]\w*:$|[^\W\d_][\w ]*[：，。、！]|[A-Z][\w ]{{2,40}}: +[a-z]\w* +{_NO_PROSE}[a-z]"
    # A remark with its subject ("Complexity: O(n)"), as an annotation that assigns nothing would be; a rule
    r"|[A-Z][a-z]+(?: \w+){0,3}: +(?!.*=)\S|(?:-{3,}|\*{3,}|_{3,}|={3,})$"
)
# The first line of a program that defines something
_OPENS = re.compile(
    r"[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*[(\[]|class[ \t]+\w+[ \t]*[:(\[]|import[ \t]+\w|from[ \t]+[\w.]+[ \t]+import\b|@\w)"
)
_TAG = re.compile(
    r"^[ \t]*(?:\[/?PYTHON\]|(?:</?(?:code|answer|solution|python|pre)(?:[ \t]+[\w-]+=\"[^\"\n]*\")*+>)+)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_SPAN = re.compile(r"\s*`([^`]+)`\s*")
_BEGIN = re.compile(r"^[ \t]*\[BEGIN\][ \t]*|\[BEGIN\][ \t\r]*$", re.MULTILINE)
_DONE = re.compile(r"^[ \t]*\[DONE\]|\[DONE\][ \t\r]*$", re.MULTILINE)
_QUOTES = re.compile(r'"""|\'\'\'')  # their number shows if a line is inside a docstring


@dataclass(frozen=True, slots=True)
class _Block:
    language: str
    text: str


def find_program(generation: str) -> str | None:
    """Return the program that a solution ends with, or None where it has no text. Linear in the text, which is not parsed.

    Of several blocks of Python, take the last that defines something other than a test, because usage and output often follow the
    answer. If there is none, take the last that defines anything, else the last that names its language, else the last. A body that
    continues a prompt keeps its indentation.
    """
    text = _between_markers(program_text(generation)[-LONGEST:]).replace("\r\n", "\n")
    blocks = _blocks(text)
    if not blocks:
        span = _SPAN.fullmatch(text)
        return _normalize(span[1] if span else _without_prose(_TAG.sub("", text)))
    python = [block for block in blocks if block.language in _PYTHON] or blocks
    for wanted in (_DEFINES.search, _NAMES_FUNCTION.search, _DEFINES_ANY.search):
        if defining := [block for block in python if wanted(block.text)]:
            return _normalize(defining[-1].text)
    return _normalize(([block for block in python if block.language] or python)[-1].text)


def _between_markers(text: str) -> str:
    """Return the text between [BEGIN] and [DONE], the markers of MBPP's few-shot prompt.

    After [DONE] a base model goes on with a task of its own. Markers count only at an end of a line: in the middle of one, as in
    `return "[DONE]"`, they are part of the program.
    """
    done, begun = _DONE.search(text), _BEGIN.search(text)
    text = text[: done.start()] if done else text
    return text[begun.end() :] if begun and begun.end() <= len(text) else text


def _blocks(text: str) -> list[_Block]:
    """Return the fenced blocks with text. An unclosed block ends with the text; the prompt may have opened the first one."""
    if (late := _LATE_FENCE.search(text)) and _is_prose(text[: late.start()]) and not _BEGUN.match(text, late.start()):
        text = f"{text[: late.end()]}\n{text[late.end() :]}"
    is_tilde = _TILDES.search(text) is not None  # else a row of tildes is an underline in a docstring
    fences = [fence for fence in _FENCE.finditer(text) if fence[2][0] == "`" or is_tilde]
    blocks = []
    if fences and not fences[0][3] and _BEGUN.search(text[: fences[0].start()]):
        blocks.append(_Block("", text[: fences[0].start()]))
        del fences[0]
    opened: re.Match[str] | None = None
    for fence in fences:
        if opened is None:
            opened = fence
        elif not fence[3] and fence[2].startswith(opened[2]) and len(fence[1]) <= len(opened[1]) + _DEEPEST:
            blocks.append(_block(opened, text[opened.end() : fence.start()]))
            opened = None
    if opened is not None:
        blocks.append(_block(opened, text[opened.end() : _late_end(text, opened.end())]))
    return [block for block in blocks if block.text.strip()]


def _is_prose(text: str) -> bool:
    """Return True if a text has no line that may be code."""
    return all(not line.strip() or _PROSE.match(line) or _TAG.match(line) for line in text.split("\n"))


def _late_end(text: str, start: int) -> int | None:
    """Return the place of a fence behind the last line of a block, None without one. In a comment or a docstring it is none."""
    last = deque(_LATE_END.finditer(text, start), maxlen=1)
    if not last:
        return None
    end = last[0].start()
    line = text[text.rfind("\n", 0, end) + 1 : end]
    return None if "#" in line or "`" in line or len(_QUOTES.findall(text, start, end)) % 2 else end


def _block(opened: re.Match[str], text: str) -> _Block:
    if indent := len(opened[1]):  # a block in a list: its lines are indented as its fence is
        text = re.sub(rf"^[ \t]{{1,{indent}}}", "", text, flags=re.MULTILINE)
    return _Block(opened[3].lower(), text)


def _without_prose(text: str) -> str:
    """Return the text without the lines of prose before the program, and without everything from the first line of prose after it."""
    lines = text.split("\n")
    start = _first_line(lines)
    if start == len(lines):
        return text
    quotes, end = 0, len(lines)
    for number, line in enumerate(lines[start:], start):
        if quotes % 2 == 0 and _PROSE.match(line):  # an odd count of triple quotes means a docstring, which is prose
            end = number
            break
        quotes += len(_QUOTES.findall(line))
    return "\n".join(_outdented(lines[start:end]) if start else lines[:end])


def _first_line(lines: list[str]) -> int:
    """Return the number of the line that the program begins at: after the last line of prose before its first definition."""
    opening = next((number for number, line in enumerate(lines) if _OPENS.match(line)), None)
    if opening is not None:
        start = quotes = 0
        for number, line in enumerate(lines[:opening]):
            if quotes % 2 == 0 and _PROSE.match(line):
                start = number + 1
            quotes += len(_QUOTES.findall(line))
        return start
    start = 0
    while start < len(lines) and (not lines[start].strip() or _PROSE.match(lines[start])):
        start += 1
    return start


def _outdented(lines: list[str]) -> list[str]:
    """Return the lines of a program that is indented below prose at the margin. The body of a function, to continue a prompt, stays."""
    indents = [(len(line) - len(line.lstrip()), line) for line in lines if line.strip()]
    least = min((indent for indent, _ in indents), default=0)
    is_body = any(indent == least and not _OPENS.match(line) and not line.lstrip().startswith("#") for indent, line in indents)
    return lines if is_body else [line[least:] for line in lines]


def _normalize(text: str) -> str | None:
    lines = text.rstrip().split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    return "\n".join(lines) or None

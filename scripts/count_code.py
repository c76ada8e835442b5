"""Count code, functions, docstrings and comments of src and tests.

python scripts/count_code.py            count src and tests of this checkout
python scripts/count_code.py DIR ...    count other folders

A line of code is not blank and holds at least one token that is neither a comment nor part of a docstring. A statement over three lines
counts as three. Directives to tools (noqa, type: ignore) are no comments.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INTERROGATIVES = frozenset({"what", "how", "whether", "where", "who", "which", "when", "why"})
DIRECTIVES = ("noqa", "type: ignore", "pragma:")
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Owner = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Counts:
    """Numbers of one file; `add` sums them over files.

    Attributes:
        code: Lines of code.
        own: Comments on a line of their own. `trailing`: comments after code.
        functions: (lines of code, name) of each function and method, nested functions included in the outer one too.
        documented: Public functions, methods and properties with a docstring. `public`: all of them.
        openings: Lower-case first words of docstrings, with how often each occurs.
    """

    code: int = 0
    own: int = 0
    trailing: int = 0
    documented: int = 0
    public: int = 0
    functions: list[tuple[int, str]] = field(default_factory=list)
    openings: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add the numbers of another file."""
        self.code, self.own, self.trailing = self.code + other.code, self.own + other.own, self.trailing + other.trailing
        self.documented, self.public = self.documented + other.documented, self.public + other.public
        self.functions += other.functions
        self.openings += other.openings


def count(source: str, name: str = "") -> Counts:
    """Count one file; `name` is put before the names of its functions."""
    tree, found, lines = ast.parse(source), Counts(), set[int]()
    silent = {line for owner in owners(tree) if (text := docstring(owner)) for line in range(text.lineno, (text.end_lineno or 0) + 1)}
    comments: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.lstrip("# ").startswith(DIRECTIVES):
            comments.append(token.start[0])
        elif token.type not in SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    lines -= silent | {number for number, line in enumerate(source.splitlines(), 1) if not line.strip()}
    found.code = len(lines)
    found.trailing = sum(line in lines for line in comments)
    found.own = len(comments) - found.trailing
    for owner in owners(tree):
        if isinstance(owner, Function):
            size = sum(owner.lineno <= line <= (owner.end_lineno or 0) for line in lines)
            found.functions.append((size, f"{name}:{owner.name}"))
        if text := docstring(owner):
            words = str(text.value).split()
            found.openings[words[0].strip("`'\".,:;").lower() if words else ""] += 1
    for function in public(tree):
        found.public += 1
        found.documented += docstring(function) is not None
    return found


def owners(tree: ast.AST) -> Iterator[Owner]:
    """Yield everything that may have a docstring."""
    return (node for node in ast.walk(tree) if isinstance(node, Owner))


def docstring(owner: Owner) -> ast.Constant | None:
    """Return the docstring's node."""
    first = owner.body[0] if owner.body else None
    value = first.value if isinstance(first, ast.Expr) else None
    return value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def public(owner: ast.Module | ast.ClassDef) -> Iterator[Function]:
    """Yield functions at the top of a module and methods of public classes whose names have no underscore in front."""
    for node in owner.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def report(folder: Path) -> str:
    """Return the numbers of a folder's Python files, as text."""
    total, rooms, files = Counts(), Counter[str](), list[tuple[int, str]]()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        found = count(path.read_text(encoding="utf-8"), str(name))
        total.add(found)
        files.append((found.code, str(name)))
        inner = name.parts[1:] if name.parts[0] == "isocost" else name.parts
        rooms[f"{inner[0]}/" if len(inner) > 1 else "(modules)"] += found.code
    if not files:
        return f"{folder.name}: no Python files\n"
    texts, asked = total.openings.total(), {word: total.openings[word] for word in sorted(INTERROGATIVES) if total.openings[word]}
    number, comments = sum(asked.values()), total.own + total.trailing
    rows = [
        ("files", f"{len(files):,}"),
        ("lines of code", f"{total.code:,}"),
        ("largest file", "{1}, {0:,} lines".format(*max(files))),
        ("largest function", "{1}, {0:,} lines".format(*max(total.functions, default=(0, "none")))),
        (
            "docstrings",
            f"{texts:,}: {texts - number:,} open with a verb or thing, {number:,} ({share(number, texts)}) with a question word",
        ),
        ("question words", ", ".join(f"{word} {times}" for word, times in asked.items()) or "none"),
        ("public functions", f"{total.public:,}: {total.documented:,} ({share(total.documented, total.public)}) with a docstring"),
        ("comments", f"{share(comments, total.code)[:-1]} per 100 lines of code: {total.own:,} own-line, {total.trailing:,} trailing"),
    ]
    lines = [folder.name, *(f"  {key:17s} {value}" for key, value in rows), "  lines by room"]
    return "\n".join([*lines, *(f"    {room:15s} {code:7,}" for room, code in rooms.most_common())]) + "\n"


def share(part: int, whole: int) -> str:
    """Return a share in percent."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


def main(arguments: Sequence[str]) -> int:
    """Print the numbers of each folder; return the exit status."""
    sys.stdout.write("\n".join(report(Path(argument)) for argument in arguments or (ROOT / "src", ROOT / "tests")))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

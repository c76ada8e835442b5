"""Write docs/study-file.md from the models of the study file: every section with its keys, types, defaults, meanings and an example.

python scripts/study_docs.py             write the page again
python scripts/study_docs.py --check     exit 1 if the page differs from the models

Meanings are the lines under `Attributes` (of a function or grader, `Args`) of docstrings; examples are cut from examples/reference.yaml.
"""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from isocost.config import Study
from isocost.engines import ENGINES, options_model
from isocost.graders import GRADERS, grader_factory
from isocost.policies import AUTO, POLICIES
from isocost.problems import ENDLESS, SOURCES, source_function
from isocost.prompts import TEMPLATES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "study-file.md"
EXAMPLE = ROOT / "examples" / "reference.yaml"
HEAD = """# The study file

This page is made from the models in `src/isocost` by `python scripts/study_docs.py` (or `make docs`); do not edit it.

A study file is YAML; [yaml.md](yaml.md) says how values are read. Unknown keys are refused. All mistakes are reported at once, each with
its line and the nearest valid key. `--set KEY.KEY=VALUE` changes a value on the command line. Relative paths start from the study file's
folder. The sections in the order of the file:
"""
ORDINARY = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path", dt.date: "day"}
BOUNDS = {
    annotated_types.Gt: ("gt", ">"),
    annotated_types.Ge: ("ge", ">="),
    annotated_types.Lt: ("lt", "<"),
    annotated_types.Le: ("le", "<="),
}
REQUIRED = object()

Row = tuple[str, str, str, str]  # key, type, default, meaning


def page() -> str:
    """Return the whole page."""
    examples = cut(EXAMPLE.read_text(encoding="utf-8"))
    sections = {model: f"#{key}" for key, hint in hints(Study).items() for model in models_in(hint)[:1]}
    inner = [model for model in models_in(Study)[1:] if model not in sections]
    anchors = sections | {model: f"#{title(model).lower().replace(' ', '-')}" for model in inner}
    parts, printed = [HEAD, table(rows_of(Study, anchors))], set[type[BaseModel]]()
    for key, hint in hints(Study).items():
        found = models_in(hint)
        own = found[0] if found else None
        parts += [f"## {key}\n", summary((own.__doc__ if own else meanings(Study)[key]) or "") + "\n"]
        parts += [table(rows_of(own, anchors))] if own else []
        parts.append(f"```yaml\n{examples[key]}\n```\n")
        for model in found[1:]:
            if model not in sections and model not in printed:
                printed.add(model)
                parts += [f"### {title(model)}\n", summary(model.__doc__ or "") + "\n", table(rows_of(model, anchors))]
        parts += OPTIONS.get(key, list)()
    return "\n".join(parts)


def sources() -> list[str]:
    """Return the problem sources with their options."""
    parts = [
        "`where` names fields of a problem's row and the value, or a list of values, that each must have: `{question_type: numeric}`. "
        "`repeated: merge` takes a question that occurs again with the same answer once; `keep`, the default, keeps and names it. "
        "`skip` is the number of these problems to leave out at the beginning, `limit` the number to take after that. "
        f"Sources without end, which need a `limit`: {', '.join(f'`{name}`' for name in ENDLESS)}.\n"
    ]
    for name in sorted(SOURCES):
        function = source_function(name)
        parts += [f"### Source {name}\n", summary(function.__doc__ or "") + "\n", table(arguments(function, function.__doc__ or ""))]
    return parts


def engines() -> list[str]:
    """Return the engines with their options."""
    parts = []
    for name in ENGINES:
        model = options_model(name)
        parts += [f"### Engine {name}\n", summary(model.__doc__ or "") + "\n", table(rows_of(model, {}))]
    return parts


def graders() -> list[str]:
    """Return the graders with their options."""
    parts = []
    for name in sorted(GRADERS):
        factory = grader_factory(name)
        rows = arguments(factory, factory.__doc__ or "")
        parts += [f"### Grader {name}\n", summary(factory.__doc__ or "") + "\n", table(rows) if rows else "No options.\n"]
    return parts


OPTIONS: Mapping[str, Callable[[], list[str]]] = {
    "problems": sources,
    "models": engines,
    "prompt": lambda: [f"Templates: {', '.join(f'`{name}`' for name in TEMPLATES)}.\n"],
    "arms": lambda: [f"Policies: {', '.join(f'`{name}`' for name in (*POLICIES, AUTO))}.\n"],
    "grader": graders,
}


def rows_of(model: type[BaseModel], anchors: Mapping[type[BaseModel], str]) -> list[Row]:
    """Return a row for each field of a model."""
    said, rows = meanings(model), []
    for key, hint in hints(model).items():
        require_meaning(key, said, model, "Attributes")
        field = model.model_fields[key]
        default = REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
        rows.append((key, kind(hint, anchors), value(default), said[key]))
    return rows


def arguments(function: Callable[..., object], text: str) -> list[Row]:
    """Return a row for each option of a function or class."""
    hinted = vars(function).get("__init__", function) if inspect.isclass(function) else function
    said, types, rows = described(text), get_type_hints(hinted, include_extras=True), list[Row]()
    for key, parameter in inspect.signature(function).parameters.items():
        if key == "base" or (parameter.kind is parameter.VAR_KEYWORD and key not in said):
            continue
        require_meaning(key, said, function, "Args")
        if parameter.kind is parameter.VAR_KEYWORD:
            rows.append(("...", "any", "", said[key]))
            continue
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        rows.append((key, kind(types[key], {}), value(default), said[key]))
    return rows


def require_meaning(key: str, said: Mapping[str, str], part: Callable[..., object], heading: str) -> None:
    """End the program if a docstring does not say what a key means."""
    if key not in said:
        raise SystemExit(f"{part.__module__}.{part.__qualname__}: its docstring lacks {key}\n  add a line `{key}: ...` under `{heading}:`")


def table(rows: Sequence[Row]) -> str:
    """Return rows as a table in Markdown."""
    lines = [f"| `{key}` | {what} | {default} | {meaning} |" for key, what, default, meaning in rows]
    return "\n".join(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *lines]) + "\n"


def hints(model: type[BaseModel]) -> dict[str, Any]:
    """Return the types of a model's fields, constraints included."""
    types = get_type_hints(model, include_extras=True)
    return {key: types[key] for key in model.model_fields}


def models_in(hint: Any) -> list[type[BaseModel]]:
    """Return the sections in a type: its own first, then the sections of their fields."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        inner = (model for below in hints(hint).values() for model in models_in(below))
        return list(dict.fromkeys((hint, *inner)))
    return [model for part in get_args(hint) for model in models_in(part)]


def kind(hint: Any, anchors: Mapping[type[BaseModel], str]) -> str:
    """Return a type in words."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits = " and ".join(bounds(parts[1:]))
        return f"{kind(parts[0], anchors)} {limits}".rstrip()
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in parts)
    if origin in (Union, UnionType):
        return " or ".join("null" if part is NoneType else kind(part, anchors) for part in parts)
    if origin is tuple:
        return f"list of {kind(parts[0], anchors)}".replace("number", "numbers")
    if origin is dict:
        return f"mapping of names to {kind(parts[1], anchors)}" if models_in(hint) else "mapping"
    if hint in anchors:
        return f"[{title(hint).lower()}]({anchors[hint]})"
    return ORDINARY.get(hint, "any")


def bounds(constraints: Sequence[object]) -> Iterator[str]:
    """Yield the limits of a number; limits of its storage are left out."""
    for constraint in constraints:
        if isinstance(constraint, FieldInfo):
            yield from bounds(constraint.metadata)
        for bound, (name, sign) in BOUNDS.items():
            if isinstance(constraint, bound) and (limit := getattr(constraint, name)) < 1 << 63:
                yield f"{sign} {limit:,}"


def value(default: object) -> str:
    """Return a default as it would be written in YAML."""
    if default is REQUIRED:
        return "required"
    if isinstance(default, BaseModel):
        return "its defaults"
    if isinstance(default, str) and re.fullmatch(r"[\w./:-]+", default):
        return f"`{default}`"
    return f"`{json.dumps(default)}`".replace("1e-06", "1.0e-6")


def title(model: type[BaseModel]) -> str:
    """Return a section's name in words: `ProblemSource` is a problem source."""
    return " ".join(re.findall("[A-Z][a-z]+", model.__name__.removesuffix("Spec"))).capitalize()


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return what a model and its bases say of their fields."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        found |= described(base.__doc__ or "") if issubclass(base, BaseModel) and base is not BaseModel else {}
    return found


def described(text: str) -> dict[str, str]:
    """Return the lines under `Attributes` or `Args` of a docstring, by name."""
    _, _, below = re.sub(r"(?m)^ *(Attributes|Args):$", "\0", inspect.cleandoc(text)).partition("\0")
    below = re.split(r"\n(?=\S)", below, maxsplit=1)[0]
    entries = re.findall(r"(?ms)^    (\w+): (.*?)(?=^    \w|\Z)", below)
    return {key: " ".join(meaning.split()) for key, meaning in entries}


def summary(text: str) -> str:
    """Return the paragraphs of a docstring before its sections, one line each."""
    above = re.split(r"(?m)^(?:Attributes|Args|Raises):$", inspect.cleandoc(text), maxsplit=1)[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in above.strip().split("\n\n"))


def cut(text: str) -> dict[str, str]:
    """Return the example's text by section."""
    return {found[1]: found[0].rstrip() for found in re.finditer(r"(?ms)^(\w+):.*?(?=^\w+:|\Z)", text)}


def check(path: Path = PAGE) -> bool:
    """Return whether the page at `path` is up to date."""
    return path.exists() and path.read_text(encoding="utf-8") == page()


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; return the exit status."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}")
        return 2
    if not arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if check():
        return 0
    sys.stderr.write(f"{PAGE}: differs from the models of the study file\n  write it again: python scripts/study_docs.py\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

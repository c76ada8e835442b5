"""Render pages from templates. All text is escaped, and invisible characters are made visible."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from isocost.auditing.labels import REASONS
from isocost.reporting.charts.palette import stylesheet
from isocost.viewer.reading import readable
from isocost.viewer.visible import visible

SCRIPTS = ("keys.js", "saving.js")
_BROWSING = (
    ("j ↓", "next"),
    ("k ↑", "previous"),
    ("Enter", "open"),
    ("n", "next page"),
    ("p", "previous page"),
    ("l", "label"),
    ("?", "these keys"),
)
_READING = (
    ("j", "next solution"),
    ("k", "previous solution"),
    ("n", "next problem"),
    ("p", "previous problem"),
    ("r", "solutions as they were written"),
    ("Esc", "back"),
    ("?", "these keys"),
)
_LABELLING = (
    ("a", "sound"),
    ("x", "unsound"),
    ("u", "unsure"),
    *((str(number), f"unsound, {reason}: {meaning}") for number, (reason, meaning) in enumerate(REASONS.items(), start=1)),
    ("space", "skip: not now"),
    ("z backspace", "undo the last"),
    ("j", "next solution"),
    ("k", "previous solution"),
    ("n", "next problem"),
    ("p", "previous problem"),
    ("c", "write a note; Esc leaves it"),
    ("g", "show the audit, once labelled"),
    ("r", "the solution as it was written"),
    ("?", "these keys"),
)
_SHORTCUTS = {
    "list.html.j2": _BROWSING,
    "label.html.j2": _LABELLING,
    "runs.html.j2": (("j ↓", "next"), ("k ↑", "previous"), ("Enter", "open"), ("?", "these keys")),
    "done.html.j2": (("z backspace", "undo the last"), ("?", "these keys")),
}


class Renderer:
    """Render pages from templates, with the path prefix of the server before every link.

    Addresses elsewhere in this package do not have the prefix: "/label/2".

    Args:
        prefix: The path above all pages of the run.
        runs: The address of the list of runs; "" where one run is served.
        run: The run's name in that list.
        drafts: Before the names of unsaved notes, which a browser keeps for all runs together: two runs may share a sample.
    """

    def __init__(self, prefix: str = "", *, runs: str = "", run: str = "", drafts: str = "") -> None:
        self.prefix, self._runs = prefix, runs
        self._values = {"prefix": prefix, "runs_url": runs, "run_name": run, "drafts": drafts}

    def __call__(self, template: str, **values: object) -> str:
        """Return the page of a template."""
        shortcuts = _SHORTCUTS.get(template, _READING)
        if self._runs and template == "list.html.j2":
            shortcuts = (*shortcuts, ("Esc", "all runs"))
        return _environment().get_template(template).render(shortcuts=shortcuts, **self._values, **values)


@cache
def style() -> str:
    """Return the style sheet: the report's colours, and the rules of these pages."""
    return stylesheet() + (files("isocost.viewer") / "viewer.css").read_text(encoding="utf-8")


@cache
def script(name: str) -> str:
    """Return one of `SCRIPTS`.

    `keys.js` gives buttons and links keys. `saving.js` keeps drafts of notes, and leaves the page open if saving fails.
    """
    return (files("isocost.viewer") / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("isocost.viewer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters["readable"] = readable
    return environment

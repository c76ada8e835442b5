"""The colours of the page, of its figures and of the viewer: `palette.css` is their only source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def stylesheet() -> str:
    """Return the style sheet that sets the colours, light or dark by the reader's setting, light in print."""
    return (files("isocost.reporting") / "palette.css").read_text(encoding="utf-8")


@cache
def light() -> Mapping[str, str]:
    """Return the colours of the light theme by name, as `#rrggbb`. No two are equal, so a drawing in them can be coloured anew."""
    return dict(re.findall(r"--(\w+):(#[0-9a-f]{6})\b", stylesheet().splitlines()[0]))

"""Every pair of ink and ground that the pages use can be read, light and dark."""

import re

import pytest

from isocost.viewer.rendering import style

# The grounds an ink is printed on: filled buttons and chips print the paper's colour on an ink.
PAIRS = [
    *((ink, ground) for ink in ("text", "muted", "blue", "orange") for ground in ("paper", "band")),
    *(("paper", ground) for ground in ("text", "blue", "orange")),
]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = style().splitlines()[:2]
    assert "prefers-color-scheme:dark" in dark
    return {name: dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", line)) for name, line in (("light", light), ("dark", dark))}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_contrast_is_at_least_four_and_a_half(scheme: str, ink: str, ground: str) -> None:
    colours = palettes()[scheme]
    low, high = sorted((luminance(colours[ink]), luminance(colours[ground])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_the_pages_have_no_colour_beside_the_palette() -> None:
    own = "".join(style().splitlines(keepends=True)[2:])
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?!-)", re.sub(r"#keys\b", "", own))) == {"#0007"}  # the shade behind the list of keys
    inks = set(re.findall(r"(?<![-\w])color:var\(--(\w+)\)", own))
    assert inks <= {ink for ink, _ in PAIRS}
    assert set(re.findall(r"background:var\(--(\w+)\)", own)) <= {ground for _, ground in PAIRS} | {"grid"}  # grid: the bar of progress

"""Measurements of drawn axes: the boxes of all texts that one sees, and the lines that could strike them through."""

from collections.abc import Iterator
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def texts(axes: Axes) -> list[Text]:
    """All texts with ink, among them those of the legend."""
    legend = axes.get_legend()
    found = [axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels(), *axes.texts]
    found += [*legend.get_texts(), legend.get_title()] if legend else []
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def lines(axes: Axes) -> Iterator[Path]:
    """What is drawn with a pen, in pixels, cut off where the axes end."""
    inside = axes.bbox
    for line in axes.lines:
        if line.get_linestyle() != "None":
            path = line.get_transform().transform_path(line.get_path())
            yield path.clip_to_bbox(inside) if line.get_clip_on() else path


def overlaps(axes: Axes) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other, by a pixel or more."""
    axes.figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(axes)]
    found = []
    for (first, box), (second, other) in combinations(boxes, 2):
        common = Bbox.intersection(box, other)
        if common is not None and common.width > 1 and common.height > 1:
            found.append((first, second))
    return found


def struck(axes: Axes) -> list[str]:
    """Texts that a line goes through."""
    axes.figure.draw_without_rendering()
    paths = [path for path in lines(axes) if len(path.vertices)]
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in texts(axes)]
    return [text for text, box in boxes if any(path.intersects_bbox(box, filled=False) for path in paths)]


def cut_off(axes: Axes) -> list[str]:
    """Texts that are not within the figure."""
    axes.figure.draw_without_rendering()
    whole = axes.figure.bbox.padded(1)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(axes)]
    return [text for text, box in boxes if not (whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1)]

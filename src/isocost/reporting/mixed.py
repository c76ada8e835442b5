"""Text about a mixture's line among the models' curves."""

from __future__ import annotations

from isocost.records import ModelCurve
from isocost.reporting import numbers
from isocost.reporting.panels import LONGEST_NAME


def end_name(curve: ModelCurve) -> str:
    """Return the name at the end of a line: the model, or for a mixture its models if there is room for them."""
    names = " + ".join(curve.mix)
    return curve.model if not curve.mix else names if len(names) <= LONGEST_NAME else "equal money"


def said(curve: ModelCurve) -> str:
    """Explain a mixture's line, so that a reader can follow the other sentences."""
    *most, last = (f"{numbers.fixed(100 * share, 0)}% {model}" for model, share in curve.mix.items())
    draws = f"{', '.join(most)} and {last}"
    return f" {curve.model}: not drawn, but worked out from the models' own draws; k counts all of its draws, {draws}."

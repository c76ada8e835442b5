"""Measures of the samples of a model, of a cell, or of several models side by side."""

from __future__ import annotations

from isocost.measuring.asjson import survey_json, to_json
from isocost.measuring.columns import Measures, cell_estimates
from isocost.measuring.files import level_list, survey_file
from isocost.measuring.markdown import survey_markdown
from isocost.measuring.survey import Survey, survey

__all__ = [
    "Measures",
    "Survey",
    "cell_estimates",
    "level_list",
    "survey",
    "survey_file",
    "survey_json",
    "survey_markdown",
    "to_json",
]

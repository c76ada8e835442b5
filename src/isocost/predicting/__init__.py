"""`isocost forecast`: what the first draws of a table of samples predict, as text and as JSON."""

from __future__ import annotations

from isocost.predicting.asjson import forecast_json
from isocost.predicting.asking import level_of, objective_of, rates_of
from isocost.predicting.predict import Prediction, predict
from isocost.predicting.text import forecast_markdown

__all__ = ["Prediction", "forecast_json", "forecast_markdown", "level_of", "objective_of", "predict", "rates_of"]

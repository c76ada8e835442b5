"""`isocost forecast`: what the first draws of a table of samples predict, as text and as JSON."""

from __future__ import annotations

from isocost.predicting.asjson import forecast_json
from isocost.predicting.asking import objective_of
from isocost.predicting.predict import Prediction, predict
from isocost.predicting.text import forecast_markdown

__all__ = ["Prediction", "forecast_json", "forecast_markdown", "objective_of", "predict"]

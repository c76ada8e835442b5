"""Stage: forecast from a pilot what more draws will buy."""

from __future__ import annotations

from isocost.forecasting.choices import Choice, Difference
from isocost.forecasting.curves import LEVEL, CurveForecast, Pilot
from isocost.forecasting.distinct import DistinctLaw, NoRepeats
from isocost.forecasting.doubts import Answers
from isocost.forecasting.forecast import Comparison, Forecast, ModelForecast, Piloted, Question, forecast

__all__ = [
    "LEVEL",
    "Answers",
    "Choice",
    "Comparison",
    "CurveForecast",
    "Difference",
    "DistinctLaw",
    "Forecast",
    "ModelForecast",
    "NoRepeats",
    "Pilot",
    "Piloted",
    "Question",
    "forecast",
]

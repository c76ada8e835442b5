"""Stage: forecast from a pilot what more draws will buy."""

from __future__ import annotations

from isocost.forecasting.curves import LEVEL, CurveForecast, Pilot

__all__ = ["LEVEL", "CurveForecast", "Pilot"]

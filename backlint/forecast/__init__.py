"""Forecasts out of a team's own history, with what they rest on and whether they used to come true (catalogue 6)."""

from backlint.forecast.backtest import BackTest, Calibration, Check, Drift, back_test, drift
from backlint.forecast.engine import ALGORITHM, LEVELS, NO_GROWTH, TRIALS, HowMany, When, how_many, seed_of, when
from backlint.forecast.history import FEWEST_WEEKS, MOST_WEEKS, WEEKS, History, Week, history
from backlint.forecast.item import CycleClasses, ItemForecast, item_forecast
from backlint.forecast.known import Finishes

__all__ = [
    "ALGORITHM",
    "FEWEST_WEEKS",
    "LEVELS",
    "MOST_WEEKS",
    "NO_GROWTH",
    "TRIALS",
    "WEEKS",
    "BackTest",
    "Calibration",
    "Check",
    "CycleClasses",
    "Drift",
    "Finishes",
    "History",
    "HowMany",
    "ItemForecast",
    "Week",
    "When",
    "back_test",
    "drift",
    "history",
    "how_many",
    "item_forecast",
    "seed_of",
    "when",
]

"""Forecasts of sums by day from their own past. Pure: no database, no clock.

What a week comes to is expected by several simple means (the mean of the last one, two, four or
eight weeks, their median, damped trends), each of which weighs as much as its own recent forecasts
were right; the weekdays of the last eight weeks share it out. The band that holds four of five
sums is that of the errors such forecasts made in the past over as many days. Sums are floats in
here, and results have 12 significant digits: they are estimates, no money.
"""

from usage.forecasting.histories import HISTORY_DAYS, MIN_DAYS, Histories
from usage.forecasting.outlooks import Horizon, Outlook, look_ahead, outlook
from usage.forecasting.pace import RATE_DAYS, at_daily_pace, projected_total, run_rate
from usage.forecasting.periods import Ending, chance_above, day_above, in_the_end

__all__ = [
    "HISTORY_DAYS",
    "MIN_DAYS",
    "RATE_DAYS",
    "Ending",
    "Histories",
    "Horizon",
    "Outlook",
    "at_daily_pace",
    "chance_above",
    "day_above",
    "in_the_end",
    "look_ahead",
    "outlook",
    "projected_total",
    "run_rate",
]

"""How a week is shared out among its days, and what stretches of days have of each."""

from dataclasses import dataclass

import numpy as np

from usage.forecasting.histories import HISTORY_DAYS, WEEK, Floats, Whole
from usage.forecasting.levels import DAMPING, SEEN_FROM

_BASE_WEEKS = 8
_PAD = WEEK * (_BASE_WEEKS + 1)
_PLACES: Whole = np.arange(WEEK)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days from `first` to before `end` of each series, counted from the day seen from."""

    first: Whole
    end: Whole

    @property
    def days(self) -> Floats:
        """How many days there are of each place in the week."""
        return _until(self.end).astype(np.float64) - _until(self.first)

    @property
    def trended(self) -> Floats:
        """The same, each day counted as often as the slope of a trend has added up by then."""
        return _slopes_until(self.end) - _slopes_until(self.first)


def slope_in_week(week: Whole) -> Floats:
    """How often the slope of a trend has added up in a week to come, the next one being 0."""
    return np.asarray(DAMPING * (1 - DAMPING**week) / (1 - DAMPING))


def shares_of(calm: Floats, lead: Whole) -> Floats:
    """What part of a week each of the seven days after the one seen from has, by day, series and
    day seen from; equal parts where nothing was used."""
    running = np.zeros((len(calm), _PAD + HISTORY_DAYS))
    for column in range(HISTORY_DAYS):
        place = _PAD + column
        running[:, place] = calm[:, column] + running[:, place - WEEK]
    whole = (SEEN_FROM[None, :] - lead[:, None]) // WEEK
    weeks = np.clip(whole, 1, _BASE_WEEKS)
    sums = np.empty((WEEK, len(calm), len(SEEN_FROM)))
    for day in range(WEEK):
        last = SEEN_FROM + day - WEEK + _PAD
        before = last[None, :] - WEEK * weeks
        sums[day] = running[:, last] - np.take_along_axis(running, before, axis=1)
    sums = np.maximum(sums, 0)
    together = sums.sum(axis=0)
    return np.where(together > 0, sums / np.where(together > 0, together, 1), 1 / WEEK)


def _until(day: Whole) -> Whole:
    """How many of the days before `day` are at each place in the week."""
    return np.asarray((day[:, None] - _PLACES + WEEK - 1) // WEEK)


def _slopes_until(day: Whole) -> Floats:
    weeks = _until(day)
    adding_up = (1 - DAMPING**weeks) / (1 - DAMPING)
    return np.asarray(DAMPING / (1 - DAMPING) * (weeks - adding_up))

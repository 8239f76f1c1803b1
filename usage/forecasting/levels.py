"""What a week is expected to come to, seen from every day of the past: several simple answers."""

from dataclasses import dataclass

import numpy as np

from usage.forecasting.histories import HISTORY_DAYS, MIN_DAYS, WEEK, Floats, Whole

SEEN_FROM: Whole = np.arange(MIN_DAYS, HISTORY_DAYS + 1)
"""The columns that forecasts are made from, today last."""
DAMPING = 0.8
"""How much of a week's trend goes on in the week after."""
_WEEKS = 8
_MEANS = (1, 2, 4, 8)
_MEDIAN_OF = 5
_TRENDS = (5, 8)
_MIN_TREND = 4
_STEEPEST = 0.075
"""How far a trend may move in a week, as a share of its level."""
_LOWEST = 0.2


@dataclass(frozen=True, slots=True)
class Levels:
    """By way of answering, series and day seen from: what the next week comes to, and by how much
    a week after it is expected to differ before damping."""

    level: Floats
    slope: Floats

    @property
    def limit_slope(self) -> "Levels":
        """The same, with no week to come below nothing."""
        most = DAMPING / (1 - DAMPING)
        return Levels(self.level, np.maximum(self.slope, -self.level / most))


@dataclass(frozen=True, slots=True)
class Weeks:
    """The sums of whole weeks back from each day seen from, the latest first; those that begin
    before the history does are 0 and not `known`."""

    sums: Floats
    known: Floats

    def mean(self, count: int) -> Floats:
        """The mean of the latest known ones."""
        known = self.known[:count].sum(axis=0)
        return np.asarray(self.sums[:count].sum(axis=0) / np.maximum(known, 1))


def weeks_back(calm_totals: Floats, lead: Whole) -> Weeks:
    """The weeks of series, from the sums of all days before each column."""
    shape = (_WEEKS, len(lead), len(SEEN_FROM))
    sums, known = np.zeros(shape), np.zeros(shape)
    for back in range(_WEEKS):
        end = SEEN_FROM - WEEK * back
        begin = end - WEEK
        known[back] = begin[None, :] >= lead[:, None]
        whole = calm_totals[:, np.maximum(end, 0)] - calm_totals[:, np.maximum(begin, 0)]
        sums[back] = whole * known[back]
    return Weeks(sums, known)


def levels_of(weeks: Weeks) -> Levels:
    """All answers, one way after the other."""
    flat = [weeks.mean(count) for count in _MEANS] + [_median(weeks)]
    level, slope = zip(*(_trend(weeks, count) for count in _TRENDS), strict=True)
    none = np.zeros_like(flat[0])
    found = Levels(np.stack([*flat, *level]), np.stack([*(none for _ in flat), *slope]))
    return found.limit_slope


def _median(weeks: Weeks) -> Floats:
    known = weeks.known[:_MEDIAN_OF]
    ordered = np.sort(np.where(known > 0, weeks.sums[:_MEDIAN_OF], np.inf), axis=0)
    count = known.sum(axis=0).astype(np.int64)
    lower, upper = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, _MEDIAN_OF - 1)
    both = [np.take_along_axis(ordered, place[None], axis=0)[0] for place in (lower, upper)]
    return np.where(count > 0, (both[0] + both[1]) / 2, 0)


def _trend(weeks: Weeks, count: int) -> tuple[Floats, Floats]:
    """Level and slope of the line through the latest known weeks; flat through too few."""
    known, sums = weeks.known[:count], weeks.sums[:count]
    place = -np.arange(1.0, count + 1)[:, None, None]
    number = np.maximum(known.sum(axis=0), 1)
    middle, mean = (place * known).sum(axis=0) / number, sums.sum(axis=0) / number
    spread = ((place - middle) ** 2 * known).sum(axis=0)
    slope = (place * sums).sum(axis=0) - middle * sums.sum(axis=0)
    slope = np.where(number >= _MIN_TREND, slope / np.maximum(spread, 1), 0)
    slope = np.clip(slope, -_STEEPEST * mean, _STEEPEST * mean)
    return np.maximum(mean - slope * middle, _LOWEST * mean), slope

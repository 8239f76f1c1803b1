"""What is unusual in a series of hourly spend: compared only with the series' own past.

Spend is bursty: most hours hold nothing, and a few hold most of the money. Deviations from a
median are therefore no measure of it; how far its highest days lie above it is. Of these the
second highest counts, so that one incident does not hide the next.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hours: TypeAlias = NDArray[np.float64]
"""Spend by day (ascending, without gaps) and hour of the day (24)."""

PAST_DAYS = 56
"""So many days a day is compared with."""
KNOWN_DAYS = 28
"""A series that began later than so many days ago has no usual yet."""
FAR = 3.0
"""An excess over the usual counts from so many times that of the second highest day."""
LEAST_FACTOR = 1.5
LATEST_HOURS = 3

_WEEK = 7


class Stretch(NamedTuple):
    """Hours of a day, from `first` to before `end`."""

    first: int
    end: int


def unusual_stretch(spend: Hours, day: int, hours: int, least: float) -> Stretch | None:
    """Where on a day far more was spent than usual, None for nowhere.

    Looked at are the first `hours` hours of row `day`: what had been spent since midnight, and
    in the latest three hours, by the end of each of them. The usual is the median of the same
    hours of the same weekday. An excess is far where it reaches `least`, half of the usual again,
    and FAR times that of the second highest of the past days: of what these had spent three hours
    later, or in any three hours. Of several stretches the one with the greatest excess, and of
    these the first and shortest.
    """
    begun = int(np.argmax(spend.any(axis=1)))
    if not spend[day].any() or day - begun < KNOWN_DAYS:
        return None
    past = np.arange(max(begun, day - PAST_DAYS), day)
    weekday = past[(day - past) % _WEEK == 0]
    so_far = spend.cumsum(axis=1)
    latest = so_far.copy()
    latest[:, LATEST_HOURS:] -= so_far[:, :-LATEST_HOURS]
    later = np.minimum(np.arange(spend.shape[1]) + LATEST_HOURS, spend.shape[1] - 1)
    found: list[tuple[float, int, int]] = []
    for sums, high, length in (
        (so_far, _second_highest(so_far[past])[later], spend.shape[1]),
        (latest, _second_highest(latest[past].max(axis=1)), LATEST_HOURS),
    ):
        usual = np.median(sums[weekday], axis=0)
        excess = sums[day] - usual
        bound = np.maximum(np.maximum(FAR * (high - usual), (LEAST_FACTOR - 1) * usual), least)
        for hour in np.flatnonzero(excess[:hours] > bound[:hours]):
            end = int(hour) + 1
            found.append((float(excess[hour]), -end, max(0, end - length)))
    if not found:
        return None
    _, end, first = max(found)
    return Stretch(first, -end)


def _second_highest(values: Hours) -> Hours:
    highest: Hours = np.sort(values, axis=0)[-2]
    return highest

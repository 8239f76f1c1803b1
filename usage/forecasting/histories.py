"""What is known of many series: their sums by day, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

WEEK = 7
MIN_DAYS = 14
"""Days of history without which nothing is forecast."""
HISTORY_DAYS = 26 * WEEK
"""How many days of history forecasts look at."""
_BASE_WEEKS = 8
_OUTLIER = 3
_RANK = 3
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Histories:
    """Sums of the days before today, one row a series, yesterday in the last of HISTORY_DAYS
    columns. `known` counts the days of each, from the first with any use on; the others are 0."""

    days: Floats
    known: Whole

    @classmethod
    def empty(cls, series: int) -> "Histories":
        """So many series of which nothing is known yet."""
        return cls(np.zeros((series, HISTORY_DAYS)), np.zeros(series, np.int64))

    @classmethod
    def of(cls, costs: Sequence[Decimal]) -> "Histories":
        """One series: the sums of consecutive days, oldest first, yesterday last."""
        found = cls.empty(1)
        found.put(0, {len(costs) - day: float(cost) for day, cost in enumerate(costs)}, len(costs))
        return found

    def put(self, row: int, sums: Mapping[int, float], known: int = 0) -> None:
        """Let a series be the sums of so many days ago each; below zero they count as nothing.

        Its history begins `known` days ago, by default with the first of the sums.
        """
        kept = {ago: value for ago, value in sums.items() if 1 <= ago <= HISTORY_DAYS}
        for ago, value in kept.items():
            self.days[row, HISTORY_DAYS - ago] = max(value, 0.0)
        self.known[row] = min(known or max(kept, default=0), HISTORY_DAYS)

    def last(self, row: int, days: int = HISTORY_DAYS) -> list[Decimal]:
        """The latest days of a series, as far as they are known, oldest first."""
        count = min(int(self.known[row]), days)
        return [Decimal(f"{value:.12g}") for value in self.days[row, HISTORY_DAYS - count :]]

    def chunks(self) -> Iterator[tuple[slice, "Histories"]]:
        """Some series after the other, so that work on them needs little memory."""
        for first in range(0, len(self.known), _CHUNK):
            rows = slice(first, first + _CHUNK)
            yield rows, Histories(self.days[rows], self.known[rows])

    @property
    def lead(self) -> Whole:
        """The column in which each history begins."""
        return HISTORY_DAYS - self.known


def totals(days: Floats) -> Floats:
    """What the days before each column come to, and all of them in one column more."""
    return np.concatenate([np.zeros((len(days), 1)), np.cumsum(days, axis=1)], axis=1)


def tamed(days: Floats) -> Floats:
    """Days without those that ran away: what is far above all but two of its two months counts
    as the highest that is not."""
    calm = days.copy()
    for end in range(HISTORY_DAYS, 0, -WEEK):
        since = max(end - WEEK * (_BASE_WEEKS + 1), 0)
        usual = np.partition(days[:, since:end], -_RANK, axis=1)[:, -_RANK, None]
        week = days[:, end - WEEK : end]
        wild = (usual > 0) & (week > _OUTLIER * usual)
        calm[:, end - WEEK : end] = np.where(wild, usual, week)
    return calm

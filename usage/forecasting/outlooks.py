"""What days to come will sum up to: expectation, band, and how such forecasts did in the past."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from usage.forecasting.bands import Misses, band_of, spread_of
from usage.forecasting.blending import blend
from usage.forecasting.histories import (
    HISTORY_DAYS,
    MIN_DAYS,
    WEEK,
    Floats,
    Histories,
    Whole,
    tamed,
    totals,
)
from usage.forecasting.levels import SEEN_FROM, Levels, Weeks, levels_of, weeks_back
from usage.forecasting.testing import Tested, tested
from usage.forecasting.weekdays import Stretch, shares_of, slope_in_week

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Horizon:
    """For each series, the days it is asked about: from `first` (0 is today) to before `end`."""

    first: Whole
    end: Whole


@dataclass(frozen=True, slots=True)
class Outlook:
    """What some days to come will sum up to; `low` to `high` holds for four of five.

    `error` is by how many percent forecasts of as many days missed on average in the past, and
    `coverage` how many percent of them had the truth in their band; None where none can be told.
    `days` is what each of the days is expected to have.
    """

    expected: Decimal
    low: Decimal
    high: Decimal
    error: Decimal | None
    coverage: Decimal | None
    days: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Model:
    """What some series look like from every day of their past, today last."""

    shares: Floats
    levels: Levels
    weeks: Weeks
    calm_totals: Floats
    totals: Floats
    known: Whole

    def expected(self, days: Stretch) -> Floats:
        """What a stretch of days comes to, by series and day seen from."""
        flat = np.einsum("sd,dst->st", days.days, self.shares)
        trended = np.einsum("sd,dst->st", days.trended, self.shares)
        return np.asarray(self.levels.level * flat + self.levels.slope * trended)

    def truth(self, days: Stretch, *, calm: bool) -> Floats:
        """What a stretch came to, by series and day seen from; nonsense where it is not over.

        In `calm` days that ran away count as the highest of the others.
        """
        sums = self.calm_totals if calm else self.totals
        end, first = (
            np.minimum(SEEN_FROM[None, :] + day[:, None], HISTORY_DAYS)
            for day in (days.end, days.first)
        )
        both = [np.take_along_axis(sums, place, axis=1) for place in (end, first)]
        return np.asarray(both[0] - both[1])

    def is_over(self, days: Stretch) -> Floats:
        """1 where a stretch is over and was seen from a day with enough history, else 0."""
        over = SEEN_FROM[None, :] + days.end[:, None] <= HISTORY_DAYS
        lead = HISTORY_DAYS - self.known
        return np.asarray(over & (SEEN_FROM[None, :] - lead[:, None] >= MIN_DAYS), np.float64)

    def each_day(self, days: Stretch) -> Floats:
        """What each day to the last `end` is expected to have, from today on."""
        ahead = np.arange(days.end.max(initial=0))
        level, slope = (part[:, -1:] for part in (self.levels.level, self.levels.slope))
        week = level + slope * slope_in_week(ahead // WEEK)[None, :]
        return np.asarray(self.shares[ahead % WEEK, :, -1].T * week)


def outlook(costs: Sequence[Decimal], end: int, *, first: int = 0) -> Outlook | None:
    """What the days from `first` to before `end` after `costs` come to, 0 being the day after.

    `costs` are those of consecutive days, oldest first; None with fewer than MIN_DAYS.
    """
    horizon = Horizon(np.array([first]), np.array([end]))
    return look_ahead(Histories.of(costs), horizon)[0][0]


def look_ahead(histories: Histories, *horizons: Horizon) -> list[tuple[Outlook | None, ...]]:
    """What each series comes to in each of `horizons`; None with fewer than MIN_DAYS of history.

    Equal histories give equal outlooks, and one of k times the sums k times the outlook.
    """
    found: list[tuple[Outlook | None, ...]] = []
    for rows, chunk in histories.chunks():
        model = _model(chunk)
        asked = [Stretch(horizon.first[rows], horizon.end[rows]) for horizon in horizons]
        found += zip(*(_outlooks(model, days) for days in asked), strict=True)
    return found


def _model(histories: Histories) -> _Model:
    calm, lead = tamed(histories.days), histories.lead
    calm_totals = totals(calm)
    weeks = weeks_back(calm_totals, lead)
    levels = blend(levels_of(weeks), calm_totals, lead)
    return _Model(
        shares_of(calm, lead), levels, weeks, calm_totals, totals(histories.days), histories.known
    )


def _outlooks(model: _Model, days: Stretch) -> Iterator[Outlook | None]:
    past = _as_in_the_past(days, model.known)
    expected = model.expected(past)
    misses = Misses.between(model.truth(past, calm=True), expected, model.is_over(past), past.end)
    scale = np.sqrt(days.end / np.maximum(past.end, 1))
    latest = Weeks(model.weeks.sums[:, :, -1], model.weeks.known[:, :, -1])
    spread = spread_of(latest.sums, latest.known, days.end - days.first)
    ahead = model.expected(days)[:, -1]
    low, high = band_of(misses, scale, spread).around(ahead)
    did = tested(misses, model.truth(past, calm=False), expected)
    each = model.each_day(days)
    for row, seen in enumerate(model.known):
        if seen < MIN_DAYS:
            yield None
            continue
        first, end = days.first[row], days.end[row]
        yield _outlook(ahead[row], low[row], high[row], did[row], each[row, first:end])


def _as_in_the_past(days: Stretch, known: Whole) -> Stretch:
    """As many days, or where the past holds too few such stretches, fewer."""
    end = np.minimum(days.end, np.maximum(WEEK, (known - MIN_DAYS) * 2 // 3))
    shorter = np.maximum(end - (days.end - days.first), 0)
    return Stretch(np.where(end < days.end, shorter, days.first), end)


def _outlook(expected: float, low: float, high: float, did: Tested, days: Floats) -> Outlook:
    error, coverage = (None if part is None else Decimal(f"{part:.4f}") for part in did)
    return Outlook(
        _estimate(expected), _estimate(low), _estimate(high), error, coverage, tuple(days.tolist())
    )


def _estimate(value: float) -> Decimal:
    return Decimal(f"{value:.{_DIGITS}g}")

"""What windows of budgets will have used when their period is over."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from budgets.matching import NAMES, BudgetValue
from budgets.models import Budget, BudgetWindow, Forecast
from budgets.selectors.pace import at_pace
from budgets.spans import Span
from pricing.compiled import quantize
from usage.forecasting import (
    Ending,
    Histories,
    Horizon,
    Outlook,
    chance_above,
    day_above,
    in_the_end,
    look_ahead,
)
from usage.selectors.day_series import DaySeries, read_days, read_rests_of_days
from usage.selectors.periods import find_zone


class OpenWindow(NamedTuple):
    """A budget, or one member's share of it, in a period that goes on and that ends.

    `limit` (None: none) and `used` are in the ledger currency, or tokens or requests.
    """

    budget: BudgetValue
    member: int
    span: Span
    limit: Decimal | None
    used: Decimal

    def today(self, now: datetime) -> date:
        """The present day of its zone."""
        return now.astimezone(find_zone(self.budget.zone)).date()

    def series(self, now: datetime) -> DaySeries:
        """The usage that it counts, by day."""
        parts = dict(zip(NAMES, self.budget.scope, strict=True))
        if self.budget.per:
            parts[self.budget.per] = self.member
        return DaySeries(
            tuple(parts[name] for name in NAMES),
            self.budget.measure,
            self.today(now),
            self.budget.zone,
        )


class _Seen(NamedTuple):
    """A window with what its usage was like: what today has come to, its outlook and days."""

    window: OpenWindow
    current: Decimal
    ahead: Outlook | None
    days_of_history: int


def open_windows(now: datetime) -> list[OpenWindow]:
    """The windows of enabled budgets that are open at `now`, an aware time, and that end."""
    budgets = {
        row.pk: BudgetValue.from_budget(row)
        for row in Budget.objects.filter(enabled=True).select_related("organization")
    }
    rows = BudgetWindow.objects.filter(budget__in=budgets, start__lte=now, end__gt=now)
    columns = ("budget", "member", "start", "end", "limit", "spent", "overage")
    return [
        OpenWindow(budgets[budget], member, Span(start, end), limit, spent + overage)
        for budget, member, start, end, limit, spent, overage in rows.order_by(
            "budget", "member", "start"
        ).values_list(*columns)
        if start >= budgets[budget].counts_since
    ]


def forecast_windows(windows: Iterable[OpenWindow], now: datetime) -> list[Forecast]:
    """What each of `windows` will come to as seen at `now`, an aware time; in their order, not
    stored.

    Days of the past tell, of a budget for a day the rest of past days from this time of the day.
    """
    given = list(windows)
    hourly = [window for window in given if window.budget.period == Budget.Period.DAY]
    daily = [window for window in given if window.budget.period != Budget.Period.DAY]
    seen = [*_by_days(daily, now), *_by_hours(hourly, now)]
    found = {id(each.window): each for each in seen}
    return [_forecast(found[id(window)], now) for window in given]


def _by_days(windows: Sequence[OpenWindow], now: datetime) -> list[_Seen]:
    known = read_days([window.series(now) for window in windows])
    ends = [
        (_last(window.span).astimezone(find_zone(window.budget.zone)).date() - window.today(now))
        for window in windows
    ]
    return _seen(windows, known.today, known.histories, [end.days for end in ends])


def _by_hours(windows: Sequence[OpenWindow], now: datetime) -> list[_Seen]:
    histories = read_rests_of_days([window.series(now) for window in windows], now)
    return _seen(windows, [0.0] * len(windows), histories, [1] * len(windows))


def _seen(
    windows: Sequence[OpenWindow],
    today: Sequence[float],
    histories: Histories,
    ends: Sequence[int],
) -> list[_Seen]:
    horizon = Horizon(np.zeros(len(windows), np.int64), np.array(ends, np.int64))
    outlooks = look_ahead(histories, horizon)
    return [
        _Seen(window, min(Decimal(str(current)), window.used), ahead, int(days))
        for window, current, (ahead,), days in zip(
            windows, today, outlooks, histories.known, strict=True
        )
    ]


def _last(span: Span) -> datetime:
    if span.end is None:
        raise ValueError("a period without an end has no forecast")
    return span.end


def _forecast(seen: _Seen, now: datetime) -> Forecast:
    window, ahead = seen.window, seen.ahead
    zone = find_zone(window.budget.zone)
    pace = at_pace(window.used, window.span, zone, now)
    found = Forecast(
        budget_id=window.budget.id,
        member=window.member,
        start=window.span.start,
        end=_last(window.span),
        made_at=now,
        spent=window.used,
        run_rate=None if pace is None else quantize(pace),
        days_of_history=seen.days_of_history,
        limit=window.limit,
    )
    if ahead is not None:
        ending = in_the_end(window.used, seen.current, ahead)
        tell(found, ending, ahead)
        if window.limit is not None:
            today = window.today(now)
            found.crosses_on = day_above(window.limit, window.used, seen.current, ahead, today)
            found.chance = chance_above(window.limit, ending)
    return found


def tell(forecast: Forecast, ending: Ending, ahead: Outlook) -> None:
    """Let a forecast say how its period ends, and how such forecasts did in the past."""
    forecast.expected = quantize(ending.expected)
    forecast.low, forecast.high = quantize(ending.low), quantize(ending.high)
    forecast.error, forecast.coverage = ahead.error, ahead.coverage

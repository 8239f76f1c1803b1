"""What a period will have cost when it is over."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from pricing.compiled import quantize
from usage.forecasting import (
    HISTORY_DAYS,
    MIN_DAYS,
    Outlook,
    back_test_error,
    expected_days,
    outlook,
    projected_total,
    run_rate,
)
from usage.ingest.partitions import next_month
from usage.selectors.access import Viewer
from usage.selectors.questions import Granularity, UsageQuery
from usage.selectors.usage import query_usage

RATE_DAYS = 28
"""How many days a run rate looks back on for a period that has not begun."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the days `start` (inclusive) to `end` (exclusive) have cost and will.

    `expected` is what they will have cost in the end, `low` to `high` a band that holds four times
    of five; all three are None with less than 14 days of history. `run_rate` is what they come to
    when each day left costs what those of the period cost on average, today included.
    `back_test_error` is how far, in percent, forecasts of the last weeks missed on average. Costs
    are in `currency`, without `unpriced_events`.
    """

    start: date
    end: date
    spent: Decimal
    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    run_rate: Decimal
    back_test_error: Decimal | None
    days_of_history: int
    unpriced_events: int
    currency: str
    as_of: datetime


def this_month(today: date) -> tuple[date, date]:
    """The first day of the month of `today` and its end (exclusive)."""
    first = today.replace(day=1)
    return first, next_month(first)


def month_after(today: date) -> tuple[date, date]:
    """The first day of the month after that of `today` and its end (exclusive)."""
    first = next_month(today.replace(day=1))
    return first, next_month(first)


def forecast_spend(
    viewer: Viewer,
    *,
    start: date,
    end: date,
    today: date,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
    currency: str = "",
) -> Forecast:
    """Forecast the days from `start` to `end` (exclusive) of `time_zone`, as seen on `today`.

    Days before `today` are complete. Costs are in the ledger's currency unless another is named.
    Raises QuestionError for a question that makes no sense.
    """
    since = min(start, today - timedelta(days=HISTORY_DAYS))
    answer = query_usage(
        UsageQuery(
            viewer=viewer,
            start=since,
            end=max(today + timedelta(days=1), end),
            time_zone=time_zone,
            granularity=Granularity.DAY,
            filters=filters or {},
            currency=currency,
        )
    )
    sums = {row.start: row.sums for row in answer.rows}
    past = [sums[since + timedelta(days=day)].cost for day in range((today - since).days)]
    days = _Days(
        done=[sums[day].cost for day in sums if start <= day < min(today, end)],
        current=sums[today].cost if start <= today < end else Decimal(0),
        history=_without_lead(past)[-HISTORY_DAYS:],
    )
    expected = _expected(days, start, end, today)
    error = back_test_error(days.history)
    return Forecast(
        start=start,
        end=end,
        spent=quantize(days.spent),
        expected=quantize(expected.expected) if expected else None,
        low=quantize(expected.low) if expected else None,
        high=quantize(expected.high) if expected else None,
        run_rate=quantize(_at_pace(days, start, end, today)),
        back_test_error=None if error is None else quantize(error),
        days_of_history=len(days.history),
        unpriced_events=sum(sums[day].unpriced_events for day in sums if start <= day < end),
        currency=answer.currency,
        as_of=answer.as_of,
    )


@dataclass(frozen=True, slots=True)
class _Days:
    """Costs by day: those of the period before today, today's within it, and of the past."""

    done: list[Decimal]
    current: Decimal
    history: list[Decimal]

    @property
    def spent(self) -> Decimal:
        return sum(self.done, self.current)


def _expected(days: _Days, start: date, end: date, today: date) -> Outlook | None:
    ahead = (end - today).days
    if ahead <= 0:
        return Outlook(days.spent, days.spent, days.spent)
    if len(days.history) < MIN_DAYS:
        return None
    found = outlook(days.history, ahead, skip=max((start - today).days, 0))
    base = sum(days.done, Decimal(0))
    if start <= today:
        # Today counts as what it is expected to cost, or as what it has cost where that is more.
        base += max(days.current - expected_days(days.history, 1)[0], Decimal(0))
    low = max(base + found.low, days.spent)
    return Outlook(base + found.expected, low, base + found.high)


def _at_pace(days: _Days, start: date, end: date, today: date) -> Decimal:
    if today >= end:
        return days.spent
    if start <= today:
        rate = run_rate(days.spent, (today - start).days + 1)
        return projected_total(days.spent, rate or days.spent, (end - today).days - 1)
    recent = days.history[-RATE_DAYS:]
    rate = run_rate(sum(recent, Decimal(0)), len(recent))
    return projected_total(Decimal(0), rate or Decimal(0), (end - start).days)


def _without_lead(costs: list[Decimal]) -> list[Decimal]:
    """The costs from the first day on that has any."""
    first = next((day for day, cost in enumerate(costs) if cost), len(costs))
    return costs[first:]

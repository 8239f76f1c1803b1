"""What a period will have cost when it is over."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from pricing.compiled import quantize
from usage.forecasting import (
    HISTORY_DAYS,
    Ending,
    Outlook,
    at_daily_pace,
    in_the_end,
    outlook,
)
from usage.ingest.partitions import next_month
from usage.selectors.access import Viewer
from usage.selectors.questions import Granularity, UsageAnswer, UsageQuery, UsageSums
from usage.selectors.usage import query_usage


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the days `start` (inclusive) to `end` (exclusive) have cost and will.

    `expected` is what they will have cost in the end, `low` to `high` a band that holds four times
    of five; all three are None with less than 14 days of history. `run_rate` is what they come to
    when each day left costs what those of the period cost on average, today included.
    `back_test_error` is how far, in percent, past forecasts of as many days missed on average,
    and `coverage` how many percent of them had the truth in their band; None where there is none
    to test. Costs are in `currency`, without `unpriced_events`.
    """

    start: date
    end: date
    spent: Decimal
    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    run_rate: Decimal
    back_test_error: Decimal | None
    coverage: Decimal | None
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
    return forecast_periods(
        viewer, periods=((start, end),), today=today, time_zone=time_zone, filters=filters,
        currency=currency,
    )[0]  # fmt: skip


def forecast_periods(
    viewer: Viewer,
    *,
    periods: Sequence[tuple[date, date]],
    today: date,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
    currency: str = "",
) -> list[Forecast]:
    """As `forecast_spend`, of several periods by one question; each has a start and an end."""
    since = min(today - timedelta(days=HISTORY_DAYS), *(start for start, _ in periods))
    answer = query_usage(
        UsageQuery(
            viewer=viewer,
            start=since,
            end=max(today + timedelta(days=1), *(end for _, end in periods)),
            time_zone=time_zone,
            granularity=Granularity.DAY,
            filters=filters or {},
            currency=currency,
        )
    )
    sums = {row.start: row.sums for row in answer.rows}
    past = [sums[since + timedelta(days=day)].cost for day in range((today - since).days)]
    history = _without_lead(past)[-HISTORY_DAYS:]
    return [_forecast(_Period(start, end, today, history, sums), answer) for start, end in periods]


@dataclass(frozen=True, slots=True)
class _Period:
    """The days from `start` to before `end` as seen today, with what is known of all days."""

    start: date
    end: date
    today: date
    history: list[Decimal]
    sums: Mapping[date, UsageSums]

    @property
    def within(self) -> list[UsageSums]:
        return [sums for day, sums in self.sums.items() if self.start <= day < self.end]

    @property
    def spent(self) -> Decimal:
        """What its days up to today cost."""
        days = [day for day in self.sums if self.start <= day < self.end and day <= self.today]
        return sum((self.sums[day].cost for day in days), Decimal(0))

    @property
    def current(self) -> Decimal:
        """What of that today cost."""
        is_present = self.start <= self.today < self.end
        return self.sums[self.today].cost if is_present else Decimal(0)

    @property
    def ahead(self) -> Outlook | None:
        """What is to come; None of one that is over, and with too little history."""
        days = (self.end - self.today).days
        first = max((self.start - self.today).days, 0)
        return outlook(self.history, days, first=first) if days > 0 else None

    @property
    def pace(self) -> Decimal:
        """What it comes to at the pace so far."""
        return at_daily_pace(self.spent, self.start, self.end, self.today, self.history)


def _forecast(period: _Period, answer: UsageAnswer) -> Forecast:
    spent, ahead = period.spent, period.ahead
    ending = in_the_end(spent, period.current, ahead) if ahead else None
    if period.today >= period.end:
        ending = Ending(spent, spent, spent)
    return Forecast(
        start=period.start,
        end=period.end,
        spent=quantize(spent),
        expected=quantize(ending.expected) if ending else None,
        low=quantize(ending.low) if ending else None,
        high=quantize(ending.high) if ending else None,
        run_rate=quantize(period.pace),
        back_test_error=_percent(ahead.error) if ahead else None,
        coverage=_percent(ahead.coverage) if ahead else None,
        days_of_history=len(period.history),
        unpriced_events=sum(sums.unpriced_events for sums in period.within),
        currency=answer.currency,
        as_of=answer.as_of,
    )


def _without_lead(costs: list[Decimal]) -> list[Decimal]:
    """The costs from the first day on that has any."""
    first = next((day for day, cost in enumerate(costs) if cost), len(costs))
    return costs[first:]


def _percent(value: Decimal | None) -> Decimal | None:
    return None if value is None else quantize(value)
